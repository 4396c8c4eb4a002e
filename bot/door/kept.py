"""Public pages, kept for the seconds for which they call themselves public, packed once for everybody.

An alarm makes everybody open one page at once; the process that sends shows it once in that time.
"""

from __future__ import annotations

import gzip
import hashlib
import re
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from aiohttp import web
from multidict import CIMultiDict

MOST_PAGES = 128
MOST_BYTES = 512 * 1024
LONGEST = 60
# Seconds for which a page is shown in place of an error, when the process behind does not answer.
LAST_RESORT = 600
MAX_AGE = re.compile(r"public, max-age=([0-9]{1,6})")
# Of these nothing depends on who asks, so the door asks in its own name, ahead of visitors.
SHARED = ("/n/", "/archive", "/feeds/", "/cap/", "/opendata/", "/static/")
# What a link was given on its way (fbclid, utm_source) makes no other page of it.
WITHOUT_QUERY = ("/n/", "/cap/", "/opendata/")
PACKED = re.compile(r"text/|application/(json|xml|javascript|[a-z.-]+\+(xml|json))|image/svg")
WORTH_PACKING = 512
# A compressed answer is another sequence of bytes under the same address.
VARY = "Accept-Encoding"


def is_shared(path: str) -> bool:
    return path.startswith(SHARED)


def kept_as(raw: str) -> str:
    """Under which name a path and its query are kept."""
    return raw.partition("?")[0] if raw.startswith(WITHOUT_QUERY) else raw


@dataclass(frozen=True, slots=True)
class KeptPage:
    """One page, plain and packed (None when that makes it no smaller); `fresh` are seconds, `since` the clock's.

    `wire` is the packed answer with its head.
    """

    since: float
    fresh: float
    body: bytes
    packed: bytes | None
    headers: CIMultiDict[str]
    packed_headers: CIMultiDict[str]
    etag: str
    wire: bytes | None

    def answer(self, asked: Mapping[str, str]) -> web.Response:
        """For these request headers: packed if they take that, without the page if they have it."""
        if self._is_known(asked):
            return web.Response(status=304, headers=self.headers)
        if self.packed is not None and _takes_gzip(asked.get("Accept-Encoding", "")):
            return web.Response(body=self.packed, headers=self.packed_headers)
        return web.Response(body=self.body, headers=self.headers)

    def _is_known(self, asked: Mapping[str, str]) -> bool:
        known = asked.get("If-None-Match")
        if known is not None:
            return known.strip() == "*" or self.etag in (tag.strip() for tag in known.split(","))
        since = asked.get("If-Modified-Since")
        return since is not None and since == self.headers.get("Last-Modified")


class Kept:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pages: OrderedDict[str, KeptPage] = OrderedDict()

    def find(self, name: str) -> KeptPage | None:
        """While it is fresh."""
        page = self._pages.get(name)
        return page if page is not None and self.age(page) < page.fresh else None

    def find_old(self, name: str) -> KeptPage | None:
        """Also when it is no longer fresh, as long as it is better than an error."""
        page = self._pages.get(name)
        if page is None or self.age(page) > LAST_RESORT:
            return None
        # The page that everybody opens is not pushed out by addresses that somebody makes up.
        self._pages.move_to_end(name)
        return page

    def age(self, page: KeptPage) -> float:
        return self._clock() - page.since

    def keep(self, name: str, answer: web.Response) -> KeptPage | None:
        """If it says that it may be kept, and for no longer. An error inside leaves what was there."""
        found = MAX_AGE.fullmatch(answer.headers.get("Cache-Control", ""))
        body = answer.body
        if answer.status >= 500:
            return None
        if (
            answer.status != 200
            or not found
            or "Set-Cookie" in answer.headers
            or not isinstance(body, bytes)
            or len(body) > MOST_BYTES
        ):
            self._pages.pop(name, None)
            return None
        page = self._pages[name] = _pack(self._clock(), min(int(found[1]), LONGEST), body, answer.headers)
        self._pages.move_to_end(name)
        if len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)
        return page


def _pack(now: float, fresh: float, body: bytes, given: Mapping[str, str]) -> KeptPage:
    headers = CIMultiDict(given)
    # Weak: plain and packed are the same page.
    etag = headers["ETag"] = f'W/"{hashlib.sha256(body).hexdigest()[:24]}"'
    packed = None
    if len(body) >= WORTH_PACKING and PACKED.match(headers.get("Content-Type", "")):
        headers["Vary"] = VARY
        shorter = gzip.compress(body, 9, mtime=0)
        packed = shorter if len(shorter) < len(body) else None
    packed_headers = headers.copy()
    packed_headers["Content-Encoding"] = "gzip"
    wire = None if packed is None else _wire(packed_headers, packed)
    return KeptPage(now, fresh, body, packed, headers, packed_headers, etag, wire)


def _wire(headers: Mapping[str, str], body: bytes) -> bytes:
    lines = [*(f"{name}: {value}" for name, value in headers.items()), f"Content-Length: {len(body)}"]
    return "\r\n".join(["HTTP/1.1 200 OK", *lines, "", ""]).encode("latin-1") + body


def _takes_gzip(accepted: str) -> bool:
    for part in accepted.lower().split(","):
        coding, _, quality = part.partition(";")
        if coding.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
