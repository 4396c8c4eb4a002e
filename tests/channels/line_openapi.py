"""What LINE's OpenAPI description says of requests, as facts in `line_openapi.json`, and a check of bodies by it."""

from __future__ import annotations

import json
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.channels.line_openapi_fixture import FIXTURE


def validate(shape: str, content: Any) -> None:
    """Raises jsonschema's error when `content` is not what LINE describes, down into messages and Flex."""
    described = line_facts()
    Draft202012Validator({"$ref": f"#/$defs/{shape}", "$defs": described["$defs"]}).validate(content)


@cache
def line_facts() -> dict[str, Any]:
    """`operations` and `$defs`, as `line_openapi_fixture` describes them."""
    found: dict[str, Any] = json.loads(FIXTURE.read_text("utf-8"))
    return found
