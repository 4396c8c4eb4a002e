"""Fan-out: a fired notice becomes batches, slice by slice, each slice one transaction.

A delivery is `planning` until its last slice. After a crash planning goes on behind the highest
subscriber id that is already in a batch, so nobody is skipped and nobody stands in two batches.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import replace

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.reasons import Reason
from content.clock import SECOND, today_jst
from content.ledger import deliveries, quota_reservations
from content.ledger.deliveries import Delivery
from content.ledger.planning import is_broadcast, next_slice
from content.ledger.settling import refuse_waiting, stop_delivery
from content.ledger.states import MORNING, BatchKind, Lane
from content.notices import notices
from content.notices.digests import next_morning
from content.notices.notices import Notice
from content.notices.records import town_now
from content.notices.segments import NobodyMatches, audience
from content.notices.states import NoticeKind, TargetKind
from content.quiet_hours import end_of
from content.register.states import Pace
from scheduler import quota
from scheduler.shortages import record_shortage
from scheduler.suspending import is_lost
from scheduler.town_context import BUDGET, TownContext, goes_by_broadcast

log = structlog.get_logger(__name__)

SLICE = 10_000
# So long a correction waits for what is on the wire of the notice that it corrects, to know what became of it,
# and to arrive behind it.
WAIT_FOR_FLIGHT = 3 * SECOND
# Between two looks for another urgent notice while routine planning gives way.
NAP = 0.05


async def plan_next(context: TownContext) -> int:
    """Plan one slice of the most urgent delivery that is not planned yet; 0 when there is none.

    One slice at a time, so that a large routine fan-out never stands before an urgent one.
    """
    async with context.database.read() as connection:
        open_deliveries = await deliveries.deliveries_to_plan(connection)
    for delivery_id, lane in open_deliveries:
        if context.urgent_priority.is_urgent_moving and lane != Lane.URGENT:
            # A slice keeps the ledger busy for a tenth of a second: not between two steps of an urgent send.
            await asyncio.sleep(NAP)
            return 1
        try:
            if await plan_slice(context, delivery_id):
                return 1
        except Exception:
            # One delivery that cannot be planned must not keep the others waiting.
            log.exception("planning_failed", delivery=delivery_id)
    return 0


async def plan_slice(context: TownContext, delivery_id: int) -> bool:
    """Write the next slice of a delivery; False when its planning is finished or another has it."""
    left = await quota.ask_for(context, delivery_id)
    async with context.database.write(wake="batches") as connection:
        if left is not None:
            account = (await connection.run_sync(deliveries.get_delivery, delivery_id)).account
            await quota_reservations.lock_account(connection, account)
        planned = await deliveries.lock_delivery(connection, delivery_id)
        if planned is None:
            return False
        notice = await notices.get(connection, planned.notice_id)
        if notice is None:
            raise LookupError(f"delivery {delivery_id} has no notice")
        if notice.aim.kind in (TargetKind.GROUP, TargetKind.SEGMENT):
            # Staff make groups while the service runs.
            context = replace(context, town=await town_now(connection, context.town))
        reason = _reason_to_stop(context, planned, notice)
        if reason:
            log.warning("planning_stopped", delivery=delivery_id, reason=reason)
            await connection.run_sync(stop_delivery, delivery_id, reason=reason, now=context.database.now())
            return False
        if is_lost(context, planned.account, planned.channel):
            # The account may come back: the rest is planned then, with whoever is registered.
            return False
        if left is not None and quota.is_undecided(planned):
            planned = await _decide(context, connection, planned, notice, left)
        by_broadcast = goes_by_broadcast(context, notice.spec, planned.account) and await is_broadcast(
            connection, planned, notice
        )
        more = await (_plan_broadcast if by_broadcast else _plan_list)(context, connection, planned, notice)
        if planned.reason:
            await _refuse(connection, planned, more, context.database.now())
        return more


async def _decide(
    context: TownContext, connection: AsyncConnection, planned: Delivery, notice: Notice, left: quota.Left
) -> Delivery:
    """Refuse the delivery when what is left of the account's quota is too small for it, and keep the figures for staff."""
    shortage = await quota.find_shortage(connection, context, planned, notice, left)
    if shortage is None:
        return planned
    log.warning("delivery_refused", delivery=planned.id, left=shortage.left, needed=shortage.needed)
    await quota_reservations.mark_refused(connection, planned.id, Reason.QUOTA)
    await record_shortage(connection, planned.notice_id, shortage, at=context.database.now())
    return replace(planned, reason=Reason.QUOTA)


