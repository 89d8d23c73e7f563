#!/usr/bin/env python3
"""Runs the code generators that vendors use on the strict schemas. See README.md.

    check.py NETEXT             # check, with this executable of the tool
    check.py --write-example    # write the types of examples/python

The check fails if the generated code does not compile, renames a type of the protocol, or changes a sample.
"""

import concurrent.futures
import hashlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parent.parent
WORK = ROOT / "target" / "generators"
STRICT = ROOT / "docs" / "schemas" / "strict"
BUNDLE = STRICT / "bundle.schema.json"
#: Files that are also checked one by one: rules, nested metadata, the flat payload, and a response.
SINGLE = ("apply-fw-rules.request", "restore-network.request", "custom-action.request", "custom-action.response")
EXAMPLE = ROOT / "examples" / "python"
JACKSON = ":".join(f"/usr/share/java/jackson-{part}.jar" for part in ("databind", "core", "annotations"))
TOP = "NetworkExtensionProtocol"
#: Responses, because the samples are payloads only.
ANSWERS = {
    "ensure-network-device": [{"host": "192.0.2.10", "namespace": "cs-net-42", "ports": [1, 2]}],
    "implement-network": [{"network.broadcast_domain_type": "Vlan", "network.broadcast_uri": "vlan://1910"}],
    "custom-action": [
        {"status": "success", "printmessage": "true", "message": "done"},
        {"status": "success", "printmessage": "false", "message": [{"table": "isp1", "id": "100"}]},
    ],
}


class Wrong(Exception):
    """A check has failed."""


def run(*command, **options):
    done = subprocess.run([str(it) for it in command], capture_output=True, text=True, check=False, **options)
    if done.returncode:
        raise Wrong(f"{' '.join(map(str, command))}\n{done.stdout}{done.stderr}".strip())
    return done.stdout


def tool(name):
    return WORK / "tools" / "node_modules" / ".bin" / name


def python(program):
    return WORK / "tools" / "venv" / "bin" / program


def install():
    """Installs the pinned generators in target, unless they are installed already."""
    pinned = [HERE / name for name in ("package.json", "package-lock.json", "requirements.txt")]
    stamp = hashlib.sha256(b"".join(path.read_bytes() for path in pinned)).hexdigest()
    tools = WORK / "tools"
    if (tools / "stamp").exists() and (tools / "stamp").read_text() == stamp:
        return
    shutil.rmtree(tools, ignore_errors=True)
    tools.mkdir(parents=True)
    for path in pinned:
        shutil.copy(path, tools)
    run("npm", "ci", "--silent", "--no-audit", "--no-fund", cwd=tools)
    run(sys.executable, "-m", "venv", tools / "venv")
    run(python("pip"), "install", "--quiet", "--requirement", tools / "requirements.txt")
    (tools / "stamp").write_text(stamp)


def documents(netext):
    """Every sample in its strict form, and every response, as a document of the bundle's schema."""
    wire = HERE.parent / "fixtures" / "wire"
    for path in sorted(wire.glob("**/*.json")):
        command = path.name.split(".")[0]
        name = "-".join(path.relative_to(wire).parts)
        yield name, {command: json.loads(run(netext, "normalize", command, path))}
    for command, answers in ANSWERS.items():
        for number, answer in enumerate(answers):
            yield f"answer-{command}-{number}.json", {f"{command} response": answer}


def without_absent(value):
    """The value without nulls, which some languages write for absent fields."""
    if isinstance(value, dict):
        return {name: without_absent(it) for name, it in value.items() if it is not None}
    return [without_absent(it) for it in value] if isinstance(value, list) else value


def compare(samples, answers):
    for sample in samples.iterdir():
        # As text: 22 is not 22.0.
        texts = [
            json.dumps(without_absent(json.loads((folder / sample.name).read_text("utf-8"))), sort_keys=True)
            for folder in (samples, answers)
        ]
        if texts[0] != texts[1]:
            raise Wrong(f"{sample.name} has changed:\n{texts[0]}\n{texts[1]}")


