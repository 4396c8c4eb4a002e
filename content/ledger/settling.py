"""The end of batches: what is not accounted for becomes refused or unknown, for one reason."""

from __future__ import annotations

from sqlalchemy import ColumnElement, Connection, Update, and_, case, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deliveries import IS_OPEN, batch, delivery
from content.ledger.states import BatchState, DeliveryState, Outcome

# Recipients of a batch of whom the ledger does not know yet what became.
LEFT_OVER = batch.c.size - batch.c.accepted - batch.c.refused - batch.c.unknown
UNSETTLED = batch.c.state.in_([state for state in BatchState if state != BatchState.SETTLED])


def settle(condition: ColumnElement[bool], outcome: Outcome | None, reason: str, *, now: int) -> Update:
    """Close the batches of a condition. Without `outcome` what may have arrived is unknown, the rest refused."""
    parts: dict[Outcome, ColumnElement[int]] = (
        {outcome: LEFT_OVER}
        if outcome
        else {
            Outcome.UNKNOWN: case((batch.c.maybe_sent, LEFT_OVER), else_=0),
            Outcome.REFUSED: case((batch.c.maybe_sent, 0), else_=LEFT_OVER),
        }
    )
    counted = {str(word): batch.c[word] + part for word, part in parts.items()}
    return (
        update(batch)
        .where(condition)
        .values(state=BatchState.SETTLED, settled_at=now, reason=reason, **counted)
    )


def stop_delivery(connection: Connection, delivery_id: int, *, reason: str, now: int) -> int:
    """Refuse every open batch of a delivery that nobody has in flight; the number of batches."""
    connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id)
        .values(state=DeliveryState.STOPPED, reason=reason)
    )
    return int(connection.execute(_refuse_ready(delivery_id, reason, now)).rowcount)


def close_delivery(connection: Connection, delivery_id: int, *, reason: str, now: int) -> None:
    """Stop a delivery and close also what is in doubt: it is never asked about again."""
    stop_delivery(connection, delivery_id, reason=reason, now=now)
    in_doubt = and_(batch.c.delivery_id == delivery_id, batch.c.state == BatchState.UNKNOWN)
    connection.execute(settle(in_doubt, Outcome.UNKNOWN, reason, now=now))


async def refuse_waiting(connection: AsyncConnection, delivery_id: int, reason: str, now: int) -> None:
    """Settle what the last slice wrote as refused, before anybody can claim it."""
    await connection.execute(_refuse_ready(delivery_id, reason, now))


async def settle_overdue(connection: AsyncConnection, *, lane: str, before: int, now: int) -> int:
    """Close batches of deliveries opened before a time that nobody sends any more, whatever their account.

    What may have arrived becomes unknown, the rest refused; the number of batches.
    """
    overdue = and_(batch.c.lane == lane, IS_OPEN, batch.c.created_at < before)
    closed = await connection.execute(settle(overdue, None, "too_late", now=now))
    return int(closed.rowcount)


def _refuse_ready(delivery_id: int, reason: str, now: int) -> Update:
    ready = and_(batch.c.delivery_id == delivery_id, batch.c.state == BatchState.READY)
    return settle(ready, Outcome.REFUSED, reason, now=now)
