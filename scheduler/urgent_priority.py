"""What is urgent goes first also where lanes share nothing but this machine; so does an answer that somebody waits for."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from content.ledger.states import Lane

# How long after the last step of an urgent send the other lanes still hold back. An urgent send that is
# stuck makes no steps, so it holds nobody.
HOLD_BACK = 0.25
# Seconds that work which can wait makes room for answers before its next step: a flood of questions slows it
# and never ends it.
MAKE_ROOM = 0.1


class UrgentPriority:
    """Lanes have connections and limits of their own, but one processor and one disk."""

    def __init__(self) -> None:
        self._until = 0.0
        self._answering = 0
        self._nobody_waits = asyncio.Event()
        self._nobody_waits.set()

    def moved(self, lane: str) -> None:
        """Something of this lane was claimed or written down."""
        if lane == Lane.URGENT:
            self._until = asyncio.get_running_loop().time() + HOLD_BACK

    @property
    def is_urgent_moving(self) -> bool:
        return self._until > asyncio.get_running_loop().time()

    @contextmanager
    def answering(self) -> Iterator[None]:
        """Meanwhile a service outside waits, and counts long answers as a failure of ours."""
        self._answering += 1
        self._nobody_waits.clear()
        try:
            yield
        finally:
            self._answering -= 1
            if not self._answering:
                self._nobody_waits.set()

    async def give_way(self, lane: str) -> None:
        """Wait for as long as an urgent send makes progress, then make room for answers. Urgent lanes do neither."""
        if lane == Lane.URGENT:
            return
        while self.is_urgent_moving:  # noqa: ASYNC110 - what ends it is that nothing comes
            await asyncio.sleep(HOLD_BACK / 5)
        await self.make_room()

    async def make_room(self) -> None:
        """Before a step that can wait."""
        if self._answering:
            with suppress(TimeoutError):
                async with asyncio.timeout(MAKE_ROOM):
                    await self._nobody_waits.wait()
