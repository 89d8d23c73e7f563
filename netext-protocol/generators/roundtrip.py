"""Reads every document into the generated types, and writes it back."""

import importlib
import json
import pathlib
import sys
import typing

import typing_extensions
from pydantic import ConfigDict, TypeAdapter

# Before Python 3.12, Pydantic supports only this TypedDict.
typing.TypedDict = typing_extensions.TypedDict

sys.path.insert(0, sys.argv[1])
models = importlib.import_module("models").NetworkExtensionProtocol
dictionaries = importlib.import_module("dictionaries").NetworkExtensionProtocol
dictionaries.__pydantic_config__ = ConfigDict(strict=True)
adapter = TypeAdapter(dictionaries)

for sample in pathlib.Path(sys.argv[2]).glob("*.json"):
    text = sample.read_text("utf-8")
    # Strict mode does not convert texts to numbers.
    model = models.model_validate_json(text, strict=True)
    written = model.model_dump_json(by_alias=True, exclude_none=True)
    if json.loads(written) != adapter.validate_json(text):
        sys.exit(f"{sample.name}: models and dictionaries differ")
    (pathlib.Path(sys.argv[3]) / sample.name).write_text(written, "utf-8")
