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
from content import batches
from content.batches import Batch
from content.clock import SECOND, now_ms
from content.keys import KeyFileError
from content.town import Account
from scheduler import failures
from scheduler.failures import later, refuse_too_late, write_failure
from scheduler.messages import Message, Messages
from scheduler.office import BUDGET, Office
from scheduler.pace import Pace
from scheduler.slices import Progress, Walk, open_walks

log = structlog.get_logger(__name__)

POLL = 1.0
# Renewed while a batch is in hand (`sender`), so it is short: what a dead process held is free again soon.
LEASE = 15 * SECOND
# Which part of an account's connections a lane may use beside the others.
SHARE = {"urgent": 1.0, "routine": 1.0, "digest": 0.25}
# Batches that wait ready beside those on their way, half as many at the most: what one process has in hand no
# other sends.
AHEAD = 16
# Batches whose addresses are read in one go.
TOGETHER = 4
# Seconds that a record may wait for others to be committed with. What is not written down yet may go out
# a second time after a crash, so only where that is harmless.
PATIENCE = 0.02


class LaneSender:
    """One lane of one account, with connections of its own."""

    def __init__(self, office: Office, account: Account, lane: str, owner: str, pace: Pace) -> None:
        self._office = office
        self._account = account
        self._lane = lane
        self._owner = owner
        self._pace = pace
        self._precedence = office.precedence
        self._channel: Channel = office.open_channel(account)
        self._connections = asyncio.Semaphore(self._at_once)
        # A claim costs the same for one as for many, so it is made for a few at a time.
        self._worth_claiming = max(1, min(TOGETHER, self._ahead))
        self._in_hand: dict[asyncio.Task[None], Batch] = {}
        # Of those in hand: sent to the end, and their connection free for the next.
        self._being_recorded = 0
        self._stopping = False
        self._paused_until = 0.0
        # Why deliveries were stopped while other batches of theirs were in hand.
        self._stopped: dict[int, DeliveryStopped] = {}
        self._signal = office.database.listen("batches")
        self._messages = Messages(office, self._channel)

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
                self._precedence.moved(self._lane)
            for start in range(0, len(claimed), TOGETHER):
                self._begin(claimed[start : start + TOGETHER])
            if not claimed or len(claimed) < free:
                await self._signal.wait_for(POLL)

    @property
    def _free(self) -> int:
        """How many more may be in hand. What is only being recorded is on its way out."""
        return self._at_once + self._ahead - len(self._in_hand) + self._being_recorded

    @property
    def _ahead(self) -> int:
        return min(AHEAD, self._at_once // 2)

    def _look_again(self) -> None:
        if self._free >= self._worth_claiming:
            self._signal.set()

    @property
    def claims(self) -> list[tuple[int, int]]:
        """(batch id, fence) of what is in hand."""
        return [(claimed.id, claimed.fence) for claimed in self._in_hand.values()]

    async def stop(self, within: float) -> None:
        self._stopping = True
        self._signal.set()
        if self._in_hand:
            _, unfinished = await asyncio.wait(set(self._in_hand), timeout=within)
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
        done = self._in_hand.pop(task)
        if all(other.delivery_id != done.delivery_id for other in self._in_hand.values()):
            self._stopped.pop(done.delivery_id, None)
        self._look_again()

    async def _claim(self, most: int) -> list[Batch]:
        claimed = await self._office.database.write_step(
            partial(
                batches.claim,
                account=self._account.key,
                lane=self._lane,
                owner=self._owner,
                now=now_ms(),
                lease=LEASE,
                most=most,
            ),
            patience=PATIENCE if self._in_hand else 0.0,
        )
        if self._stopping:
            # `stop` came while the ledger was asked, and has seen nothing in hand.
            await asyncio.gather(*(self._put_back(one) for one in claimed))
            return []
        return claimed

    async def _put_back(self, claimed: Batch) -> None:
        state = "unknown" if claimed.maybe_sent else "ready"
        await self._office.database.write_step(
            partial(batches.give_back, claimed=claimed, state=state, reason="", not_before=0)
        )

    def _begin(self, claimed: list[Batch]) -> None:
        walks = asyncio.create_task(self._open_walks(claimed))
        # Whoever waits for it hears of an error; whoever gave up before has one of its own.
        walks.add_done_callback(lambda done: done.cancelled() or done.exception())
        for one in claimed:
            task = asyncio.create_task(self._work(one, walks))
            self._in_hand[task] = one
            task.add_done_callback(self._done)

    async def _work(self, claimed: Batch, walks: asyncio.Task[dict[int, Walk]]) -> None:
        try:
            await self._send(claimed, walks)
        except Exception as error:
            await self._settle_failure(claimed, error)

    async def _send(self, claimed: Batch, walks: asyncio.Task[dict[int, Walk]]) -> None:
        refuse_too_late(claimed, claimed.created_at + BUDGET[claimed.lane], now_ms())
        message = await self._messages.get(claimed.delivery_id, claimed.language)
        refuse_too_late(claimed, message.send_until, now_ms())
        walk = None if claimed.kind == "broadcast" else await self._walk(claimed, walks)
        if walk is not None and not walk.sendable:
            await self._record(claimed, walk.advance(Part(0)))
            return
        async with AsyncExitStack() as connection:
            await connection.enter_async_context(self._connections)
            await self._precedence.give_way(self._lane)
            if not await self._still_ours(claimed):
                log.warning("lease_lost", batch=claimed.id)
                return
            await self._pace.turn(self._lane)
            if claimed.delivery_id in self._stopped:
                raise self._stopped[claimed.delivery_id]
            if self._stopping or self._paused:
                await self._put_back(claimed)
            elif walk is None:
                await self._broadcast(claimed, message)
            else:
                await self._send_parts(claimed, message, walk, connection)

    async def _still_ours(self, claimed: Batch) -> bool:
        """Whether a batch that waited in hand may begin: its lease may have run out, or the database be away.

        Asked where a second sending would arrive: LINE's retry keys see to that by themselves.
        """
        if self._channel.exact_repeats:
            return True
        return await self._office.database.write_step(
            partial(batches.hold, claimed=claimed, until=now_ms() + LEASE)
        )

    async def _walk(self, claimed: Batch, walks: asyncio.Task[dict[int, Walk]]) -> Walk:
        try:
            return (await asyncio.shield(walks))[claimed.id]
        except KeyFileError:
            # Perhaps another's: who cannot be reached holds nobody else back.
            return (await self._open_walks([claimed]))[claimed.id]

    async def _open_walks(self, claimed: list[Batch]) -> dict[int, Walk]:
        """By batch id; a broadcast needs none."""
        lists = [one for one in claimed if one.kind == "list"]
        if not lists:
            return {}
        return await self._office.database.read_step(
            partial(
                open_walks,
                keys=self._office.keys,
                lists=lists,
                # LINE's keys cover a list: who blocked us since stays in it, which costs nothing there.
                with_left=self._channel.exact_repeats,
            )
        )

    async def _broadcast(self, claimed: Batch, message: Message) -> None:
        await self._channel.broadcast(message.announced, claimed.retry_key)  # type: ignore[attr-defined]
        await self._office.database.write_step(partial(batches.accept_all, claimed=claimed, now=now_ms()))

    async def _send_parts(
        self, claimed: Batch, message: Message, walk: Walk, connection: AsyncExitStack
    ) -> None:
        parts = self._channel.send(message.prepared, walk.sendable, claimed.retry_key)
        async with aclosing(parts):  # type: ignore[type-var]
            async for part in parts:
                progress = walk.advance(part)
                if walk.finished and self._channel.exact_repeats:
                    # The next may go while the disk takes its time for this one. Not by mail: there what is
                    # not written down yet may arrive twice, so the next has to wait.
                    await connection.aclose()
                    self._being_recorded += 1
                    self._look_again()
                    connection.callback(self._recorded)
                if not await self._record(claimed, progress):
                    log.warning("lease_lost", batch=claimed.id)
                    return
                self._precedence.moved(self._lane)
                await self._precedence.give_way(self._lane)

    def _recorded(self) -> None:
        self._being_recorded -= 1

    async def _record(self, claimed: Batch, progress: Progress) -> bool:
        now = now_ms()
        put_off, given_up = later(claimed, progress.put_off, now)
        return await self._office.database.write_step(
            partial(
                batches.record_part,
                claimed=claimed,
                since=progress.since,
                position=progress.position,
                accepted=progress.accepted,
                refused=(*progress.refused, *given_up),
                later=put_off,
                now=now,
                lease=LEASE,
            ),
            patience=PATIENCE if self._channel.exact_repeats else 0.0,
        )

    async def _settle_failure(self, claimed: Batch, error: Exception) -> None:
        reason = error.reason if isinstance(error, ChannelError) else type(error).__name__
        log.warning(
            "batch_failed", batch=claimed.id, account=claimed.account, attempt=claimed.attempt, reason=reason
        )
        if isinstance(error, AccountStopped):
            self._paused_until = asyncio.get_running_loop().time() + failures.STOPPED_ACCOUNT_WAIT / SECOND
        if isinstance(error, TemporaryFailure) and error.reason == "rate" and claimed.kind == "list":
            # Broadcasts have a limit of their own, which says nothing about the lists.
            self._pace.slow_down(error.retry_after)
        if isinstance(error, DeliveryStopped):
            self._stopped[claimed.delivery_id] = error
        try:
            await self._office.database.write_step(
                partial(write_failure, claimed=claimed, error=error, reason=reason, now=now_ms())
            )
        except Exception:
            # The ledger could not be written: the lease runs out and the sweep takes over.
            log.exception("settle_failed", batch=claimed.id)