def check_names(found, needed=lambda schema: True, others=()):
    """Checks that the types have the protocol's names. Languages differ in the case of ACL and DHCP."""
    definitions = json.loads(BUNDLE.read_text("utf-8"))["$defs"]
    found = {name.lower() for name in found}
    missing = {name for name, it in definitions.items() if needed(it) and name.lower() not in found}
    superfluous = found - {it.lower() for it in (*definitions, TOP, *others)}
    if missing or superfluous:
        raise Wrong(f"missing types: {sorted(missing)}; types without a definition: {sorted(superfluous)}")


def is_class(schema):
    return "properties" in schema or "enum" in schema


def is_no_map(schema):
    return is_class(schema) or "anyOf" in schema


#: The kinds of types that datamodel-codegen writes for Python, by the name of their module.
PYTHON = {
    "models": "pydantic_v2.BaseModel",
    "dictionaries": "typing.TypedDict",
    "classes": "dataclasses.dataclass",
}
PYTHON_TYPE = re.compile(r"^(?:class )?(\w+)(?:\(|:$|: TypeAlias| = TypedDict)", re.M)


def in_python(folder, samples):
    options = ["--input-file-type", "jsonschema", "--target-python-version", "3.11", "--field-constraints"]
    options += ["--formatters", "builtin", "--disable-timestamp", "--use-schema-description"]
    for module, kind in PYTHON.items():
        inputs = {module: BUNDLE}
        for file in SINGLE:
            inputs[f"{module}_{re.sub('[-.]', '_', file)}"] = STRICT / f"commands/{file}.schema.json"
        for name, schema in inputs.items():
            files = ("--input", schema, "--output", folder / f"{name}.py")
            run(python("datamodel-codegen"), *options, "--output-model-type", kind, *files)
        text = (folder / f"{module}.py").read_text("utf-8")
        check_names(PYTHON_TYPE.findall(text), others=("Printmessage",))
        if re.search(r"\bfloat\b", text):
            raise Wrong(f"{module}.py has a float")
    run(python("mypy"), "--strict", "--cache-dir", folder / "mypy", *folder.glob("*.py"))
    run(python("python"), HERE / "roundtrip.py", folder, samples, folder / "answers")


def quicktype(language, output, schema=BUNDLE, *options):
    command = ("--src-lang", "schema", "--lang", language, "--top-level", TOP, *options, "-o", output, schema)
    run(tool("quicktype"), *command)
    return output


def singles(folder):
    for file in SINGLE:
        (folder / "single" / file).mkdir(parents=True)
        yield file, STRICT / f"commands/{file}.schema.json", folder / "single" / file


def in_go(folder, samples):
    options = ("--package", "main", "--omit-empty")
    generated = quicktype("go", folder / "protocol.go", BUNDLE, *options)
    text = generated.read_text("utf-8")
    check_names(re.findall(r"^type (\w+) ", text, re.M), is_no_map, ("Printmessage", "Status"))
    if re.search(r"float64.*`json:|^\s+Double", text, re.M):
        raise Wrong("protocol.go has a float64")
    shutil.copy(HERE / "roundtrip.go", folder)
    go = {"cwd": folder, "env": {**os.environ, "HOME": str(WORK / "tools"), "GO111MODULE": "off"}}
    run("go", "build", "-o", "roundtrip", "protocol.go", "roundtrip.go", **go)
    for _, schema, below in singles(folder):
        run("go", "vet", quicktype("go", below / "protocol.go", schema, "--package", "protocol", "--omit-empty"), **go)
    run(folder / "roundtrip", samples, folder / "answers")


def in_typescript(folder, samples):
    options = ("--acronym-style", "original")
    generated = quicktype("typescript", folder / "protocol.ts", BUNDLE, *options)
    names = re.findall(r"^export (?:interface|enum) (\w+)", generated.read_text("utf-8"), re.M)
    check_names(names, is_class, ("Printmessage", "Status"))
    files = [generated, *(quicktype("typescript", it[2] / "protocol.ts", it[1], *options) for it in singles(folder))]
    strict = ("--strict", "--target", "es2022", "--module", "commonjs", "--lib", "es2022")
    run(tool("tsc"), *strict, *files)
    run("node", HERE / "roundtrip.mjs", folder / "protocol.js", samples, folder / "answers")


