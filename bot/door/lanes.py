"""Places inside, by kind of request: a flood of one kind waits alone, and most of it is told so early."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from bot.door.limits import LaneLimit


class NoRoom(Exception):
    """Too many are waiting already."""


class Lane:
    def __init__(self, limit: LaneLimit, wait_within: float) -> None:
        self._limit = limit
        self._wait_within = wait_within
        self._places = asyncio.Semaphore(limit.inside)
        self._here: dict[str, int] = {}
        self._total = 0

    @asynccontextmanager
    async def place(self, household: str) -> AsyncIterator[None]:
        """A place inside, in the order of coming. Raises NoRoom."""
        mine = self._here.get(household, 0)
        if self._total >= self._limit.inside + self._limit.waiting or mine >= self._limit.each:
            raise NoRoom
        self._here[household] = mine + 1
        self._total += 1
        try:
            await self._enter()
            try:
                yield
            finally:
                self._places.release()
        finally:
            self._total -= 1
            self._here[household] -= 1
            if not self._here[household]:
                del self._here[household]

    async def _enter(self) -> None:
        try:
            async with asyncio.timeout(self._wait_within):
                await self._places.acquire()
        except TimeoutError as error:
            raise NoRoom from error
