"""Takes the facts out of LINE's OpenAPI description: `python -m tests.channels.line_openapi_fixture messaging-api.yml`.

Facts are paths, methods, fields, types, enumerations and limits. LINE's file is at
github.com/line/line-openapi; `line_openapi.json` beside this file is what came out, so that nobody needs it
for the tests.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

FIXTURE = Path(__file__).with_name("line_openapi.json")
LIMITS = (
    *("type", "enum", "pattern", "minLength", "maxLength"),
    *("minItems", "maxItems", "minimum", "maximum"),
)
Schema = dict[str, Any]


def facts(document: Schema) -> dict[str, Schema]:
    """`operations`: "POST /v2/…" → the shape of the body and the statuses that may be answered;
    `$defs`: the shapes that bodies need, as JSON Schema."""
    described = Described(document["components"]["schemas"])
    operations = {
        f"{method.upper()} {path}": _operation(operation)
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
        if method in ("get", "post", "put", "delete")
    }
    wanted = sorted({one["body"] for one in operations.values() if "body" in one})
    return {"operations": operations, "$defs": described.shapes(wanted)}


def _operation(operation: Schema) -> Schema:
    contents = operation.get("requestBody", {}).get("content", {})
    bodies = [_name(content["schema"]) for content in contents.values() if "$ref" in content["schema"]]
    answers = {"answers": sorted(map(int, operation["responses"]))}
    return {"body": bodies[0], **answers} if bodies else answers


class Described:
    """The schemas of the file, with bases and kinds folded into plain shapes."""

    def __init__(self, schemas: dict[str, Schema]) -> None:
        self._schemas = schemas
        self._kinds = {name: mapping for name in schemas if (mapping := _mapping(schemas[name]))}
        self._tags = {_last(ref): tag for mapping in self._kinds.values() for tag, ref in mapping.items()}

    def shapes(self, wanted: list[str]) -> dict[str, Schema]:
        found: dict[str, Schema] = {}
        while wanted:
            name = wanted.pop()
            if name not in found:
                found[name] = self._shape(name)
                wanted += _references(found[name])
        return dict(sorted(found.items()))

    def _shape(self, name: str) -> Schema:
        if name in self._kinds:
            return {"oneOf": [_reference(_last(ref)) for ref in self._kinds[name].values()]}
        schema = self._schemas[name]
        if "properties" not in schema and "allOf" not in schema:
            return self._field(schema)
        fields, required = self._fields(schema)
        if name in self._tags:
            fields["type"] = {"const": self._tags[name]}
            required = {*required, "type"}
        shape: Schema = {"type": "object", "properties": dict(sorted(fields.items()))}
        if required:
            shape["required"] = sorted(required)
        # A field that LINE does not describe is a slip of the pen.
        return {**shape, "additionalProperties": False}

    def _fields(self, schema: Schema) -> tuple[dict[str, Schema], set[str]]:
        """Its own and those of its bases."""
        fields: dict[str, Schema] = {}
        required = set(schema.get("required", ()))
        for part in schema.get("allOf", ()):
            more, needed = self._fields(self._schemas[_name(part)] if "$ref" in part else part)
            fields |= more
            required |= needed
        own = {name: field for name, field in schema.get("properties", {}).items() if name != "discriminator"}
        return {**fields, **{name: self._field(field) for name, field in own.items()}}, required

    def _field(self, field: Schema) -> Schema:
        if "$ref" in field:
            return _reference(_name(field))
        kept = {key: field[key] for key in LIMITS if key in field}
        if "items" in field:
            kept["items"] = self._field(field["items"])
        if "properties" in field:
            kept["properties"] = {name: self._field(value) for name, value in field["properties"].items()}
        if isinstance(field.get("additionalProperties"), dict):
            kept["additionalProperties"] = self._field(field["additionalProperties"])
        return kept


def _mapping(schema: Schema) -> dict[str, str]:
    for place in (schema, schema.get("properties", {})):
        if "mapping" in place.get("discriminator", {}):
            return dict(place["discriminator"]["mapping"])
    return {}


def _last(reference: str) -> str:
    return reference.rpartition("/")[2]


def _name(node: Schema) -> str:
    return _last(node["$ref"])


def _reference(name: str) -> Schema:
    return {"$ref": f"#/$defs/{name}"}


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for item in node:
            yield from _references(item)
    elif isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield _name(node)
        for item in node.values():
            yield from _references(item)


def as_text(found: dict[str, Schema]) -> str:
    """A line for each operation and each shape."""
    parts = []
    for name, entries in found.items():
        rows = [f"  {json.dumps(key)}: {json.dumps(value)}" for key, value in entries.items()]
        parts.append(f"{json.dumps(name)}: {{\n" + ",\n".join(rows) + "\n}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def read(path: Path) -> dict[str, Schema]:
    return facts(yaml.load(path.read_text("utf-8"), Loader=yaml.CSafeLoader))


if __name__ == "__main__":
    FIXTURE.write_text(as_text(read(Path(sys.argv[1]))), "utf-8")
