"""How fast one account may be used: a token bucket in which urgent turns come first."""

from __future__ import annotations

import asyncio

YIELD_TO_URGENT = 0.02


class Pace:
    """`rate` turns per second, None for no limit. A tenth of a second's worth may go in one burst."""

    def __init__(self, rate: float | None) -> None:
        self._rate = rate
        self._next = 0.0
        self._urgent_waiting = 0

    async def turn(self, lane: str) -> None:
        """Wait for a turn. While an urgent lane waits, no other lane gets one."""
        if self._rate is None:
            return
        urgent = lane == "urgent"
        self._urgent_waiting += urgent
        try:
            while not self._take(urgent):  # noqa: ASYNC110 - a bucket fills by time, not by an event
                await asyncio.sleep(max(self._delay(), YIELD_TO_URGENT if not urgent else 0.0))
        finally:
            self._urgent_waiting -= urgent

    def _take(self, urgent: bool) -> bool:
        assert self._rate is not None
        if self._urgent_waiting and not urgent:
            return False
        now = asyncio.get_running_loop().time()
        self._next = max(self._next, now - 0.1)
        if self._next > now:
            return False
        self._next += 1 / self._rate
        return True

    def _delay(self) -> float:
        return max(0.0, self._next - asyncio.get_running_loop().time())
