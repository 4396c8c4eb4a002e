"""Suspended deliveries (停止中): their account is not in the town profile. Since when, and giving them up.

The profile decides whether a delivery is suspended; the column only remembers since when, for the page.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deliveries import batch, delivery
from content.ledger.settling import UNSETTLED, close_delivery
from content.ledger.states import DeliveryState

# Why it waits.
ACCOUNT_GONE = "account_gone"
GIVEN_UP = "given_up"


async def open_deliveries(connection: AsyncConnection) -> list[tuple[int, str, str]]:
    """(id, account, channel) of what is still being planned or has batches that are not settled."""
    rows = await connection.execute(
        select(delivery.c.id, delivery.c.account, delivery.c.channel).where(
            or_(
                delivery.c.state == DeliveryState.PLANNING,
                delivery.c.id.in_(select(batch.c.delivery_id).where(UNSETTLED)),
            )
        )
    )
    return [(int(delivery_id), account, channel) for delivery_id, account, channel in rows]


async def suspended(connection: AsyncConnection) -> set[int]:
    rows = await connection.scalars(select(delivery.c.id).where(delivery.c.suspended_at.is_not(None)))
    return {int(row) for row in rows}


async def suspend(connection: AsyncConnection, deliveries: Iterable[int], *, at: int) -> None:
    """Remember since when; one that is suspended already keeps its time."""
    new = delivery.c.id.in_(list(deliveries)), delivery.c.suspended_at.is_(None)
    await connection.execute(update(delivery).where(*new).values(suspended_at=at))


async def resume(connection: AsyncConnection, deliveries: Iterable[int]) -> None:
    """They go on, or have ended."""
    back = delivery.c.id.in_(list(deliveries))
    await connection.execute(update(delivery).where(back).values(suspended_at=None))


async def give_up(connection: AsyncConnection, notice_id: int, *, now: int) -> int:
    """Close what is left of a notice's suspended deliveries: refused, or unknown when it may have arrived.

    The number of deliveries. What somebody has in flight is left to them.
    """
    of_notice = await connection.scalars(
        select(delivery.c.id).where(delivery.c.notice_id == notice_id, delivery.c.suspended_at.is_not(None))
    )
    given_up = [int(row) for row in of_notice]
    for delivery_id in given_up:
        await connection.run_sync(close_delivery, delivery_id, reason=GIVEN_UP, now=now)
    await resume(connection, given_up)
    return len(given_up)
