"""LINE's own description of its API as a JSON Schema that also looks into messages and Flex components."""

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

OPENAPI = Path(__file__).parents[2].parent / "shared" / "line-openapi" / "messaging-api.yml"


def validate(schema_name: str, content: Any) -> None:
    """Raises jsonschema's error when `content` is not what LINE describes. Skips when the file is not there."""
    if not OPENAPI.exists():
        pytest.skip(f"LINE's OpenAPI file is not at {OPENAPI}")
    reference = {"$ref": f"urn:line#/components/schemas/{schema_name}"}
    Draft202012Validator(reference, registry=_registry()).validate(content)


@cache
def _registry() -> Registry:
    document = yaml.load(OPENAPI.read_text("utf-8"), Loader=yaml.CSafeLoader)
    schemas = document["components"]["schemas"]
    mappings = {name: _mapping(schema) for name, schema in schemas.items() if _mapping(schema)}
    resolved = {
        "components": {"schemas": {name: _resolve(schema, mappings) for name, schema in schemas.items()}}
    }
    empty: Registry[Any] = Registry()
    described: Registry[Any] = empty.with_resource("urn:line", Resource.from_contents(resolved, DRAFT202012))
    return described


def _mapping(schema: dict[str, Any]) -> dict[str, str]:
    places = (schema, schema.get("properties", {}))
    found = [place["discriminator"] for place in places if "mapping" in place.get("discriminator", {})]
    return found[0]["mapping"] if found else {}


def _resolve(node: Any, mappings: dict[str, dict[str, str]], *, inherited: bool = False) -> Any:
    """Where a base type is used, say which of its kinds are allowed there and that nothing unknown may be added."""
    if isinstance(node, list):
        return [_resolve(item, mappings, inherited=inherited) for item in node]
    if not isinstance(node, dict):
        return node
    name = str(node.get("$ref", "")).rpartition("/")[2]
    if name in mappings and not inherited:
        return {"oneOf": [_kind(tag, target) for tag, target in mappings[name].items()]}
    return {
        key: "urn:line" + value if key == "$ref" else _resolve(value, mappings, inherited=key == "allOf")
        for key, value in node.items()
        if key != "discriminator"
    }


def _kind(tag: str, target: str) -> dict[str, Any]:
    return {
        "$ref": "urn:line" + target,
        "properties": {"type": {"const": tag}},
        "required": ["type"],
        "unevaluatedProperties": False,
    }
