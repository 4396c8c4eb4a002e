"""Answers of the API: what a handler returns and what it raises."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

Json = dict[str, Any]
Detail = dict[str, str]


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


def invalid_body(details: Sequence[Detail]) -> ApiError:
    """400 with every violation. LINE Messaging API reference, #error-messages."""
    return ApiError(400, f"The request body has {len(details)} error(s)", details)


def invalid_property(name: str) -> ApiError:
    """400 for an id that is not one, with the place of the first offender."""
    return ApiError(400, f"The property, '{name}', in the request body is invalid (line: -, column: -)")


def invalid_parameter(name: str) -> ApiError:
    """400 for a query or path value."""
    return ApiError(400, f"The value for the '{name}' parameter is invalid")


def not_found(message: str = "Not found") -> ApiError:
    """404."""
    return ApiError(404, message)