def in_typescript_by_json2ts(folder, samples):
    """These types do not exist at run time, so the check compiles the samples as constants of the types."""
    generated = folder / "protocol.d.ts"
    run(tool("json2ts"), "--input", BUNDLE, "--output", generated)
    check_names(re.findall(r"^export (?:interface|type) (\w+)", generated.read_text("utf-8"), re.M))
    typed = [f'import type {{ {TOP} }} from "./protocol";']
    for number, sample in enumerate(sorted(samples.iterdir())):
        typed.append(f"export const sample{number}: {TOP} = {sample.read_text('utf-8')};")
    (folder / "samples.ts").write_text("\n".join(typed), "utf-8")
    (folder / "refused.ts").write_text(
        'import type { AclRule, Direction, PortRange } from "./protocol";\n'
        "export const port: PortRange = 22;\n"
        "// @ts-expect-error\nexport const word: Direction = \"sideways\";\n"
        "// @ts-expect-error\nexport const text: AclRule[\"number\"] = \"1\";\n",
        "utf-8",
    )
    files = [generated, folder / "samples.ts", folder / "refused.ts"]
    for _, schema, below in singles(folder):
        run(tool("json2ts"), "--input", schema, "--output", below / "protocol.ts")
        files.append(below / "protocol.ts")
    run(tool("tsc"), "--strict", "--noEmit", "--target", "es2022", *files)


def in_java(folder, samples):
    options = ("--acronym-style", "original", "--package", "netext")
    quicktype("java", folder / f"{TOP}.java", BUNDLE, *options)
    classes = [it for it in folder.glob("*.java") if it.name != "Converter.java"]
    check_names((it.stem for it in classes), is_no_map, ("Printmessage", "Status"))
    if any(re.search(r"\b[dD]ouble\b", it.read_text("utf-8")) for it in classes):
        raise Wrong("a class has a double")
    # Debian's Jackson declares one more exception than the converter expects. An ObjectMapper does the same work.
    compile_ = ("javac", "-nowarn", "-Xlint:none", "-cp", JACKSON, "-d")
    run(*compile_, folder / "classes", *classes, HERE / "RoundTrip.java")
    for _, schema, below in singles(folder):
        quicktype("java", below / f"{TOP}.java", schema, *options)
        run(*compile_, below, *(it for it in below.glob("*.java") if it.name != "Converter.java"))
    run("java", "-cp", f"{JACKSON}:{folder / 'classes'}", "netext.RoundTrip", samples, folder / "answers")


def check_example():
    """Checks that the example in Python has the types that its generator writes."""
    run(python("datamodel-codegen"), "--check", cwd=EXAMPLE)
    run(python("mypy"), "--strict", "--cache-dir", WORK / "mypy", "minimal.py", "netext", cwd=EXAMPLE)


def main():
    [argument] = sys.argv[1:]
    install()
    if argument == "--write-example":
        run(python("datamodel-codegen"), cwd=EXAMPLE)
        return 0
    samples = WORK / "samples"
    shutil.rmtree(samples, ignore_errors=True)
    samples.mkdir(parents=True)
    for name, document in documents(pathlib.Path(argument).resolve()):
        (samples / name).write_text(json.dumps(document), "utf-8")

    def check(name, language):
        folder = WORK / name
        shutil.rmtree(folder, ignore_errors=True)
        (folder / "answers").mkdir(parents=True)
        language(folder, samples)
        if language is not in_typescript_by_json2ts:
            compare(samples, folder / "answers")

    languages = {
        "datamodel-code-generator, Python": ("python", in_python),
        "quicktype, Java": ("java", in_java),
        "quicktype, TypeScript": ("typescript", in_typescript),
        "json-schema-to-typescript": ("json2ts", in_typescript_by_json2ts),
        "quicktype, Go": ("go", in_go),
    }
    failed = 0
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        running = {title: pool.submit(check, *language) for title, language in languages.items()}
        running["the example in Python"] = pool.submit(check_example)
        for title, result in running.items():
            try:
                result.result()
                print(f"ok    {title}")
            except Wrong as wrong:
                failed += 1
                print(f"FAIL  {title}: {wrong}")
    print(f"{len(running) - failed} passed, {failed} failed")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
