"""One claimed batch on its way: a connection, the channel, and each part written down as it is settled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack, aclosing
from functools import partial

import structlog
from sqlalchemy import Connection

from channels.channel import (
    AccountStopped,
    BroadcastSession,
    Channel,
    ChannelError,
    DeliveryStopped,
    Part,
)
from channels.reasons import Reason, find_reason
from content.clock import SECOND, monotonic_seconds
from content.key_file import KeyFileError
from content.ledger import batches
from content.ledger.batches import Batch
from content.ledger.states import BatchKind, BatchState, Lane
from content.town import Account
from scheduler import failures
from scheduler.failures import later, refuse_too_late, write_failure
from scheduler.messages import Message, Messages
from scheduler.outages import KnownOutages
from scheduler.rate_limiter import RateLimiter
from scheduler.recipient_cursor import Progress, RecipientCursor, open_cursors, open_posting_cursors
from scheduler.refused_for_good import heed
from scheduler.town_context import BUDGET, TownContext

log = structlog.get_logger(__name__)

# Renewed while a batch is in flight (`sender`), so it is short: what a dead process had is free again soon.
LEASE = 10 * SECOND
# So many seconds before its end a lease counts as over: nothing more is written to a connection.
LEASE_MARGIN = 1.0
# Which part of an account's connections a lane may use beside the others.
SHARE: dict[str, float] = {Lane.URGENT: 1.0, Lane.ROUTINE: 1.0, Lane.DIGEST: 0.25}
# Seconds that a record may wait for others to be committed with. What is not written down yet may go out
# a second time after a crash, so only where that is harmless.
MAX_WAIT = 0.02
# Seconds that a lane waits at the most while the machine is short of something.
LONGEST_BACK_OFF = 8.0


class BatchSender:
    """What the batches of one lane of one account share on their way: connections, messages, what is known to be stopped."""

    def __init__(
        self,
        context: TownContext,
        account: Account,
        lane: Lane,
        limiter: RateLimiter,
        outages: KnownOutages,
    ) -> None:
        self.account, self.lane = account, lane
        self.stopping = False
        # Of those in flight: sent to the end, and their connection free for the next.
        self.being_recorded = 0
        self.on_connection_free: Callable[[], None] = lambda: None
        self._context = context
        self._limiter = limiter
        self._outages = outages
        self._urgent_priority = context.urgent_priority
        self._channel: Channel = context.channel_of(account)
        self._session = self._channel.open()
        self._connections = asyncio.Semaphore(self.at_once)
        self._messages = Messages(context, self._channel)
        self._paused_until = 0.0
        # Batches in a row that failed because the machine is short of memory, files or space.
        self._shortages = 0
        # Until when (monotonic seconds) nobody else can have taken a batch, by its id.
        self._leases: dict[int, float] = {}
        # Why deliveries were stopped while other batches of theirs were in flight.
        self._stopped: dict[int, DeliveryStopped] = {}

    @property
    def at_once(self) -> int:
        return max(1, round(self._channel.concurrency * SHARE[self.lane]))

    @property
    def paused(self) -> bool:
        """Whether the account was found stopped a moment ago: asking on would look like an attack."""
        return asyncio.get_running_loop().time() < self._paused_until

    async def close(self) -> None:
        await self._session.close()

    def leased(self, claimed: Batch, since: float) -> None:
        """The lease was begun or lengthened by a statement that was sent at `since`."""
        self._leases[claimed.id] = since + LEASE / SECOND - LEASE_MARGIN

    def forget(self, claimed: Batch, *, delivery_too: bool) -> None:
        self._leases.pop(claimed.id, None)
        if delivery_too:
            self._stopped.pop(claimed.delivery_id, None)

    def stop_delivery(self, delivery_id: int, reason: str) -> None:
        """A person stopped it: what is on the wire ends, and no more of it is written to a connection."""
        self._stopped.setdefault(delivery_id, DeliveryStopped(find_reason(reason), "配信を止めました。"))

    async def requeue(self, claimed: Batch) -> bool:
        """Requeue it: nothing of the rest is on its way. False when somebody else has it by now."""
        state = BatchState.UNKNOWN if claimed.maybe_sent else BatchState.READY
        step = partial(batches.requeue, claimed=claimed, state=state, reason="", not_before=0)
        return await self._context.database.write_step(partial(step, now=self._context.database.now()))

    async def open_cursors(self, claimed: list[Batch]) -> dict[int, RecipientCursor]:
        """By batch id; a broadcast needs none."""
        lists = [one for one in claimed if one.kind == BatchKind.LIST]
        if not lists:
            return {}
        if self._channel.posts:
            return await self._context.database.read_step(partial(open_posting_cursors, lists=lists))
        # LINE's keys cover a list: who blocked us since stays in it, which costs nothing there.
        opening = partial(open_cursors, keys=self._context.keys, with_left=self._channel.idempotent)
        return await self._context.database.read_step(partial(opening, lists=lists))

    async def send(self, claimed: Batch, cursors: asyncio.Task[dict[int, RecipientCursor]]) -> None:
        """Send it and write down what became of it, whatever happens."""
        self._context.exchanges.listen(claimed.delivery_id)
        try:
            await self._send(claimed, cursors)
        except Exception as error:
            await self._settle_failure(claimed, error)

    async def _send(self, claimed: Batch, cursors: asyncio.Task[dict[int, RecipientCursor]]) -> None:
        refuse_too_late(claimed, claimed.created_at + BUDGET[claimed.lane], self._context.database.now())
        message = await self._messages.get(claimed.delivery_id, claimed.language, claimed.carries)
        refuse_too_late(claimed, message.send_until, self._context.database.now())
        cursor = None if claimed.kind == BatchKind.BROADCAST else await self._cursor(claimed, cursors)
        if cursor is not None and not cursor.sendable:
            await self._record(claimed, cursor.advance(Part(0)))
            return
        async with AsyncExitStack() as connection:
            await connection.enter_async_context(self._connections)
            await self._urgent_priority.give_way(self.lane)
            if not await self._still_ours(claimed):
                log.warning("lease_lost", batch=claimed.id)
                return
            await self._limiter.acquire(self.lane)
            if claimed.delivery_id in self._stopped:
                raise self._stopped[claimed.delivery_id]
            if self.stopping or self.paused:
                await self.requeue(claimed)
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
        since = monotonic_seconds()
        ours = await self._context.database.write_step(
            partial(batches.renew_one, claimed=claimed, until=self._context.database.now() + LEASE)
        )
        self.leased(claimed, since)
        return ours

    def _may_go_on(self, claimed: Batch) -> bool:
        """Whether more of a batch may be written to a connection.

        A process that stood still for longer than its lease must not send what another has taken over.
        """
        stopped = self.stopping or claimed.delivery_id in self._stopped
        return not stopped and monotonic_seconds() < self._leases[claimed.id]

    async def _cursor(
        self, claimed: Batch, cursors: asyncio.Task[dict[int, RecipientCursor]]
    ) -> RecipientCursor:
        try:
            return (await asyncio.shield(cursors))[claimed.id]
        except KeyFileError:
            # Perhaps another's: who cannot be reached holds nobody else back.
            return (await self.open_cursors([claimed]))[claimed.id]

    async def _broadcast(self, claimed: Batch, message: Message) -> None:
        if not isinstance(self._session, BroadcastSession):
            raise TypeError(f"channel {self._channel.name} has a broadcast to send, and no session that can")
        await self._session.broadcast(message.announced, claimed.retry_key)
        await self._write_acceptance(
            partial(batches.accept_all, claimed=claimed, now=self._context.database.now())
        )

    async def _send_parts(
        self, claimed: Batch, message: Message, cursor: RecipientCursor, connection: AsyncExitStack
    ) -> None:
        send = partial(self._session.send, maybe_sent=claimed.maybe_sent)
        parts = send(message.prepared, cursor.sendable, claimed.retry_key, partial(self._may_go_on, claimed))
        async with aclosing(parts):
            async for part in parts:
                progress = cursor.advance(part)
                if cursor.finished and self._channel.idempotent:
                    # The next may go while the disk takes its time for this one. Not by mail: there what is
                    # not written down yet may arrive twice, so the next has to wait.
                    await connection.aclose()
                    self.being_recorded += 1
                    self.on_connection_free()
                    connection.callback(self._recorded)
                if not await self._record(claimed, progress):
                    log.warning("lease_lost", batch=claimed.id)
                    return
                self._urgent_priority.moved(self.lane)
                await self._urgent_priority.give_way(self.lane)
        if cursor.finished:
            return
        if claimed.delivery_id in self._stopped:
            raise self._stopped[claimed.delivery_id]
        if not await self.requeue(claimed):
            log.warning("lease_lost", batch=claimed.id)

    def _back_off(self) -> None:
        """The machine is short of something: to try on at once would take the rest of it."""
        self._shortages += 1
        wait = min(LONGEST_BACK_OFF, 2.0 ** (self._shortages - 1))
        self._paused_until = max(self._paused_until, asyncio.get_running_loop().time() + wait)
        log.error("machine_is_short", account=self.account.key, lane=self.lane, waits=wait)

    def _recorded(self) -> None:
        self.being_recorded -= 1

    async def _record(self, claimed: Batch, progress: Progress) -> bool:
        now, since = self._context.database.now(), monotonic_seconds()
        deferred, given_up = later(
            claimed, progress.deferred, now, apart=progress.apart, bad_luck=self._limiter.takes_most
        )
        step = partial(
            batches.record_part,
            claimed=claimed,
            since=progress.since,
            position=progress.position,
            accepted=progress.accepted,
            refused=(*progress.refused, *given_up),
            later=deferred,
            posted=progress.posts(claimed.delivery_id),
            now=now,
            lease=LEASE,
        )
        self._shortages = 0
        if progress.accepted:
            self._limiter.accepted()
        recorded = await (self._write_acceptance(step) if progress.accepted else self._write(step))
        self.leased(claimed, since)
        if recorded:
            await heed(self._context, claimed.delivery_id, progress.refused)
        return recorded

    async def _write_acceptance(self, step: Callable[[Connection], bool]) -> bool:
        return await self._write(self._outages.ending_with(step, self.account.key))

    async def _write(self, step: Callable[[Connection], bool]) -> bool:
        return await self._context.database.write_step(
            step, max_wait=MAX_WAIT if self._channel.idempotent else 0.0
        )

    async def _settle_failure(self, claimed: Batch, error: Exception) -> None:
        reason = error.reason if isinstance(error, ChannelError) else Reason.INTERNAL
        about = {"batch": claimed.id, "attempt": claimed.attempt, "error": type(error).__name__}
        log.warning("batch_failed", account=claimed.account, reason=reason, **about)
        if isinstance(error, AccountStopped):
            self._paused_until = asyncio.get_running_loop().time() + failures.STOPPED_ACCOUNT_WAIT / SECOND
            self._outages.add(claimed.account)
        # Broadcasts have a limit of their own, which says nothing about the lists.
        if claimed.kind == BatchKind.LIST:
            failures.tell_limiter(self._limiter, error)
        if self._context.this_process.notice(error):
            self._back_off()
        if isinstance(error, DeliveryStopped):
            self._stopped[claimed.delivery_id] = error
        # Where one account has one service. Of many receivers the others say nothing about this one.
        bad_luck = self._channel.idempotent and self._limiter.takes_most
        step = partial(write_failure, claimed=claimed, error=error, reason=reason, bad_luck=bad_luck)
        try:
            await self._context.database.write_step(partial(step, now=self._context.database.now()))
        except Exception:
            # The ledger could not be written: the lease runs out and the sweep takes over.
            log.exception("settle_failed", batch=claimed.id)
