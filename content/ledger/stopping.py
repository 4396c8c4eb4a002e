"""A person stops a notice: what has not left does not leave, and what comes back is not sent again.

Whoever has a batch in flight brings to an end what is on the wire; the rest of it is closed when they
write it down, see `batches.requeue` and `deferring.defer`.
"""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, and_, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deliveries import IS_OPEN, batch, delivery
from content.ledger.settling import UNSETTLED, close_delivery, settle
from content.ledger.states import DeliveryState
from content.ledger.suspensions import GIVEN_UP, resume

STOPPED = "stopped"
# Stopped by the correction or withdrawal that took its place.
CORRECTED = "corrected"
BY_PERSON = (STOPPED, CORRECTED, GIVEN_UP)


async def stop(connection: AsyncConnection, notice_ids: Iterable[int], *, reason: str, now: int) -> int:
    """Stop every delivery of these notices that is planned or sent still; the number of deliveries.

    In doubt stays in doubt: what may have arrived is unknown, and is never asked about again.
    """
    rows = await connection.scalars(
        select(delivery.c.id)
        .where(
            delivery.c.notice_id.in_(list(notice_ids)),
            or_(delivery.c.state != DeliveryState.STOPPED, delivery.c.reason.not_in(BY_PERSON)),
            or_(
                delivery.c.state == DeliveryState.PLANNING,
                delivery.c.id.in_(select(batch.c.delivery_id).where(UNSETTLED)),
            ),
        )
        .order_by(delivery.c.id)
        # Waits for a slice that is being planned, so that its batches are seen below.
        .with_for_update()
    )
    stopped = [int(row) for row in rows]
    for delivery_id in stopped:
        await connection.run_sync(close_delivery, delivery_id, reason=reason, now=now)
    await resume(connection, stopped)
    return len(stopped)


def find_stopped(connection: Connection, delivery_ids: Iterable[int]) -> dict[int, str]:
    """Which of these deliveries a person has stopped, and the reason."""
    rows = connection.execute(
        select(delivery.c.id, delivery.c.reason).where(
            delivery.c.id.in_(list(delivery_ids)),
            delivery.c.state == DeliveryState.STOPPED,
            delivery.c.reason.in_(BY_PERSON),
        )
    )
    return {int(delivery_id): reason for delivery_id, reason in rows}


def reason_to_close(connection: Connection, delivery_id: int) -> str:
    """Why batches of this delivery must not become ready again; "" when they may.

    Until the transaction ends nobody can stop it: who does so next finds the batch ready.
    """
    row = connection.execute(
        select(delivery.c.state, delivery.c.reason)
        .where(delivery.c.id == delivery_id)
        .with_for_update(read=True)
    ).one()
    return row.reason if row.state == DeliveryState.STOPPED and row.reason in BY_PERSON else ""


async def close_returned(connection: AsyncConnection, now: int) -> int:
    """Close batches that a dead process gave back to a stopped delivery; in the transaction that gives them back."""
    rows = await connection.execute(
        select(delivery.c.id, delivery.c.reason).where(
            delivery.c.state == DeliveryState.STOPPED,
            delivery.c.reason.in_(BY_PERSON),
            delivery.c.id.in_(select(batch.c.delivery_id).where(IS_OPEN)),
        )
    )
    closed = 0
    for delivery_id, reason in rows.all():
        returned = and_(batch.c.delivery_id == delivery_id, IS_OPEN)
        closed += (await connection.execute(settle(returned, None, reason, now=now))).rowcount
    return closed
