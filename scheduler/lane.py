"""One lane of one account at work: claim the oldest ready batches, hand each to the channel, settle the outcome.

Nothing is held in memory that the ledger does not know: killing the process at any point leaves a batch
that is ready, claimed or settled.
"""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from functools import partial

import structlog

from channels.channel import (
    AccountStopped,
    Channel,
    ChannelError,
    DeliveryStopped,
    Part,
    TemporaryFailure,
)
from channels.reasons import Reason
from content.clock import SECOND, now_ms
from content.keys import KeyFileError
from content.ledger import batches
from content.ledger.batches import Batch
from content.ledger.states import BatchKind, BatchState, Lane
from content.town import Account
from scheduler import failures
from scheduler.failures import later, refuse_too_late, write_failure
from scheduler.messages import Message, Messages
from scheduler.rate_limiter import RateLimiter
from scheduler.recipient_cursor import Progress, RecipientCursor, open_cursors
from scheduler.town_context import BUDGET, TownContext

log = structlog.get_logger(__name__)

POLL = 1.0
# Renewed while a batch is in flight (`sender`), so it is short: what a dead process held is free again soon.
LEASE = 15 * SECOND
# Which part of an account's connections a lane may use beside the others.
SHARE: dict[str, float] = {Lane.URGENT: 1.0, Lane.ROUTINE: 1.0, Lane.DIGEST: 0.25}
# Batches that wait ready beside those on their way, half as many at the most: what one process has in flight no
# other sends.
AHEAD = 16
# Batches whose addresses are read in one go.
TOGETHER = 4
# Seconds that a record may wait for others to be committed with. What is not written down yet may go out
# a second time after a crash, so only where that is harmless.
MAX_WAIT = 0.02


