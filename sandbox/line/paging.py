"""Continuation tokens: valid for 24 hours, for the list that issued them."""

from __future__ import annotations

from sandbox.line.call import Call
from sandbox.line.errors import ApiError, invalid_parameter
from sandbox.line.state import Page

_VALID_MS = 24 * 3600 * 1000


def start_of(call: Call, kind: str) -> int:
    """Where the page begins; 0 without a token. Raises 400 `Invalid start param` for a wrong or old one."""
    token = call.query.get("start")
    if not token:
        return 0
    page = call.channel.pages.get(token)
    if page is None or page.kind != kind or call.now_ms >= page.until_ms:
        raise ApiError(400, "Invalid start param")
    return page.offset


def limit_of(call: Call, default: int, maximum: int) -> int:
    """The page size from the query, 1 to `maximum`."""
    given = call.query.get("limit", str(default))
    if not given.isdecimal() or not 1 <= int(given) <= maximum:
        raise invalid_parameter("limit")
    return int(given)


def next_token(call: Call, kind: str, offset: int) -> str:
    """A token for the page that begins at `offset`."""
    token = call.sandbox.ids.alnum(40)
    call.channel.pages[token] = Page(kind, offset, call.now_ms + _VALID_MS)
    return token
