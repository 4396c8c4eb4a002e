"""The sender: claim the oldest ready batch of a lane, hand it to its channel, settle the outcome.

Every lane of every account has its own claims, connections and slots, so one clogged channel or a
large routine campaign delays only itself. Nothing is held in memory that the ledger does not know:
killing the process at any point leaves a batch that is ready, claimed or settled.
"""

from __future__ import annotations

import asyncio
import random
from typing import Any

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.channel import (
    AccountStopped,
    Announcement,
    BatchRefused,
    CannotRender,
    Channel,
    ChannelError,
    DeliveryStopped,
    TemporaryFailure,
    UnknownOutcome,
)
from content import leases, ledger, notices
from content.clock import HOUR, MINUTE, SECOND, now_ms
from content.ledger import Batch
from content.subscribers import open_addresses
from content.town import Account
from scheduler.office import BUDGET, LANES, Office, announcement
from scheduler.pace import Pace
from scheduler.slices import Walk

log = structlog.get_logger(__name__)

POLL = 1.0
# Renewed while a batch is in hand, so it is short: what a dead process held is free again soon.
LEASE = 15 * SECOND
RENEW_EVERY = 4.0
LONGEST_WAIT = {"urgent": 15 * SECOND, "routine": 5 * MINUTE}
# A service outside may ask for a longer wait, but not for one that outlives the notice.
LONGEST_ASKED_WAIT = {"urgent": 5 * MINUTE, "routine": HOUR}
STOPPED_ACCOUNT_WAIT = 30 * SECOND
NOTHING_WENT_OUT = (TemporaryFailure, AccountStopped, DeliveryStopped)


