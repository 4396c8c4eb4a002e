"""What would go out by itself now or soon: shown to a person before a database from a copy goes on."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR
from content.ledger.deliveries import batch, delivery
from content.ledger.leases import release_all
from content.ledger.settling import UNSETTLED, close_delivery, settle
from content.ledger.states import DeliveryState, Outcome
from content.ledger.suspensions import GIVEN_UP
from content.notices.notices import get as get_notice
from content.notices.notices import notice, trigger
from content.notices.states import NoticeState, TriggerState

# So long LINE knows a retry key again: 24 hours, of which some are left for the rest of the send.
KNOWN_AGAIN = 20 * HOUR


@dataclass(frozen=True, slots=True)
class DueItem:
    """A notice that waits for its time (`open` is None), or one with so many recipients still open."""

    notice_id: int
    title: str
    due_at: int
    open: int | None = None


async def waiting(connection: AsyncConnection) -> list[DueItem]:
    """Approved notices whose time has come or will come, the earliest first."""
    rows = await connection.scalars(
        select(notice.c.id)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(notice.c.state == NoticeState.APPROVED, trigger.c.state == TriggerState.WAITING)
        .order_by(trigger.c.due_at, notice.c.id)
    )
    return [await _item(connection, int(number)) for number in rows]


async def unfinished(connection: AsyncConnection) -> list[DueItem]:
    """Notices that are going out: what the ledger believes to be open, or still to be planned."""
    left = func.coalesce(func.sum(batch.c.size - batch.c.accepted - batch.c.refused), 0)
    rows = await connection.execute(
        select(delivery.c.notice_id, left)
        .outerjoin(batch, (batch.c.delivery_id == delivery.c.id) & UNSETTLED)
        .where((delivery.c.state == DeliveryState.PLANNING) | batch.c.id.is_not(None))
        .group_by(delivery.c.notice_id)
        .order_by(delivery.c.notice_id)
    )
    return [await _item(connection, int(number), int(count)) for number, count in rows]


async def stop_unfinished(connection: AsyncConnection, now: int) -> int:
    """Close everything that is open, in doubt as unknown; the number of deliveries.

    Whoever had claimed something did so in the life before: nobody is sending from this copy.
    """
    await release_all(connection, now)
    rows = await connection.scalars(
        select(delivery.c.id)
        .outerjoin(batch, (batch.c.delivery_id == delivery.c.id) & UNSETTLED)
        .where((delivery.c.state == DeliveryState.PLANNING) | batch.c.id.is_not(None))
        .distinct()
    )
    stopped = [int(number) for number in rows]
    for number in stopped:
        await connection.run_sync(close_delivery, number, reason=GIVEN_UP, now=now)
    return len(stopped)


async def close_in_doubt(connection: AsyncConnection, now: int, *, told_apart: Collection[str]) -> int:
    """What another site may have sent since is never sent from here; the number of deliveries that are closed.

    On the channels `told_apart` a batch that comes a second time is known as the same: it goes on, unless it is too old
    for that, or the other site may have planned more of it.
    """
    await release_all(connection, now)
    goes_on = (
        delivery.c.channel.in_(list(told_apart))
        & (delivery.c.state != DeliveryState.PLANNING)
        & (delivery.c.created_at > now - KNOWN_AGAIN)
    )
    rows = await connection.scalars(
        select(delivery.c.id)
        .outerjoin(batch, (batch.c.delivery_id == delivery.c.id) & UNSETTLED)
        .where(~goes_on, (delivery.c.state == DeliveryState.PLANNING) | batch.c.id.is_not(None))
        .distinct()
    )
    closed = [int(number) for number in rows]
    for number in closed:
        maybe_sent = (batch.c.delivery_id == number) & UNSETTLED
        await connection.execute(settle(maybe_sent, Outcome.UNKNOWN, GIVEN_UP, now=now))
        await connection.run_sync(close_delivery, number, reason=GIVEN_UP, now=now)
    return len(closed)


async def _item(connection: AsyncConnection, notice_id: int, left: int | None = None) -> DueItem:
    found = await get_notice(connection, notice_id)
    assert found is not None
    return DueItem(notice_id, found.title, found.due_at or 0, left)
