"""Fan-out: a fired notice becomes batches, slice by slice, each slice one transaction.

A delivery is `planning` until its last slice. After a crash planning goes on behind the highest
subscriber id that is already in a batch, so nobody is skipped and nobody stands in two batches.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import structlog
from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content import ledger, notices
from content.clock import now_ms, today_jst
from content.ledger import Delivery
from content.notices import Notice
from content.segments import audience, reads
from content.subscribers import subscriber
from scheduler.office import Office

log = structlog.get_logger(__name__)

SLICE = 10_000


async def plan_next(office: Office) -> int:
    """Plan one slice of the most urgent delivery that is not planned yet; 0 when there is none.

    One slice at a time, so that a large routine fan-out never stands before an urgent one.
    """
    async with office.database.read() as connection:
        open_deliveries = await ledger.deliveries_to_plan(connection)
    for delivery_id in open_deliveries:
        try:
            if await plan_slice(office, delivery_id):
                return 1
        except Exception:
            # One delivery that cannot be planned must not keep the others waiting.
            log.exception("planning_failed", delivery=delivery_id)
    return 0


async def plan_slice(office: Office, delivery_id: int) -> bool:
    """Write the next slice of a delivery; False when its planning is finished or another has it."""
    async with office.database.write(wake="batches") as connection:
        planned = await ledger.lock_delivery(connection, delivery_id)
        if planned is None:
            return False
        notice = await notices.get(connection, planned.notice_id)
        if notice is None:
            raise LookupError(f"delivery {delivery_id} has no notice")
        if _goes_by_broadcast(office, planned, notice):
            return await _plan_broadcast(office, connection, planned, notice)
        return await _plan_list(office, connection, planned, notice)


async def _plan_list(office: Office, connection: AsyncConnection, planned: Delivery, notice: Notice) -> bool:
    languages = _languages(office, notice)
    now = now_ms()
    if planned.planning_language >= len(languages):
        await ledger.finish_planning(connection, planned.id, now)
        return False
    language = languages[planned.planning_language]
    ids = await _next_ids(office, connection, planned, notice, language, SLICE)
    batch_size = office.open_channel(office.town.account[planned.account]).batch_size
    slices = [(language, part) for part in _chunks(ids, batch_size)]
    await ledger.add_batches(connection, planned, slices, at=now)
    if len(ids) < SLICE:
        await ledger.remember_planning(
            connection, planned.id, language=planned.planning_language + 1, up_to=0
        )
    else:
        await ledger.remember_planning(
            connection, planned.id, language=planned.planning_language, up_to=ids[-1]
        )
    return True


async def _plan_broadcast(
    office: Office, connection: AsyncConnection, planned: Delivery, notice: Notice
) -> bool:
    """One call reaches every friend, so the batch freezes every registration for the record."""
    ids = await _next_ids(office, connection, planned, notice, None, None)
    now = now_ms()
    if ids:
        await ledger.add_batches(connection, planned, [("ja", ids)], kind="broadcast", at=now)
    await ledger.finish_planning(connection, planned.id, now)
    return False


async def _next_ids(
    office: Office,
    connection: AsyncConnection,
    planned: Delivery,
    notice: Notice,
    language: str | None,
    limit: int | None,
) -> list[int]:
    # The day of the firing decides ages, also when planning goes on after midnight.
    day = today_jst(notice.fired_at)
    chosen = (
        select(subscriber.c.id)
        .where(
            subscriber.c.account == planned.account,
            audience(office.town, notice.draft.target, notice.draft.category, day),
            subscriber.c.id > planned.planned_up_to,
        )
        .order_by(subscriber.c.id)
        .limit(limit)
    )
    if language is not None:
        chosen = chosen.where(reads(language, _languages(office, notice)))
    return [int(row) for row in await connection.scalars(chosen)]


def _languages(office: Office, notice: Notice) -> tuple[str, ...]:
    return tuple(language for language in office.town.languages if language in notice.draft.texts)


def _goes_by_broadcast(office: Office, planned: Delivery, notice: Notice) -> bool:
    account = office.town.account[planned.account]
    return notice.draft.target.kind == "everyone" and account.everyone == "broadcast"


def _chunks(ids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    for start in range(0, len(ids), size):
        yield ids[start : start + size]