class Sender:
    """Sends for every account of the town until `stop`."""

    def __init__(self, office: Office, owner: str) -> None:
        self._office = office
        paces = {account.key: Pace(office.open_channel(account).rate) for account in office.town.accounts}
        self._lanes = [
            LaneSender(office, account, lane, owner, paces[account.key])
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
                async with self._office.database.write() as connection:
                    await leases.renew(connection, claims, until=now_ms() + LEASE)
            except Exception:
                # Without renewal the leases run out, and the fence keeps a late owner from settling.
                log.exception("leases_not_renewed", batches=len(claims))


class LaneSender:
    """One lane of one account, with connections of its own."""

    def __init__(self, office: Office, account: Account, lane: str, owner: str, pace: Pace) -> None:
        self._office = office
        self._account = account
        self._lane = lane
        self._owner = owner
        self._pace = pace
        self._channel: Channel = office.open_channel(account)
        self._slots = asyncio.Semaphore(self._channel.concurrency)
        self._in_hand: dict[asyncio.Task[None], Batch] = {}
        self._stopping = False
        self._paused_until = 0.0
        self._signal = office.database.listen("batches")
        self._prepared: dict[tuple[int, str], tuple[Announcement, Any]] = {}

    async def run(self) -> None:
        while not self._stopping:
            await self._slots.acquire()
            claimed = None
            try:
                await self._pace.turn(self._lane)
                claimed = None if self._stopping or self._paused else await self._claim()
            except Exception:
                # A database that is away comes back; the lane must still be here then.
                log.exception("claim_failed", account=self._account.key, lane=self._lane)
                await asyncio.sleep(POLL)
            if claimed is None:
                self._slots.release()
                await self._signal.wait_for(POLL)
                continue
            task = asyncio.create_task(self._work(claimed))
            self._in_hand[task] = claimed
            task.add_done_callback(self._done)

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
        self._in_hand.pop(task, None)
        self._slots.release()

    async def _claim(self) -> Batch | None:
        async with self._office.database.write() as connection:
            claimed = await ledger.claim(
                connection,
                account=self._account.key,
                lane=self._lane,
                owner=self._owner,
                now=now_ms(),
                lease=LEASE,
            )
        if claimed is not None and self._stopping:
            # `stop` came while the ledger was asked, and has seen nothing in hand.
            await self._put_back(claimed)
            return None
        return claimed

    async def _put_back(self, claimed: Batch) -> None:
        state = "unknown" if claimed.maybe_sent else "ready"
        async with self._office.database.write() as connection:
            await ledger.give_back(connection, claimed, state=state, reason="", not_before=now_ms())

    async def _work(self, claimed: Batch) -> None:
        try:
            _refuse_too_late(claimed)
            await self._send(claimed)
        except Exception as error:
            await self._settle_failure(claimed, error)

    async def _send(self, claimed: Batch) -> None:
        announced, prepared = await self._prepare(claimed)
        if claimed.kind == "broadcast":
            await self._channel.broadcast(announced, claimed.retry_key)  # type: ignore[attr-defined]
            async with self._office.database.write() as connection:
                await ledger.accept_all(connection, claimed, now=now_ms())
            return
        async with self._office.database.read() as connection:
            wanted = claimed.recipients[claimed.position :]
            # LINE's keys cover a list: who blocked us since stays in it, which costs nothing there.
            addresses = await open_addresses(
                connection, self._office.keys, wanted, with_left=self._channel.exact_repeats
            )
        walk = Walk(claimed.recipients, claimed.position, addresses)
        if not walk.sendable:
            await self._record(claimed, walk.position, 0, walk.take_refusals())
            return
        async for part in self._channel.send(prepared, walk.sendable, claimed.retry_key):
            walk.advance(part)
            accepted = part.size - len(part.refused)
            if not await self._record(claimed, walk.position, accepted, walk.take_refusals()):
                log.warning("lease_lost", batch=claimed.id)
                return

    async def _record(
        self, claimed: Batch, position: int, accepted: int, refused: list[ledger.Refused]
    ) -> bool:
        async with self._office.database.write() as connection:
            return await ledger.record_part(
                connection,
                claimed,
                position=position,
                accepted=accepted,
                refused=refused,
                now=now_ms(),
                lease=LEASE,
            )

    async def _prepare(self, claimed: Batch) -> tuple[Announcement, Any]:
        # A delivery pins the version that it sends, so its message never changes.
        key = (claimed.delivery_id, claimed.language)
        if key in self._prepared:
            return self._prepared[key]
        async with self._office.database.read() as connection:
            delivery = await ledger.get_delivery(connection, claimed.delivery_id)
            notice = await notices.get(connection, delivery.notice_id)
        if notice is None or notice.version_id != delivery.version_id:
            raise LookupError(f"batch {claimed.id} has no notice version")
        announced = announcement(self._office, notice)
        # Building a message imports the LINE SDK (over a second), so not on the event loop.
        prepared = await asyncio.to_thread(self._channel.prepare, announced, claimed.language)
        if len(self._prepared) >= 32:
            self._prepared.clear()
        self._prepared[key] = (announced, prepared)
        return announced, prepared

    async def _settle_failure(self, claimed: Batch, error: Exception) -> None:
        reason = error.reason if isinstance(error, ChannelError) else type(error).__name__
        log.warning(
            "batch_failed", batch=claimed.id, account=claimed.account, attempt=claimed.attempt, reason=reason
        )
        if isinstance(error, AccountStopped):
            self._paused_until = asyncio.get_running_loop().time() + STOPPED_ACCOUNT_WAIT / SECOND
        try:
            await self._write_failure(claimed, error, reason)
        except Exception:
            # The ledger could not be written: the lease runs out and the sweep takes over.
            log.exception("settle_failed", batch=claimed.id)

    async def _write_failure(self, claimed: Batch, error: Exception, reason: str) -> None:
        now = now_ms()
        not_before = now + _wait_before_retry(claimed, error)
        spent = not_before - claimed.created_at > BUDGET[claimed.lane]
        # A try that was never heard of is not forgotten because a later one surely failed.
        maybe_sent = claimed.maybe_sent or not isinstance(error, NOTHING_WENT_OUT)
        outcome = "unknown" if maybe_sent else "refused"
        async with self._office.database.write() as connection:
            if isinstance(error, BatchRefused | CannotRender):
                await ledger.settle_rest(connection, claimed, outcome="refused", reason=reason, now=now)
            elif isinstance(error, DeliveryStopped) and (spent or await _is_planned(connection, claimed)):
                await ledger.settle_rest(connection, claimed, outcome=outcome, reason=reason, now=now)
                await ledger.stop_delivery(connection, claimed.delivery_id, reason=reason, now=now)
            elif spent:
                await ledger.settle_rest(connection, claimed, outcome=outcome, reason=reason, now=now)
            else:
                state = "unknown" if maybe_sent else "ready"
                await ledger.give_back(connection, claimed, state=state, reason=reason, not_before=not_before)


def _refuse_too_late(claimed: Batch) -> None:
    """After a downtime nothing old goes out by itself, nor with a retry key that LINE has forgotten."""
    if now_ms() - claimed.created_at <= BUDGET[claimed.lane]:
        return
    message = "配信予定から時間がたちすぎたため、送りませんでした。"
    # What was tried before may have arrived.
    raise UnknownOutcome("too_late", message) if claimed.maybe_sent else BatchRefused("too_late", message)


async def _is_planned(connection: AsyncConnection, claimed: Batch) -> bool:
    """A delivery is stopped only then: whoever planning has not reached yet would be in no count."""
    return (await ledger.get_delivery(connection, claimed.delivery_id)).state != "planning"


def _wait_before_retry(claimed: Batch, error: Exception) -> int:
    """Milliseconds: what the service asked for, else 1, 2, 4 … s with jitter, up to the lane's longest."""
    if isinstance(error, AccountStopped):
        return STOPPED_ACCOUNT_WAIT
    asked = error.retry_after if isinstance(error, TemporaryFailure) else None
    if asked is not None:
        return round(min(asked * SECOND, LONGEST_ASKED_WAIT[claimed.lane]))
    doubled = min(LONGEST_WAIT[claimed.lane], SECOND << min(claimed.attempt - 1, 12))
    return round(doubled * random.uniform(0.5, 1.0))  # noqa: S311 - jitter is no secret
