"""Leases on batches: lengthened while a batch is in flight, taken back when their owner is gone."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, or_, tuple_, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.ledger.deliveries import IS_OPEN, RESTS, batch
from content.ledger.states import BatchState


def renew(connection: Connection, claims: Iterable[tuple[int, int]], *, until: int) -> set[int]:
    """Lengthen the leases of batches still in flight, given as (batch id, fence); those that are still ours."""
    renewed = connection.scalars(
        update(batch)
        .where(tuple_(batch.c.id, batch.c.fence).in_(list(claims)), batch.c.state == BatchState.CLAIMED)
        .values(lease_until=until)
        .returning(batch.c.id)
    )
    return {int(batch_id) for batch_id in renewed}


async def release_expired(connection: AsyncConnection, now: int) -> int:
    """Batches whose owner let the lease run out: whether they went out is unknown; same retry key."""
    released = await connection.execute(
        update(batch)
        .where(batch.c.state == BatchState.CLAIMED, batch.c.lease_until < now)
        .values(state=BatchState.UNKNOWN, maybe_sent=True, lease_owner="", lease_until=0, not_before=0)
    )
    return int(released.rowcount)


async def release_all(connection: AsyncConnection, now: int) -> int:
    """At the start of the only process there is: whoever held a lease is gone."""
    released = await connection.execute(
        update(batch)
        .where(batch.c.state == BatchState.CLAIMED)
        .values(state=BatchState.UNKNOWN, maybe_sent=True, lease_owner="", lease_until=0, not_before=0)
    )
    return int(released.rowcount)


async def forget_times_ahead(
    connection: AsyncConnection, now: int, *, lease: int, longest_wait: int = 0
) -> int:
    """After the clock was set back: what waits for a time of the clock as it was would wait too long.

    Whoever only suspects that gives the `longest_wait` there can be.

    Retries may go at once, leases end when a living owner would renew them; the number of batches.
    """
    waiting = await connection.execute(
        update(batch)
        .where(
            IS_OPEN,
            batch.c.not_before > now + longest_wait,
            # Nobody is woken for it: quiet hours are over within a day.
            or_(~RESTS, batch.c.not_before > now + DAY),
        )
        .values(not_before=now)
    )
    leased = await connection.execute(
        update(batch)
        .where(batch.c.state == BatchState.CLAIMED, batch.c.lease_until > now + lease)
        .values(lease_until=now + lease)
    )
    return int(waiting.rowcount + leased.rowcount)
