// Reads every document as the generated types have it, and writes what they make of it.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [generated, samples, answers] = process.argv.slice(2);
// The converter compares what it reads with the types, and throws where they differ.
const { Convert } = (await import(pathToFileURL(path.resolve(generated)))).default;
for (const sample of fs.readdirSync(samples)) {
    const read = Convert.toNetworkExtensionProtocol(fs.readFileSync(path.join(samples, sample), "utf8"));
    fs.writeFileSync(path.join(answers, sample), Convert.networkExtensionProtocolToJson(read));
}
