#!/usr/bin/env python3
"""Writes netext/protocol.py: Python types of the protocol's commands, made from its JSON Schemas alone.

    ./generate.py            # write it
    ./generate.py --check    # fail if it is not what the schemas say

The schemas are those of a folder `schemas` beside this file, or else of the checkout that it lies in.
"""

import json
import pathlib
import re
import sys
import textwrap

HERE = pathlib.Path(__file__).resolve().parent
COPIED = HERE / "schemas"
SCHEMAS = COPIED if COPIED.is_dir() else HERE.parent.parent / "docs" / "schemas"
OUTPUT = HERE / "netext" / "protocol.py"

#: The commands that minimal.py answers. Add those of the services that your device provides.
ANSWERED = (
    "ensure-network-device",
    "implement-network",
    "shutdown-network",
    "destroy-network",
    "prepare-nic",
    "release-nic",
)

IPV4 = r"[0-9]{1,3}(\.[0-9]{1,3}){3}"
PORT = "([0-5]?[0-9]{1,4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])"
IPV6 = r"[0-9A-Fa-f:]*:[0-9A-Fa-f:.]*"
#: What a text of a pattern is in Python; any other is a text.
TYPES = {
    r"^[0-9]+$": "int",
    r"^([Tt][Rr][Uu][Ee]|[Ff][Aa][Ll][Ss][Ee])$": "bool",
    f"^{PORT}([-:]{PORT})?$": "Ports",
    f"^{IPV4}$": "IPv4Address",
    f"^{IPV4}/[0-9]{{1,2}}$": "IPv4Interface",
    f"^{IPV6}$": "IPv6Address",
    f"^{IPV6}/[0-9]{{1,3}}$": "IPv6Interface",
}

HEAD = '''\
"""The commands of the protocol, as types. Written by generate.py from docs/schemas; do not edit."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface
from typing import Any, Dict, List, Optional

from .wire import Each, Fields, JsonObject, Ports, Refused, Scalar, Secret, optional, required

VERSION = {version}

#: Every command, with the services that it belongs to; one that belongs to none comes to every device.
COMMANDS = {commands}

{scalars}{classes}


#: The types of the payloads, by command.
REQUESTS = {requests}


def read(command, document):
    """Reads a payload document: the details that travel with every command, and the payload."""
    if not isinstance(document, dict):
        raise Refused(command, "the payload file is not an object")
    details = Details.read(document, command)
    request = REQUESTS[command]
    if request.FLAT:
        return details, request.read(document, command)
    return details, request.read(document.get("payload"), f"{{command}}: payload")
'''


