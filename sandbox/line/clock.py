"""The sandbox's own time: it can be set, advanced, sped up and frozen."""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta, timezone

JST = timezone(timedelta(hours=9), "JST")


class Clock:
    """Milliseconds since the epoch that run at `rate` times real time, or not at all when frozen."""

    def __init__(self) -> None:
        self.rate = 1.0
        self.frozen = False
        self._base_ms = time.time() * 1000
        self._anchor = time.monotonic()
        self._changed = asyncio.Event()

    def now_ms(self) -> int:
        """The sandbox's time in whole milliseconds since the epoch."""
        return int(self._exact_ms())

    def set(
        self, *, now_ms: float | None = None, rate: float | None = None, frozen: bool | None = None
    ) -> None:
        """Change the time, its speed (> 0) or whether it runs; sleepers are woken to look again."""
        current = self._exact_ms() if now_ms is None else now_ms
        self._base_ms = current
        self._anchor = time.monotonic()
        self.rate = self.rate if rate is None else rate
        self.frozen = self.frozen if frozen is None else frozen
        self._changed.set()
        self._changed = asyncio.Event()

    def advance(self, seconds: float) -> None:
        """Jump forward, also when frozen."""
        self.set(now_ms=self._exact_ms() + seconds * 1000)

    async def sleep(self, seconds: float) -> None:
        """Wait for `seconds` of sandbox time; an advance ends the wait early."""
        await self.sleep_until(self.now_ms() + seconds * 1000)

    async def sleep_until(self, at_ms: float) -> None:
        """Wait until the sandbox's clock shows `at_ms`."""
        while (left_ms := at_ms - self._exact_ms()) > 0:
            changed = self._changed
            timeout = None if self.frozen else left_ms / 1000 / self.rate
            try:
                await asyncio.wait_for(changed.wait(), timeout)
            except TimeoutError:
                continue

    def _exact_ms(self) -> float:
        if self.frozen:
            return self._base_ms
        return self._base_ms + (time.monotonic() - self._anchor) * 1000 * self.rate


def japan_day(at_ms: int) -> str:
    """The day in UTC+9 as yyyyMMdd. LINE Messaging API reference, #get-number-of-multicast-messages."""
    return datetime.fromtimestamp(at_ms / 1000, JST).strftime("%Y%m%d")


def iso_utc(at_ms: int) -> str:
    """ISO 8601 with milliseconds, as LINE writes times in progress answers."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{at_ms % 1000:03d}Z"
