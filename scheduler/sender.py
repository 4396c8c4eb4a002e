"""The sender: every lane of every account side by side, and the leases of what they have in flight.

Each lane has its own claims, connections and slots, so one clogged channel or a large routine campaign
delays only itself.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from content.clock import now_ms
from content.ledger import batches
from scheduler.lane import LEASE, LaneSender
from scheduler.rate_limiter import RateLimiter
from scheduler.town_context import LANES, TownContext

log = structlog.get_logger(__name__)

RENEW_EVERY = 4.0


class Sender:
    """Sends for every account of the town until `stop`. `limiters` by account are for all its lanes."""

    def __init__(self, context: TownContext, owner: str) -> None:
        self._context = context
        self.limiters = {
            account.key: RateLimiter(context.open_channel(account).rate) for account in context.town.accounts
        }
        self._lanes = [
            LaneSender(context, account, lane, owner, self.limiters[account.key])
            for account in context.town.accounts
            for lane in LANES
        ]

    async def run(self) -> None:
        renewing = asyncio.create_task(self._renew_leases())
        try:
            await asyncio.gather(*(lane.run() for lane in self._lanes))
        finally:
            renewing.cancel()

    async def stop(self, within: float) -> None:
        """Claim nothing more, let what is in flight finish for `within` seconds, close connections."""
        await asyncio.gather(*(lane.stop(within) for lane in self._lanes))

    async def _renew_leases(self) -> None:
        while True:
            await asyncio.sleep(RENEW_EVERY)
            claims = [claim for lane in self._lanes for claim in lane.claims]
            if not claims:
                continue
            try:
                await self._context.database.write_step(
                    partial(batches.renew, claims=claims, until=now_ms() + LEASE)
                )
            except Exception:
                # Without renewal the leases run out, and the fence keeps a late owner from settling.
                log.exception("leases_not_renewed", batches=len(claims))
