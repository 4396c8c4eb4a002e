"""Kept pages are asked for anew before they are old, by the door itself: a crowd never waits for its own number.

A page is shown for as long as it calls itself fresh. For as long again it is still shown while the door asks
for the next one; whoever comes later waits for that. A correction is on the page within twice its freshness.
"""

from __future__ import annotations

import asyncio

from aiohttp import ClientError, ClientSession, ClientTimeout, web
from multidict import CIMultiDict
from yarl import URL

from bot.door.headers import ONE_HOP
from bot.door.kept import Kept, KeptPage
from bot.door.lanes import Lane, NoRoom
from bot.door.limits import Limits

# Seconds that a visitor waits for the next one where there is an old one to show.
PATIENCE = 2.0


class Renewal:
    def __init__(self, inner: ClientSession, kept: Kept, lane: Lane, limits: Limits) -> None:
        self._inner = inner
        self._kept = kept
        self._lane = lane
        self._limits = limits
        self._asking: dict[str, asyncio.Task[None]] = {}

    def page_at_once(self, name: str) -> KeptPage | None:
        """What may be shown of this path without waiting."""
        page = self._kept.find_old(name)
        if page is None:
            return None
        age = self._kept.age(page)
        if age >= page.fresh:
            self._ask(name)
        return page if age < 2 * page.fresh else None

    async def page(self, name: str) -> KeptPage | None:
        """What may be shown of this path; None when the visitor has to ask for it himself."""
        page = self.page_at_once(name)
        if page is None and self._kept.find_old(name) is not None:
            await asyncio.wait([self._ask(name)], timeout=PATIENCE)
            page = self._kept.find_old(name)
        return page

    def _ask(self, name: str) -> asyncio.Task[None]:
        asking = self._asking.get(name)
        if asking is None:
            asking = self._asking[name] = asyncio.create_task(self._renew(name))
            asking.add_done_callback(lambda _: self._asking.pop(name, None))
        return asking

    async def _renew(self, name: str) -> None:
        """What goes wrong leaves the old page, which is better than an error as long as it is not very old."""
        try:
            async with (
                self._lane.place(""),
                self._inner.get(
                    URL(f"http://pages{name}", encoded=True),
                    allow_redirects=False,
                    timeout=ClientTimeout(total=self._limits.answer_within),
                ) as answer,
            ):
                headers = CIMultiDict(
                    (key, value) for key, value in answer.headers.items() if key.lower() not in ONE_HOP
                )
                self._kept.keep(
                    name, web.Response(status=answer.status, body=await answer.read(), headers=headers)
                )
        except (ClientError, TimeoutError, NoRoom):
            return