class Module:
    """The module, as it grows: scalars and classes that are the same are written once."""

    def __init__(self):
        index = load("index.json")
        self.version = index["protocol_version"]
        self.commands = {entry["command"]: entry for entry in index["commands"]}
        self.scalars, self.classes = {}, {}

    def scalar(self, name, schema):
        """A scalar's type in Python, and the name of what reads it."""
        python = TYPES.get(schema.get("pattern"), "str")
        written_as = schema["type"] if isinstance(schema["type"], list) else [schema["type"]]
        arguments = [python, json.dumps(written_as)]
        arguments += [f"pattern=r\"{schema['pattern']}\""] if "pattern" in schema else []
        words = schema.get("expected", "a port or a range of ports (22, 8080-8090)" if python == "Ports" else None)
        arguments += [f"expected={json.dumps(words)}"] if words else []
        arguments += [f"least={schema['minLength']}"] if "minLength" in schema else []
        arguments += ["secret=True"] if schema.get("writeOnly") else []
        expected = re.sub(r"^an? |( such as| \(|,).*", "", schema.get("expected", name))
        reader = re.sub(r"\W", "_", expected).upper()
        # Where a field has to be there, the schema does not say in words what it may be.
        while not set(arguments) <= set(self.scalars.setdefault(reader, arguments)):
            reader += "_"
        return ("Secret" if schema.get("writeOnly") else python), reader

    def kind(self, name, schema, definitions):
        """The Python type of a value, and the expression that reads it."""
        if "$ref" in schema:
            nested = schema["$ref"].rsplit("/", 1)[1]
            self.add(nested, definitions[nested], definitions[nested]["properties"], definitions)
            return nested, nested
        if schema.get("type") == "array":
            item_type, item = self.kind(name, schema["items"], definitions)
            return f"List[{item_type}]", f"Each({item})"
        if "anyOf" not in schema:
            return self.scalar(name, schema)
        # An object, or a text that holds one.
        [values] = [choice for choice in schema["anyOf"] if choice.get("type") == "object"]
        if values.get("additionalProperties", {}).get("writeOnly"):
            return "Dict[str, Secret]", "JsonObject(secret=True)"
        return "Dict[str, Any]", "JsonObject()"

    def field(self, spellings, schema, is_required, definitions):
        """A field's declaration, below its meaning."""
        name, value = snake(spellings[0]), schema
        if not is_required:
            [value] = [choice for choice in schema["anyOf"] if choice.get("enum") != [None, ""]]
            value = {**value, "expected": value.get("description", name)}
        type_, reader = self.kind(name, value, definitions)
        names = "" if spellings == [name] else "".join(f", {json.dumps(it)}" for it in spellings)
        if is_required:
            declared, end = f"    {name}: {type_} = required(", f"{reader}{names}"
        else:
            declared, end = f"    {name}: Optional[{type_}] = optional(", f"{reader}{names}"
        line = [f"{declared}{end})"] if len(declared + end) < 110 else [declared, f"        {end}", "    )"]
        return [*wrapped(schema.get("description", ""), "    # "), *line]

    def add(self, name, schema, properties, definitions, flat=False):
        """A class. Two spellings that are one name in Python are one field."""
        if name in self.classes:
            return
        spellings = {}
        for spelling in properties:
            spellings.setdefault(snake(spelling), []).append(spelling)
        needed = schema.get("required", [])
        lines = ["", "", "@dataclass(frozen=True)", f"class {name}(Fields):"]
        meaning = wrapped(f'"""{schema["description"]}"""', "    ")
        if len(meaning) > 1:
            meaning = [*meaning[:-1], meaning[-1].replace('"""', ""), '    """']
        lines += [*meaning, ""]
        lines += ["    FLAT = True"] if flat else []
        groups = [[it["required"][0] for it in group["anyOf"]] for group in schema.get("allOf", [])]
        lines += [f"    ONE_OF = {json.dumps(groups)}"] if groups else []
        # Python wants the fields first that have to be there.
        for names in sorted(spellings.values(), key=lambda names: names[0] not in needed):
            lines += self.field(names, properties[names[0]], names[0] in needed, definitions)
        self.classes[name] = lines

    def command(self, command):
        schema = load(self.commands[command]["request"])
        definitions, properties = schema.get("$defs", {}), schema["properties"]
        details = {name: it for name, it in properties.items() if re.search("extension.details$", name)}
        self.add("Details", {"description": "What travels with every command."}, details, definitions)
        flat = "payload" not in properties
        payload = schema if flat else properties["payload"]
        own = {name: it for name, it in payload["properties"].items() if name not in details}
        self.add(camel(command), payload, own, definitions, flat)

    def text(self, commands):
        served = [(it["command"], it["services"]) for it in self.commands.values()]
        services = [f"    {json.dumps(name)}: {json.dumps(services)},\n" for name, services in served]
        scalars = [f"{name} = Scalar(\n    {JOINED.join(it)},\n)\n" for name, it in self.scalars.items()]
        requests = [f"    {json.dumps(command)}: {camel(command)},\n" for command in commands]
        return HEAD.format(
            version=self.version,
            commands="{\n" + "".join(services) + "}",
            scalars="".join(scalars),
            classes="\n".join(line for lines in self.classes.values() for line in lines),
            requests="{\n" + "".join(requests) + "}",
        )


JOINED = ",\n    "


def load(path):
    try:
        return json.loads((SCHEMAS / path).read_text("utf-8"))
    except FileNotFoundError:
        sys.exit(f"{SCHEMAS / path} is not there; copy docs/schemas of netext to {COPIED}")


def snake(name):
    return re.sub(r"(?<=[a-z0-9])([A-Z])", lambda it: "_" + it[1].lower(), name).replace("-", "_")


def camel(command):
    return "".join(part.capitalize() for part in command.split("-"))


def wrapped(text, indent):
    return textwrap.wrap(text, 108, initial_indent=indent, subsequent_indent=indent)


def render(commands):
    """The text of the module for some commands."""
    module = Module()
    for command in commands:
        module.command(command)
    return module.text(commands)


if __name__ == "__main__":
    if sys.argv[1:] == ["--check"]:
        if OUTPUT.read_text("utf-8") != render(ANSWERED):
            sys.exit(f"{OUTPUT} is not what the schemas say; run generate.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        OUTPUT.write_text(render(ANSWERED), "utf-8")
