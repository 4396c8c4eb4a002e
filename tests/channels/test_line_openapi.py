"""The check of bodies by LINE's own description has teeth, and its facts are those of LINE's file."""

import os
from pathlib import Path
from typing import Any

import pytest
from jsonschema import ValidationError

from tests.channels.line_openapi import line_facts, validate
from tests.channels.line_openapi_fixture import FIXTURE, as_text, facts, read

PLAIN = {"type": "text", "text": "断水"}
USER = "U" + "0" * 32
# LINE's file beside the project's folder, or where this says.
DESCRIPTION = Path(
    os.environ.get(
        "LINE_OPENAPI", Path(__file__).parents[3] / "shared" / "line-openapi" / "messaging-api.yml"
    )
)


def box(**fields: Any) -> dict[str, Any]:
    text = {"type": "text", "text": "断水", **fields}
    bubble = {"type": "bubble", "body": {"type": "box", "layout": "vertical", "contents": [text]}}
    return {"type": "flex", "altText": "断水", "contents": bubble}


def test_what_line_takes_is_let_through():
    validate("MulticastRequest", {"to": [USER] * 500, "messages": [PLAIN, box(weight="bold")]})


@pytest.mark.parametrize(
    "body",
    [
        {"to": [], "messages": [PLAIN]},
        {"to": [USER] * 501, "messages": [PLAIN]},
        {"to": [USER], "messages": [PLAIN] * 6},
        {"to": [USER], "messages": [{"type": "text"}]},
        {"to": [USER], "messages": [{"type": "letter", "text": "断水"}]},
        {"to": [USER], "messages": [PLAIN | {"bold": True}]},
        {"to": [USER], "messages": [box(weight="heavy")]},
        {"to": [USER], "messages": [box(colour="#000000")]},
        {"to": [USER]},
        {"to": [USER], "messages": [PLAIN], "silent": True},
    ],
)
def test_a_body_that_line_would_refuse_is_found(body):
    with pytest.raises(ValidationError):
        validate("MulticastRequest", body)


def test_a_base_is_folded_into_its_kinds_and_a_kind_says_which_it_is():
    animal = {
        "required": ["type"],
        "properties": {"type": {"type": "string", "description": "words"}},
        "discriminator": {"propertyName": "type", "mapping": {"cat": "#/components/schemas/Cat"}},
    }
    cat = {
        "required": ["lives"],
        "allOf": [
            {"$ref": "#/components/schemas/Animal"},
            {"properties": {"lives": {"type": "integer", "maximum": 9}}},
        ],
    }
    body = {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/Animal"}}}}
    paths = {"/animals": {"post": {"requestBody": body, "responses": {"200": {"description": "words"}}}}}
    assert facts({"paths": paths, "components": {"schemas": {"Animal": animal, "Cat": cat}}}) == {
        "operations": {"POST /animals": {"body": "Animal", "answers": [200]}},
        "$defs": {
            "Animal": {"oneOf": [{"$ref": "#/$defs/Cat"}]},
            "Cat": {
                "type": "object",
                "properties": {"lives": {"type": "integer", "maximum": 9}, "type": {"const": "cat"}},
                "required": ["lives", "type"],
                "additionalProperties": False,
            },
        },
    }


def test_every_shape_that_is_named_is_there():
    described = line_facts()
    bodies = {one["body"] for one in described["operations"].values() if "body" in one}
    assert bodies and bodies <= described["$defs"].keys()


def test_the_facts_are_those_of_the_file():
    if not DESCRIPTION.exists():
        pytest.skip("LINE's messaging-api.yml is not on this machine; LINE_OPENAPI says where it is")
    assert FIXTURE.read_text("utf-8") == as_text(read(DESCRIPTION))
