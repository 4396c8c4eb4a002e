"""What is urgent goes first also where lanes share nothing but this machine."""

from __future__ import annotations

import asyncio

from content.ledger.states import Lane

# How long after the last step of an urgent send the other lanes still hold back. An urgent send that is
# stuck makes no steps, so it holds nobody.
HOLD_BACK = 0.25


class UrgentPriority:
    """Lanes have connections and limits of their own, but one processor and one disk."""

    def __init__(self) -> None:
        self._until = 0.0

    def moved(self, lane: str) -> None:
        """Something of this lane was claimed or written down."""
        if lane == Lane.URGENT:
            self._until = asyncio.get_running_loop().time() + HOLD_BACK

    @property
    def is_urgent_moving(self) -> bool:
        return self._until > asyncio.get_running_loop().time()

    async def give_way(self, lane: str) -> None:
        """Wait for as long as an urgent send makes progress."""
        while lane != Lane.URGENT and self.is_urgent_moving:  # noqa: ASYNC110 - what ends it is that nothing comes
            await asyncio.sleep(HOLD_BACK / 5)
