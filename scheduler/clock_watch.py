"""Ticks that a clock set forward or back does not stop, and the news that it was set back."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from content.clock import SECOND, now_ms

# Clocks are corrected by fractions of a second all the time.
WORTH_NOTING = 2 * SECOND


class ClockWatch:
    """Compares the clock on the wall (ms) with one that only runs forward (seconds)."""

    def __init__(
        self, wall: Callable[[], int] = now_ms, steady: Callable[[], float] = time.monotonic
    ) -> None:
        self._wall, self._steady = wall, steady
        self._ahead = self._difference()

    def was_set_back(self) -> bool:
        """Whether the wall's clock went back since the last call."""
        ahead, self._ahead = self._ahead, self._difference()
        return self._ahead < ahead - WORTH_NOTING

    def _difference(self) -> int:
        return self._wall() - round(self._steady() * SECOND)


async def tick(seconds: float, stopping: asyncio.Event) -> bool:
    """Wait `seconds` by the steady clock; False as soon as it is time to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return True
    return False
