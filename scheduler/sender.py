"""The sender: every lane of every account side by side, and the leases of what they have in flight.

Each lane has its own claims, connections and slots, so one clogged channel or a large routine campaign
delays only itself.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from content.clock import monotonic_seconds
from content.ledger import leases, stopping
from scheduler.batch_sender import LEASE, BatchSender
from scheduler.lane import LaneSender
from scheduler.outages import KnownOutages
from scheduler.rate_limiter import RateLimiter
from scheduler.rounds import Rounds
from scheduler.town_context import LANES, TownContext

log = structlog.get_logger(__name__)

RENEW_EVERY = 2.5
# Seconds between two looks for deliveries that a person has stopped, should the signal be lost.
LOOK_FOR_STOPS = 1.0


class Sender:
    """Sends for every account of the town until `stop`. `limiters` by account are for all its lanes."""

    def __init__(self, context: TownContext, owner: str, rounds: Rounds | None = None) -> None:
        self._context = context
        self._rounds = rounds or Rounds()
        self._outages = KnownOutages()
        self.limiters = {
            account.key: RateLimiter(context.channel_of(account).rate) for account in context.town.accounts
        }
        self._lanes = [
            LaneSender(
                context,
                BatchSender(context, account, lane, self.limiters[account.key], self._outages),
                owner,
                self._rounds,
            )
            for account in context.town.accounts
            for lane in LANES
        ]

    async def run(self) -> None:
        await self._look()
        beside = [asyncio.create_task(self._look_after()), asyncio.create_task(self._heed_stops())]
        try:
            await asyncio.gather(*(lane.run() for lane in self._lanes))
        finally:
            for task in beside:
                task.cancel()

    async def stop(self, within: float) -> None:
        """Claim nothing more, let what is in flight end at its next part, close connections."""
        await asyncio.gather(*(lane.stop(within) for lane in self._lanes))

    @property
    def is_sending(self) -> bool:
        return any(lane.claims for lane in self._lanes)

    async def renew_leases(self) -> None:
        """Lengthen the leases of everything in flight that nobody else has taken."""
        claims = [claim for lane in self._lanes for claim in lane.claims]
        if not claims:
            return
        since = monotonic_seconds()
        renewed = await self._context.database.write_step(
            partial(leases.renew, claims=claims, until=self._context.database.now() + LEASE)
        )
        for lane in self._lanes:
            lane.renewed(renewed, since)

    async def _look_after(self) -> None:
        while True:
            self._rounds.beat("leases", pause=RENEW_EVERY)
            await asyncio.sleep(RENEW_EVERY)
            await self._look()

    async def _heed_stops(self) -> None:
        """What a person stopped must not go on in a batch that is in flight here."""
        signal = self._context.database.listen("triggers")
        while True:
            self._rounds.beat("stops", pause=LOOK_FOR_STOPS)
            await signal.wait_for(LOOK_FOR_STOPS)
            in_flight = set().union(*(lane.deliveries for lane in self._lanes))
            if not in_flight:
                continue
            try:
                stopped = await self._context.database.read_step(
                    partial(stopping.find_stopped, delivery_ids=in_flight)
                )
            except Exception:
                log.exception("stops_not_read")
                continue
            for delivery_id, reason in stopped.items():
                for lane in self._lanes:
                    lane.stop_delivery(delivery_id, reason)

    async def _look(self) -> None:
        try:
            await self.renew_leases()
            await self._outages.refresh(self._context.database)
        except Exception:
            # Without renewal the leases run out, and the fence keeps a late owner from settling.
            log.exception("leases_not_renewed")
