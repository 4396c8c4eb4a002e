"""Deliveries that wait because the town profile has no such account (保留): since when, and giving them up.

The profile decides whether a delivery is held; the row here only remembers since when, for the page.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, ForeignKey, Table, and_, delete, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata
from content.ledger.deliveries import batch, delivery
from content.ledger.settling import UNSETTLED, settle, stop_delivery
from content.ledger.states import BatchState, DeliveryState, Outcome

HELD = "account_gone"
GIVEN_UP = "given_up"

delivery_hold = Table(
    "delivery_hold",
    metadata,
    Column("delivery_id", Id, ForeignKey("delivery.id"), primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
)


async def open_deliveries(connection: AsyncConnection) -> list[tuple[int, str, str]]:
    """(id, account, channel) of what is still being planned or has batches that are not settled."""
    unsettled = select(batch.c.delivery_id).where(UNSETTLED)
    rows = await connection.execute(
        select(delivery.c.id, delivery.c.account, delivery.c.channel).where(
            or_(delivery.c.state == DeliveryState.PLANNING, delivery.c.id.in_(unsettled))
        )
    )
    return [(int(delivery_id), account, channel) for delivery_id, account, channel in rows]


async def held(connection: AsyncConnection) -> set[int]:
    return {int(row) for row in await connection.scalars(select(delivery_hold.c.delivery_id))}


async def hold(connection: AsyncConnection, deliveries: Iterable[int], *, at: int) -> None:
    """Remember since when; one that is held already keeps its time."""
    rows = [{"delivery_id": delivery_id, "since": at} for delivery_id in sorted(deliveries)]
    if rows:
        await connection.execute(
            insert_unless_known(connection, delivery_hold).on_conflict_do_nothing(), rows
        )


async def let_go(connection: AsyncConnection, deliveries: Iterable[int]) -> None:
    await connection.execute(delete(delivery_hold).where(delivery_hold.c.delivery_id.in_(list(deliveries))))


async def give_up(connection: AsyncConnection, notice_id: int, *, now: int) -> int:
    """Close what is left of a notice's held deliveries: refused, or unknown when it may have arrived.

    The number of deliveries. What somebody has in flight is left to them.
    """
    of_notice = await connection.scalars(
        select(delivery_hold.c.delivery_id)
        .join(delivery, delivery.c.id == delivery_hold.c.delivery_id)
        .where(delivery.c.notice_id == notice_id)
    )
    given_up = [int(row) for row in of_notice]
    for delivery_id in given_up:
        await connection.run_sync(stop_delivery, delivery_id, reason=GIVEN_UP, now=now)
        in_doubt = and_(batch.c.delivery_id == delivery_id, batch.c.state == BatchState.UNKNOWN)
        await connection.execute(settle(in_doubt, Outcome.UNKNOWN, GIVEN_UP, now=now))
    await let_go(connection, given_up)
    return len(given_up)
