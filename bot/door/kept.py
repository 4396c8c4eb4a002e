"""Public pages, kept for the seconds for which they call themselves public.

An alarm makes everybody open one page at once; the process that sends shows it once in that time.
"""

from __future__ import annotations

import re
import time
from collections import OrderedDict
from collections.abc import Callable

from aiohttp import web

MOST_PAGES = 128
MOST_BYTES = 512 * 1024
LONGEST = 60
MAX_AGE = re.compile(r"public, max-age=([0-9]{1,6})")


class Kept:
    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._pages: OrderedDict[str, tuple[float, web.Response]] = OrderedDict()

    def find(self, path: str) -> web.Response | None:
        """A new answer with what is kept of this path and query."""
        until, page = self._pages.get(path, (0.0, None))
        if page is None or self._clock() >= until:
            return None
        return web.Response(status=page.status, body=page.body, headers=page.headers)

    def keep(self, path: str, page: web.Response) -> None:
        """If it says that it may be kept, and for no longer."""
        found = MAX_AGE.fullmatch(page.headers.get("Cache-Control", ""))
        size = len(page.body) if isinstance(page.body, bytes) else MOST_BYTES + 1
        if page.status != 200 or not found or "Set-Cookie" in page.headers or size > MOST_BYTES:
            return
        self._pages[path] = (self._clock() + min(int(found[1]), LONGEST), page)
        self._pages.move_to_end(path)
        if len(self._pages) > MOST_PAGES:
            self._pages.popitem(last=False)
