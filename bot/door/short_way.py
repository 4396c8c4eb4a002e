"""The short way: a plain question for a page that is kept and packed, answered from the bytes that came.

On it a page costs a third of the time, which the machine needs for sending. Whatever is not the most ordinary
question of a browser, and every later question of the same connection, goes the long way through the parser.
"""

from __future__ import annotations

import re

from bot.door.kept import is_shared, kept_as
from bot.door.renewal import Renewal

LONGEST = 4096
# One whole head and nothing behind it. Signs that could be read in two ways stand in neither path nor headers.
HEAD = re.compile(rb"GET (/[A-Za-z0-9/._?&=-]*) HTTP/1\.1\r\n((?:[A-Za-z0-9-]+:[ -~]*\r\n)+)\r\n")
# These ask for more than the page: a part of it, nothing if it is known, the end of the connection.
MORE = re.compile(
    rb"(?:^|\n)(?:content-|transfer-|if-|(?:range|authorization|expect|upgrade|te|trailer):"
    rb"|connection:(?! *keep-alive\r))"
)
HOST = re.compile(rb"(?:^|\n)host:")
PACKED = re.compile(rb"(?:^|\n)accept-encoding:[^\r]*\bgzip\b(?! *;)")


class ShortWay:
    def __init__(self, renewal: Renewal) -> None:
        self._renewal = renewal

    def answer(self, data: bytes) -> bytes | None:
        """The whole answer on the wire, or None when the question has to go the long way."""
        if len(data) > LONGEST:
            return None
        found = HEAD.fullmatch(data)
        if found is None:
            return None
        raw = found[1].decode()
        if not is_shared(raw):
            return None
        headers = found[2].lower()
        if MORE.search(headers) or len(HOST.findall(headers)) != 1 or not PACKED.search(headers):
            return None
        page = self._renewal.page_at_once(kept_as(raw))
        return page.wire if page is not None else None