class LaneSender:
    """One lane of one account, with connections of its own."""

    def __init__(
        self, context: TownContext, account: Account, lane: str, owner: str, limiter: RateLimiter
    ) -> None:
        self._context = context
        self._account = account
        self._lane = lane
        self._owner = owner
        self._limiter = limiter
        self._urgent_priority = context.urgent_priority
        self._channel: Channel = context.open_channel(account)
        self._connections = asyncio.Semaphore(self._at_once)
        # A claim costs the same for one as for many, so it is made for a few at a time.
        self._worth_claiming = max(1, min(TOGETHER, self._ahead))
        self._in_flight: dict[asyncio.Task[None], Batch] = {}
        # Of those in flight: sent to the end, and their connection free for the next.
        self._being_recorded = 0
        self._stopping = False
        self._paused_until = 0.0
        # Why deliveries were stopped while other batches of theirs were in flight.
        self._stopped: dict[int, DeliveryStopped] = {}
        self._signal = context.database.listen("batches")
        self._messages = Messages(context, self._channel)

    @property
    def _at_once(self) -> int:
        return max(1, round(self._channel.concurrency * SHARE[self._lane]))

    async def run(self) -> None:
        while not self._stopping:
            free = self._free
            claimed: list[Batch] = []
            try:
                if free >= self._worth_claiming and not self._paused:
                    claimed = await self._claim(free)
            except Exception:
                # A database that is away comes back; the lane must still be here then.
                log.exception("claim_failed", account=self._account.key, lane=self._lane)
                await asyncio.sleep(POLL)
            if claimed:
                self._urgent_priority.moved(self._lane)
            for start in range(0, len(claimed), TOGETHER):
                self._begin(claimed[start : start + TOGETHER])
            if not claimed or len(claimed) < free:
                await self._signal.wait_for(POLL)

    @property
    def _free(self) -> int:
        """How many more may be in flight. What is only being recorded is on its way out."""
        return self._at_once + self._ahead - len(self._in_flight) + self._being_recorded

    @property
    def _ahead(self) -> int:
        return min(AHEAD, self._at_once // 2)

    def _look_again(self) -> None:
        if self._free >= self._worth_claiming:
            self._signal.set()

    @property
    def claims(self) -> list[tuple[int, int]]:
        """(batch id, fence) of what is in flight."""
        return [(claimed.id, claimed.fence) for claimed in self._in_flight.values()]

    async def stop(self, within: float) -> None:
        self._stopping = True
        self._signal.set()
        if self._in_flight:
            _, unfinished = await asyncio.wait(set(self._in_flight), timeout=within)
            for task in unfinished:
                task.cancel()
            if unfinished:
                await asyncio.wait(unfinished, timeout=within)
        await self._channel.close()

    @property
    def _paused(self) -> bool:
        """Whether the account was found stopped a moment ago: asking on would look like an attack."""
        return asyncio.get_running_loop().time() < self._paused_until

    def _done(self, task: asyncio.Task[None]) -> None:
        done = self._in_flight.pop(task)
        if all(other.delivery_id != done.delivery_id for other in self._in_flight.values()):
            self._stopped.pop(done.delivery_id, None)
        self._look_again()

    async def _claim(self, most: int) -> list[Batch]:
        claimed = await self._context.database.write_step(
            partial(
                batches.claim,
                account=self._account.key,
                lane=self._lane,
                owner=self._owner,
                now=now_ms(),
                lease=LEASE,
                most=most,
            ),
            max_wait=MAX_WAIT if self._in_flight else 0.0,
        )
        if self._stopping:
            # `stop` came while the ledger was asked, and has seen nothing in flight.
            await asyncio.gather(*(self._requeue(one) for one in claimed))
            return []
        return claimed

    async def _requeue(self, claimed: Batch) -> None:
        state = BatchState.UNKNOWN if claimed.maybe_sent else BatchState.READY
        await self._context.database.write_step(
            partial(batches.requeue, claimed=claimed, state=state, reason="", not_before=0)
        )

    def _begin(self, claimed: list[Batch]) -> None:
        cursors = asyncio.create_task(self._open_cursors(claimed))
        # Whoever waits for it hears of an error; whoever gave up before has one of its own.
        cursors.add_done_callback(lambda done: done.cancelled() or done.exception())
        for one in claimed:
            task = asyncio.create_task(self._work(one, cursors))
            self._in_flight[task] = one
            task.add_done_callback(self._done)

    async def _work(self, claimed: Batch, cursors: asyncio.Task[dict[int, RecipientCursor]]) -> None:
        try:
            await self._send(claimed, cursors)
        except Exception as error:
            await self._settle_failure(claimed, error)

    async def _send(self, claimed: Batch, cursors: asyncio.Task[dict[int, RecipientCursor]]) -> None:
        refuse_too_late(claimed, claimed.created_at + BUDGET[claimed.lane], now_ms())
        message = await self._messages.get(claimed.delivery_id, claimed.language)
        refuse_too_late(claimed, message.send_until, now_ms())
        cursor = None if claimed.kind == BatchKind.BROADCAST else await self._cursor(claimed, cursors)
        if cursor is not None and not cursor.sendable:
            await self._record(claimed, cursor.advance(Part(0)))
            return
        async with AsyncExitStack() as connection:
            await connection.enter_async_context(self._connections)
            await self._urgent_priority.give_way(self._lane)
            if not await self._still_ours(claimed):
                log.warning("lease_lost", batch=claimed.id)
                return
            await self._limiter.acquire(self._lane)
            if claimed.delivery_id in self._stopped:
                raise self._stopped[claimed.delivery_id]
            if self._stopping or self._paused:
                await self._requeue(claimed)
            elif cursor is None:
                await self._broadcast(claimed, message)
            else:
                await self._send_parts(claimed, message, cursor, connection)

    async def _still_ours(self, claimed: Batch) -> bool:
        """Whether a batch that waited in flight may begin: its lease may have run out, or the database be away.

        Asked where a second sending would arrive: LINE's retry keys see to that by themselves.
        """
        if self._channel.idempotent:
            return True
        return await self._context.database.write_step(
            partial(batches.renew_one, claimed=claimed, until=now_ms() + LEASE)
        )

    async def _cursor(
        self, claimed: Batch, cursors: asyncio.Task[dict[int, RecipientCursor]]
    ) -> RecipientCursor:
        try:
            return (await asyncio.shield(cursors))[claimed.id]
        except KeyFileError:
            # Perhaps another's: who cannot be reached holds nobody else back.
            return (await self._open_cursors([claimed]))[claimed.id]

    async def _open_cursors(self, claimed: list[Batch]) -> dict[int, RecipientCursor]:
        """By batch id; a broadcast needs none."""
        lists = [one for one in claimed if one.kind == BatchKind.LIST]
        if not lists:
            return {}
        return await self._context.database.read_step(
            partial(
                open_cursors,
                keys=self._context.keys,
                lists=lists,
                # LINE's keys cover a list: who blocked us since stays in it, which costs nothing there.
                with_left=self._channel.idempotent,
            )
        )

    async def _broadcast(self, claimed: Batch, message: Message) -> None:
        await self._channel.broadcast(message.announced, claimed.retry_key)  # type: ignore[attr-defined]
        await self._context.database.write_step(partial(batches.accept_all, claimed=claimed, now=now_ms()))

    async def _send_parts(
        self, claimed: Batch, message: Message, cursor: RecipientCursor, connection: AsyncExitStack
    ) -> None:
        parts = self._channel.send(message.prepared, cursor.sendable, claimed.retry_key)
        async with aclosing(parts):  # type: ignore[type-var]
            async for part in parts:
                progress = cursor.advance(part)
                if cursor.finished and self._channel.idempotent:
                    # The next may go while the disk takes its time for this one. Not by mail: there what is
                    # not written down yet may arrive twice, so the next has to wait.
                    await connection.aclose()
                    self._being_recorded += 1
                    self._look_again()
                    connection.callback(self._recorded)
                if not await self._record(claimed, progress):
                    log.warning("lease_lost", batch=claimed.id)
                    return
                self._urgent_priority.moved(self._lane)
                await self._urgent_priority.give_way(self._lane)

    def _recorded(self) -> None:
        self._being_recorded -= 1

    async def _record(self, claimed: Batch, progress: Progress) -> bool:
        now = now_ms()
        deferred, given_up = later(claimed, progress.deferred, now)
        return await self._context.database.write_step(
            partial(
                batches.record_part,
                claimed=claimed,
                since=progress.since,
                position=progress.position,
                accepted=progress.accepted,
                refused=(*progress.refused, *given_up),
                later=deferred,
                now=now,
                lease=LEASE,
            ),
            max_wait=MAX_WAIT if self._channel.idempotent else 0.0,
        )

    async def _settle_failure(self, claimed: Batch, error: Exception) -> None:
        reason = error.reason if isinstance(error, ChannelError) else Reason.INTERNAL
        about = {"batch": claimed.id, "account": claimed.account, "attempt": claimed.attempt}
        log.warning("batch_failed", **about, reason=reason, error=type(error).__name__)
        if isinstance(error, AccountStopped):
            self._paused_until = asyncio.get_running_loop().time() + failures.STOPPED_ACCOUNT_WAIT / SECOND
        # Broadcasts have a limit of their own, which says nothing about the lists.
        of_lists = claimed.kind == BatchKind.LIST
        if isinstance(error, TemporaryFailure) and error.reason == Reason.RATE and of_lists:
            self._limiter.slow_down(error.retry_after)
        if isinstance(error, DeliveryStopped):
            self._stopped[claimed.delivery_id] = error
        try:
            await self._context.database.write_step(
                partial(write_failure, claimed=claimed, error=error, reason=reason, now=now_ms())
            )
        except Exception:
            # The ledger could not be written: the lease runs out and the sweep takes over.
            log.exception("settle_failed", batch=claimed.id)
