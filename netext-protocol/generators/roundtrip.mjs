// Reads every document into the generated types, and writes it back.
import fs from "node:fs";
import path from "node:path";
import { pathToFileURL } from "node:url";

const [generated, samples, answers] = process.argv.slice(2);
// The converter checks the document against the types, and throws on a difference.
const { Convert } = (await import(pathToFileURL(path.resolve(generated)))).default;
for (const sample of fs.readdirSync(samples)) {
    const read = Convert.toNetworkExtensionProtocol(fs.readFileSync(path.join(samples, sample), "utf8"));
    fs.writeFileSync(path.join(answers, sample), Convert.networkExtensionProtocolToJson(read));
}
