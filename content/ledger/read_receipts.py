"""Read receipts (「読みました」): who has said to have read a notice that asked for it, once each.

Like the lists of recipients they are personal data: when these go, only their number stays.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Column, ForeignKey, Table, Text, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata
from content.ledger.deliveries import batch, delivery
from content.notices import notices
from content.notices.notices import Notice
from content.notices.states import TriggerState
from content.register.states import Route, SubscriberState
from content.register.subscribers import Subscriber

read_receipt = Table(
    "read_receipt",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("at", BigInteger, nullable=False),
    # By which door it was said.
    Column("route", Text, nullable=False),
)


async def say_read(
    connection: AsyncConnection, notice: Notice, reader: Subscriber, *, route: Route, at: int
) -> bool:
    """Write down that a registration has read a notice; once more changes nothing.

    False for a notice that does not ask, is only tried, has not gone out to the reader's account or so long ago
    that its recipients are forgotten, and for a registration that was erased.
    """
    if not notice.spec.asks_read or notice.trigger_state != TriggerState.FIRED or notice.spec.trial:
        return False
    if reader.state == SubscriberState.ERASED:
        return False
    this = (delivery.c.notice_id == notice.id, delivery.c.account == reader.account)
    # Afterwards nobody is known to have been sent it.
    is_kept = exists().where(batch.c.delivery_id == delivery.c.id)
    delivery_id = await connection.scalar(select(delivery.c.id).where(*this, is_kept))
    if delivery_id is None:
        return False
    await connection.execute(
        insert_unless_known(connection, read_receipt)
        .values(delivery_id=delivery_id, subscriber_id=reader.id, at=at, route=route)
        .on_conflict_do_nothing()
    )
    return True


async def read_at(connection: AsyncConnection, delivery_ids: Sequence[int]) -> dict[tuple[int, int], int]:
    """(delivery, subscriber) → when, of these deliveries."""
    rows = await connection.execute(
        select(read_receipt).where(read_receipt.c.delivery_id.in_(list(delivery_ids)))
    )
    return {(row.delivery_id, row.subscriber_id): int(row.at) for row in rows}


async def receipts_of(connection: AsyncConnection, subscriber_id: int) -> list[tuple[Notice, int]]:
    """(notice, when) that a registration has said to have read, the latest first; as long as they are kept."""
    rows = (
        await connection.execute(
            select(delivery.c.notice_id, read_receipt.c.at)
            .join(delivery, delivery.c.id == read_receipt.c.delivery_id)
            .where(read_receipt.c.subscriber_id == subscriber_id)
            .order_by(read_receipt.c.at.desc(), delivery.c.notice_id.desc())
        )
    ).all()
    found = [(await notices.get(connection, row.notice_id), int(row.at)) for row in rows]
    return [(notice, at) for notice, at in found if notice is not None]


READ_OF_DELIVERY = (
    select(func.count())
    .select_from(read_receipt)
    .where(read_receipt.c.delivery_id == delivery.c.id)
    .correlate(delivery)
    .scalar_subquery()
)
