"""Who was sent what is personal data: after a time only the figures of a delivery stay.

Summarising a finished delivery writes its totals and reasons down and deletes its batches, with their
lists of recipients, and its refusals, all in one transaction: at no moment do the figures change.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    CompoundSelect,
    ForeignKey,
    Integer,
    Table,
    Text,
    case,
    delete,
    exists,
    func,
    insert,
    literal,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata
from content.ledger.deferring import DEFERRED
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.read_receipts import read_receipt
from content.ledger.states import BatchState, DeliveryState
from content.notices.notices import notice
from content.notices.states import NoticeKind

delivery_summary = Table(
    "delivery_summary",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("accepted", Integer, nullable=False),
    Column("refused", Integer, nullable=False),
    Column("unknown", Integer, nullable=False),
    # Who have said to have read it.
    Column("read", Integer, nullable=False, server_default="0"),
    Column("first_accepted_at", BigInteger),
    Column("last_accepted_at", BigInteger),
    Column("summarised_at", BigInteger, nullable=False),
)

delivery_summary_reason = Table(
    "delivery_summary_reason",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("reason", Text, primary_key=True),
    Column("number", Integer, nullable=False),
)


async def deliveries_to_summarise(connection: AsyncConnection, *, before: int) -> list[int]:
    """Deliveries opened before a time that have ended and are not summarised yet, oldest first."""
    still_open = exists().where(batch.c.delivery_id == delivery.c.id, batch.c.state != BatchState.SETTLED)
    summarised = exists().where(delivery_summary.c.delivery_id == delivery.c.id)
    # A correction may be reading whom another notice reached; that takes seconds, so all can wait for it.
    planned = delivery.alias()
    being_read = exists().where(
        planned.c.state == DeliveryState.PLANNING,
        notice.c.id == planned.c.notice_id,
        notice.c.kind != NoticeKind.ORIGINAL,
    )
    rows = await connection.scalars(
        select(delivery.c.id)
        .where(
            delivery.c.created_at < before,
            delivery.c.state != DeliveryState.PLANNING,
            ~still_open,
            ~being_read,
            ~summarised,
        )
        .order_by(delivery.c.id)
    )
    return [int(row) for row in rows]


async def summarise(connection: AsyncConnection, delivery_id: int, *, at: int) -> bool:
    """Replace the batches and refusals of an ended delivery by their figures; False when it was summarised before."""
    mine = batch.c.delivery_id == delivery_id
    totals = select(
        literal(delivery_id),
        func.coalesce(func.sum(batch.c.accepted), 0),
        func.coalesce(func.sum(batch.c.refused), 0),
        func.coalesce(func.sum(batch.c.unknown), 0),
        select(func.count()).where(read_receipt.c.delivery_id == delivery_id).scalar_subquery(),
        func.min(batch.c.first_accepted_at),
        func.max(batch.c.last_accepted_at),
        literal(at),
    ).where(mine)
    summarised = await connection.execute(
        # Another process may be summarising it too: row count 1 wins.
        insert_unless_known(connection, delivery_summary)
        .from_select([column.name for column in delivery_summary.columns], totals)
        .on_conflict_do_nothing()
    )
    if not summarised.rowcount:
        return False
    found = reasons_in_batches(mine).subquery()
    number = func.sum(found.c.number)
    reasons = (
        select(found.c.delivery_id, found.c.reason, number)
        .group_by(found.c.delivery_id, found.c.reason)
        .having(number > 0)
    )
    await connection.execute(
        insert(delivery_summary_reason).from_select(["delivery_id", "reason", "number"], reasons)
    )
    await connection.execute(delete(refusal).where(refusal.c.batch_id.in_(select(batch.c.id).where(mine))))
    await connection.execute(delete(batch).where(mine))
    await connection.execute(delete(read_receipt).where(read_receipt.c.delivery_id == delivery_id))
    return True


def reasons_in_batches(condition: ColumnElement[bool]) -> CompoundSelect[tuple[int, str, int]]:
    """(delivery id, reason, number) of what was refused or stayed unknown in the batches that are kept."""
    single = (
        select(batch.c.delivery_id, refusal.c.reason.label("reason"), literal(1).label("number"))
        .select_from(refusal)
        .join(batch, batch.c.id == refusal.c.batch_id)
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .where(condition, refusal.c.reason != DEFERRED)
    )
    singles = (
        select(func.count())
        .where(refusal.c.batch_id == batch.c.id, refusal.c.reason != DEFERRED)
        .correlate(batch)
        .scalar_subquery()
    )
    whole = (
        select(
            batch.c.delivery_id,
            batch.c.reason.label("reason"),
            (case((batch.c.unknown > 0, batch.c.unknown), else_=batch.c.refused - singles)).label("number"),
        )
        .select_from(batch)
        .join(delivery, delivery.c.id == batch.c.delivery_id)
        .where(condition, batch.c.state == BatchState.SETTLED, batch.c.reason != "")
    )
    return single.union_all(whole)
