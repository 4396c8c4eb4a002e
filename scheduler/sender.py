"""The sender: every lane of every account side by side, and the leases of what they have in hand.

Each lane has its own claims, connections and slots, so one clogged channel or a large routine campaign
delays only itself.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from content import batches
from content.clock import now_ms
from scheduler.lane import LEASE, LaneSender
from scheduler.office import LANES, Office
from scheduler.pace import Pace

log = structlog.get_logger(__name__)

RENEW_EVERY = 4.0


class Sender:
    """Sends for every account of the town until `stop`. `paces` by account are for all its lanes."""

    def __init__(self, office: Office, owner: str) -> None:
        self._office = office
        self.paces = {
            account.key: Pace(office.open_channel(account).rate) for account in office.town.accounts
        }
        self._lanes = [
            LaneSender(office, account, lane, owner, self.paces[account.key])
            for account in office.town.accounts
            for lane in LANES
        ]

    async def run(self) -> None:
        renewing = asyncio.create_task(self._renew_leases())
        try:
            await asyncio.gather(*(lane.run() for lane in self._lanes))
        finally:
            renewing.cancel()

    async def stop(self, within: float) -> None:
        """Claim nothing more, let what is in hand finish for `within` seconds, close connections."""
        await asyncio.gather(*(lane.stop(within) for lane in self._lanes))

    async def _renew_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            claims = [claim for lane in self._lanes for claim in lane.claims]
            if not claims:
                continue
            try:
                await self._office.database.write_step(
                    partial(batches.renew, claims=claims, until=now_ms() + LEASE)
                )
            except Exception:
                # Without renewal the leases run out, and the fence keeps a late owner from settling.
                log.exception("leases_not_renewed", batches=len(claims))
