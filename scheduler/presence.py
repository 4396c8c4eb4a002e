"""The heart-beat of a sender process: it says that it is alive and hears how many share the accounts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import structlog

from content.database import Database
from content.keys import Keys
from content.ledger import presence
from scheduler.clock_watch import tick

log = structlog.get_logger(__name__)

BEAT = 3.0
LEAVE_WITHIN = 0.5
TOPIC = "senders"


async def tell_keys(database: Database, owner: str, keys: Keys, stop: asyncio.Event) -> None:
    """On SQLite, where nobody else sends: only while keys change is it of interest which ones this process holds."""
    while await tick(BEAT, stop):
        if not keys.is_changing:
            continue
        try:
            async with database.write() as connection:
                await presence.renew(connection, owner, database.now(), keys.numbers)
        except Exception as error:
            log.warning("keys_not_told", error=type(error).__name__)


class Presence:
    """`start` before anything is sent: the others are told at once, and `share(number)` is called.

    Then `share` is called at every beat, so that the part of a process that died (its row is 15 s old)
    goes to the others within 20 s.
    """

    def __init__(self, database: Database, owner: str, share: Callable[[int], None], keys: Keys) -> None:
        self._database = database
        self._keys = keys
        self._owner = owner
        self._share = share
        self._signal = database.listen(TOPIC)
        self._beating: asyncio.Task[None] | None = None

    async def start(self) -> None:
        await self._beat(wake=TOPIC)
        self._beating = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """Leave the rate to the others."""
        if self._beating is None:
            return
        self._beating.cancel()
        await asyncio.gather(self._beating, return_exceptions=True)
        self._beating = None
        try:
            async with asyncio.timeout(LEAVE_WITHIN), self._database.write(wake=TOPIC) as connection:
                await presence.leave(connection, self._owner)
        except Exception:
            # The row grows old by itself.
            log.exception("presence_not_left")

    async def _run(self) -> None:
        while True:
            await self._signal.wait_for(BEAT)
            try:
                await self._beat()
            except Exception:
                # Without the database nothing is claimed either, so the part may stay as it was.
                log.exception("presence_not_renewed")
                await asyncio.sleep(BEAT)

    async def _beat(self, wake: str | None = None) -> None:
        async with self._database.write(wake=wake) as connection:
            number = await presence.renew(connection, self._owner, self._database.now(), self._keys.numbers)
        self._share(number)