async def _refuse(connection: AsyncConnection, planned: Delivery, more: bool, now: int) -> None:
    """Nobody of this slice is sent to; they stand in the ledger as refused."""
    if more:
        await refuse_waiting(connection, planned.id, planned.reason, now)
    else:
        await connection.run_sync(stop_delivery, planned.id, reason=planned.reason, now=now)


def _reason_to_stop(context: TownContext, planned: Delivery, notice: Notice) -> Reason | None:
    """Why a fired notice must not be planned any further: the town or the clock has moved on."""
    if context.database.now() - planned.created_at > BUDGET[planned.lane]:
        return Reason.TOO_LATE
    if notice.spec.expires is not None and context.database.now() >= notice.spec.expires:
        return Reason.EXPIRED
    if notice.kind != NoticeKind.ORIGINAL:
        # Its audience stands in the ledger, and not in the profile.
        return None
    if not notice.aim.fits(notice.spec.mode):
        return Reason.TARGET_GONE
    try:
        audience(context.town, notice.aim, notice.spec.category, today_jst(notice.fired_at))
    except NobodyMatches:
        return Reason.TARGET_GONE
    return None


async def _plan_list(
    context: TownContext, connection: AsyncConnection, planned: Delivery, notice: Notice
) -> bool:
    found = await next_slice(connection, context.town, planned, notice, SLICE)
    now = context.database.now()
    if found.in_flight and now < planned.created_at + WAIT_FOR_FLIGHT:
        return False
    batch_size = context.channel_of(context.town.account[planned.account]).batch_size
    if notice.spec.trial is not None:
        lists = {(notice.spec.trial.language, 0): [one for one, *_ in found.people]}
    else:
        planned = await _let_wait(context, connection, planned, found.people, batch_size)
        lists = _lists(found.people, _languages(context, notice), context.town.quiet_hours, now)
    slices = [
        (language, part, rest_until)
        for (language, rest_until), ids in lists.items()
        for part in _chunks(ids, batch_size)
    ]
    await deliveries.add_batches(connection, planned, slices)
    if not found.more:
        await deliveries.finish_planning(connection, planned.id, now)
        return False
    await deliveries.remember_planning(connection, planned.id, up_to=found.up_to)
    return True


async def _plan_broadcast(
    context: TownContext, connection: AsyncConnection, planned: Delivery, notice: Notice
) -> bool:
    """One call reaches every friend, so the batch freezes every registration for the record."""
    found = await next_slice(connection, context.town, planned, notice, None)
    now = context.database.now()
    if found.people:
        ids = sorted(subscriber_id for subscriber_id, _, _ in found.people)
        await deliveries.add_batches(connection, planned, [("ja", ids, 0)], kind=BatchKind.BROADCAST)
    await deliveries.finish_planning(connection, planned.id, now)
    return False


def _lists(
    people: Sequence[tuple[int, str, str]], languages: tuple[str, ...], quiet_of_town: str, now: int
) -> dict[tuple[str, int], list[int]]:
    """Who gets which text after which time, 0 for at once; what the notice does not have is read in Japanese."""
    lists: dict[tuple[str, int], list[int]] = {}
    list_of: dict[tuple[str, str], list[int]] = {}
    for one, chosen, quiet in people:
        if quiet == Pace.MORNING:
            continue
        mine = list_of.get((chosen, quiet))
        if mine is None:
            key = (chosen if chosen in languages else "ja", end_of(quiet or quiet_of_town, now))
            mine = list_of[chosen, quiet] = lists.setdefault(key, [])
        mine.append(one)
    return lists


async def _let_wait(
    context: TownContext,
    connection: AsyncConnection,
    planned: Delivery,
    people: Sequence[tuple[int, str, str]],
    batch_size: int,
) -> Delivery:
    """Batches of those who chose 朝のまとめ, for scheduler.morning; the delivery with them."""
    lists: dict[str, list[int]] = {}
    for one, chosen, quiet in people:
        if quiet == Pace.MORNING:
            lists.setdefault(chosen if chosen in context.town.languages else "ja", []).append(one)
    due = next_morning(context.town, context.database.now())
    slices = [(language, part, due) for language, ids in lists.items() for part in _chunks(ids, batch_size)]
    await deliveries.add_batches(connection, planned, slices, lane=MORNING)
    return replace(planned, batches=planned.batches + len(slices))


def _languages(context: TownContext, notice: Notice) -> tuple[str, ...]:
    return tuple(language for language in context.town.languages if language in notice.spec.texts)


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
