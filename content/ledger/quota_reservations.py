"""How much of an account's quota for this month is reserved already, and deliveries that the rest is too small for.

Such a delivery is planned like any other, so that the ledger holds who was meant, but each of its
batches is refused in the transaction that writes it. Its `reason` says so from the first slice on.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import ColumnElement, case, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.ledger.deliveries import batch, delivery
from content.ledger.settling import LEFT_OVER
from content.ledger.states import BatchState, DeliveryState


async def lock_account(connection: AsyncConnection, account: str) -> None:
    """Until the transaction ends no other process decides about the quota of this account.

    Two notices that begin at the same time would each count what is left for themselves.
    """
    await connection.execute(
        select(delivery.c.id)
        .where(delivery.c.account == account, delivery.c.state == DeliveryState.PLANNING)
        .order_by(delivery.c.id)
        .with_for_update()
    )


async def reserved(
    connection: AsyncConnection, account: str, lanes: Sequence[str], *, but: int, asked_at: int
) -> int:
    """Recipients in batches of other deliveries that the service had not counted when it was asked."""
    still_open = case((batch.c.state != BatchState.SETTLED, LEFT_OVER), else_=0)
    since = case((batch.c.last_accepted_at >= asked_at, batch.c.accepted), else_=0)
    found = await connection.scalar(
        select(func.sum(still_open + since))
        .select_from(delivery)
        .join(batch, batch.c.delivery_id == delivery.c.id)
        # No lane sends for so long, not even what was tried again, and without this the whole history would be read.
        .where(*_others(account, lanes, but), delivery.c.created_at > asked_at - 2 * DAY)
    )
    return int(found or 0)


async def half_planned(
    connection: AsyncConnection, account: str, lanes: Sequence[str], *, but: int
) -> list[int]:
    """Other deliveries that are being sent while they are still planned."""
    rows = await connection.scalars(
        select(delivery.c.id).where(
            *_others(account, lanes, but),
            delivery.c.state == DeliveryState.PLANNING,
            delivery.c.reason == "",
            or_(delivery.c.batches > 0, delivery.c.planned_up_to > 0),
        )
    )
    return [int(row) for row in rows]


async def mark_refused(connection: AsyncConnection, delivery_id: int, reason: str) -> None:
    """Everything that is planned of this delivery from now on will be refused for this reason."""
    await connection.execute(update(delivery).where(delivery.c.id == delivery_id).values(reason=reason))


def _others(account: str, lanes: Sequence[str], but: int) -> tuple[ColumnElement[bool], ...]:
    return (delivery.c.account == account, delivery.c.lane.in_(lanes), delivery.c.id != but)
