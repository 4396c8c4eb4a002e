"""The machine's own clock beside the shared one: says so when they part, and sees to times that come once more."""

from __future__ import annotations

import asyncio

import structlog

from content.clock import SECOND
from content.ledger.suspensions import open_deliveries
from scheduler.sweeps import forget_times_ahead
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)


class ClockWatch:
    """`look` every few seconds."""

    def __init__(self, context: TownContext) -> None:
        self._context = context
        self._far_off = False

    async def look(self) -> None:
        """Raises what the database raises."""
        database = self._context.database
        was_set_back = await database.ask_time()
        if database.is_sqlite and database.clock.own_is_far_off and await self._nothing_waits():
            # Nothing can become too late by it, and what is planned for a time should come at that time.
            log.warning("clock_was_set", seconds=database.clock.own_is_ahead / SECOND)
            was_set_back = database.clock.follow_own()
        if was_set_back:
            await forget_times_ahead(self._context)
        self._tell()

    async def _nothing_waits(self) -> bool:
        async with self._context.database.read() as connection:
            return not await open_deliveries(connection)

    def _tell(self) -> None:
        clock = self._context.database.clock
        if clock.own_is_far_off == self._far_off:
            return
        self._far_off = clock.own_is_far_off
        if self._far_off:
            log.error(
                "clock_is_far_off",
                seconds=clock.own_is_ahead / SECOND,
                stands_aside=self._context.database.stands_aside,
            )
        else:
            log.warning("clock_is_right_again")


async def tick(seconds: float, stopping: asyncio.Event) -> bool:
    """Wait `seconds` by the monotonic clock; False as soon as it is time to stop."""
    try:
        async with asyncio.timeout(seconds):
            await stopping.wait()
    except TimeoutError:
        return True
    return False
