"""Answers of the API: what a handler returns and what it raises."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Detail = dict[str, str]
_CONTENTS = re.compile(r"messages\[(\d+)\]\.contents(\..+)")


@dataclass(slots=True)
class Reply:
    """An answer. `body` is JSON data, or bytes with their `content_type`."""

    status: int = 200
    body: Json | bytes = field(default_factory=dict)
    content_type: str = "application/json"
    headers: dict[str, str] = field(default_factory=dict)
    sent_messages: list[Json] | None = None
    accepted: bool = True


class ApiError(Exception):
    """A refusal in LINE's format (LINE Messaging API reference, #error-responses).

    `body` overrides the format, for the token endpoints that speak OAuth.
    """

    def __init__(
        self,
        status: int,
        message: str,
        details: Sequence[Detail] = (),
        *,
        headers: dict[str, str] | None = None,
        sent_messages: list[Json] | None = None,
        body: Json | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = list(details)
        self.headers = headers or {}
        self.sent_messages = sent_messages
        self.body = body

    def reply(self) -> Reply:
        """The refusal as an answer."""
        return Reply(self.status, self._json(), headers=self.headers, accepted=False)

    def _json(self) -> Json:
        if self.body is not None:
            return self.body
        body: Json = {"message": self.message}
        if self.details:
            body["details"] = self.details
        if self.sent_messages:
            body["sentMessages"] = self.sent_messages
        return body


def invalid_body(details: Sequence[Detail], body: Any = None) -> ApiError:
    """400 with every violation. LINE Messaging API reference, #error-messages.

    What stands inside a Flex message is looked at after all else, and told in another form: by the number of the
    message and JSON pointers into its contents (https://github.com/line/line-bot-sdk-go/issues/657,
    https://github.com/line/line-bot-sdk-python/issues/314).
    """
    inside = [(found, item) for item in details if (found := _in_flex(item, body))]
    if len(inside) < len(details):
        rest = [item for item in details if not _in_flex(item, body)]
        return ApiError(400, f"The request body has {len(rest)} error(s)", rest)
    number = inside[0][0][1]
    told = [_flex_detail(found[2], item) for found, item in inside if found[1] == number]
    return ApiError(400, f"A message (messages[{number}]) in the request body is invalid", told)


def _in_flex(detail: Detail, body: Any) -> re.Match[str] | None:
    found = _CONTENTS.fullmatch(detail["property"])
    if found is None or not isinstance(body, dict):
        return None
    message = body["messages"][int(found[1])]
    return found if message.get("type") == "flex" else None


def _flex_detail(path: str, detail: Detail) -> Detail:
    pointer = path.replace("[", "/").replace("]", "").replace(".", "/")
    # A component of a kind that cannot stand there is meant as a whole.
    pointer = pointer.removesuffix("/type") if pointer.count("/") > 1 else pointer
    kind = "invalid uri scheme" if detail["message"] == "invalid uri" else "invalid property"
    return {"message": kind, "property": pointer}


def invalid_property(name: str) -> ApiError:
    """400 for an id that is not one, with the place of the first offender."""
    return ApiError(400, f"The property, '{name}', in the request body is invalid (line: -, column: -)")


def invalid_parameter(name: str) -> ApiError:
    """400 for a query or path value."""
    return ApiError(400, f"The value for the '{name}' parameter is invalid")


def not_found(message: str = "Not found") -> ApiError:
    """404."""
    return ApiError(404, message)
