"""One lane of one account: claim the oldest ready batches, as many as its connections can take.

Nothing is kept in memory that the ledger does not know: killing the process at any point leaves a batch
that is ready, claimed or settled.
"""

from __future__ import annotations

import asyncio
from functools import partial

import structlog

from content.clock import monotonic_seconds
from content.ledger import batches
from content.ledger.batches import Batch
from scheduler.batch_sender import LEASE, MAX_WAIT, BatchSender
from scheduler.recipient_cursor import RecipientCursor
from scheduler.rounds import Rounds
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

POLL = 1.0
# Batches that wait ready beside those on their way, half as many at the most: what one process has in flight no
# other sends.
AHEAD = 16
# Seconds that what was cancelled has to say so.
GIVE_UP = 0.5
# Batches whose addresses are read in one go.
TOGETHER = 4


class LaneSender:
    """Claims for `sender`, whose channel has the connections."""

    def __init__(self, context: TownContext, sender: BatchSender, owner: str, rounds: Rounds) -> None:
        self._context = context
        self._rounds = rounds
        self._sender = sender
        self._account, self._lane = sender.account, sender.lane
        self._owner = owner
        # A claim costs the same for one as for many, so it is made for a few at a time.
        self._worth_claiming = max(1, min(TOGETHER, self._ahead))
        self._in_flight: dict[asyncio.Task[None], Batch] = {}
        self._signal = context.database.listen("batches")
        sender.on_connection_free = self._look_again

    async def run(self) -> None:
        while not self._sender.stopping:
            self._rounds.beat(f"sender {self._account.key} {self._lane}")
            free = self._free
            claimed: list[Batch] = []
            try:
                if free >= self._worth_claiming and not self._sender.paused and not self._stands_aside:
                    claimed = await self._claim(free)
            except Exception:
                # A database that is away comes back; the lane must still be here then.
                log.exception("claim_failed", account=self._account.key, lane=self._lane)
                await asyncio.sleep(POLL)
            if claimed:
                self._context.urgent_priority.moved(self._lane)
            for start in range(0, len(claimed), TOGETHER):
                self._begin(claimed[start : start + TOGETHER])
            if not claimed or len(claimed) < free:
                await self._signal.wait_for(POLL)

    @property
    def claims(self) -> list[tuple[int, int]]:
        """(batch id, fence) of what is in flight."""
        return [(claimed.id, claimed.fence) for claimed in self._in_flight.values()]

    @property
    def deliveries(self) -> set[int]:
        """Of which something is in flight."""
        return {claimed.delivery_id for claimed in self._in_flight.values()}

    def stop_delivery(self, delivery_id: int, reason: str) -> None:
        if delivery_id in self.deliveries:
            self._sender.stop_delivery(delivery_id, reason)

    def renewed(self, batch_ids: set[int], since: float) -> None:
        """The leases of these were lengthened at `since` (monotonic seconds)."""
        for claimed in self._in_flight.values():
            if claimed.id in batch_ids:
                self._sender.leased(claimed, since)

    async def stop(self, within: float) -> None:
        """Claim nothing more; what is in flight ends at its next part, or is cancelled after `within` seconds."""
        self._sender.stopping = True
        self._signal.set()
        if self._in_flight:
            _, unfinished = await asyncio.wait(set(self._in_flight), timeout=within)
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished, timeout=GIVE_UP)
        await self._sender.close()

    @property
    def _stands_aside(self) -> bool:
        return self._context.database.stands_aside

    @property
    def _free(self) -> int:
        """How many more may be in flight. What is only being recorded is on its way out."""
        sender = self._sender
        return sender.at_once + self._ahead - len(self._in_flight) + sender.being_recorded

    @property
    def _ahead(self) -> int:
        return min(AHEAD, self._sender.at_once // 2)

    def _look_again(self) -> None:
        if self._free >= self._worth_claiming:
            self._signal.set()

    async def _claim(self, most: int) -> list[Batch]:
        since = monotonic_seconds()
        claimed = await self._context.database.write_step(
            partial(
                batches.claim,
                account=self._account.key,
                lane=self._lane,
                owner=self._owner,
                now=self._context.database.now(),
                lease=LEASE,
                most=most,
            ),
            max_wait=MAX_WAIT if self._in_flight else 0.0,
        )
        for one in claimed:
            self._sender.leased(one, since)
        if self._sender.stopping:
            # `stop` came while the ledger was asked, and has seen nothing in flight.
            await asyncio.gather(*(self._sender.requeue(one) for one in claimed))
            return []
        return claimed

    def _begin(self, claimed: list[Batch]) -> None:
        cursors: asyncio.Task[dict[int, RecipientCursor]] = asyncio.create_task(
            self._sender.open_cursors(claimed)
        )
        # Whoever waits for it hears of an error; whoever gave up before has one of its own.
        cursors.add_done_callback(lambda done: done.cancelled() or done.exception())
        for one in claimed:
            task = asyncio.create_task(self._sender.send(one, cursors))
            self._in_flight[task] = one
            task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        done = self._in_flight.pop(task)
        still_out = any(other.delivery_id == done.delivery_id for other in self._in_flight.values())
        self._sender.forget(done, delivery_too=not still_out)
        self._look_again()
