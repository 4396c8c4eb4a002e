"""Leases on batches: taken back when their owner is gone, closed when it is too late."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deliveries import batch


async def release_expired(connection: AsyncConnection, now: int) -> int:
    """Batches whose owner let the lease run out: whether they went out is unknown; same retry key."""
    released = await connection.execute(
        update(batch)
        .where(batch.c.state == "claimed", batch.c.lease_until < now)
        .values(state="unknown", maybe_sent=True, lease_owner="", lease_until=0, not_before=0)
    )
    return int(released.rowcount)


async def release_all(connection: AsyncConnection, now: int) -> int:
    """At the start of the only process there is: whoever held a lease is gone."""
    released = await connection.execute(
        update(batch)
        .where(batch.c.state == "claimed")
        .values(state="unknown", maybe_sent=True, lease_owner="", lease_until=0, not_before=0)
    )
    return int(released.rowcount)


async def settle_overdue(connection: AsyncConnection, *, lane: str, before: int, now: int) -> int:
    """Close batches of deliveries opened before a time that nobody sends any more, whatever their account.

    What may have arrived becomes unknown, the rest refused; the number of batches.
    """
    overdue = (batch.c.lane == lane, batch.c.state.in_(("ready", "unknown")), batch.c.created_at < before)
    rest = batch.c.size - batch.c.accepted - batch.c.refused
    closed = {"state": "settled", "reason": "too_late", "settled_at": now}
    maybe = await connection.execute(
        update(batch).where(*overdue, batch.c.maybe_sent).values(unknown=rest, **closed)
    )
    surely = await connection.execute(
        update(batch).where(*overdue).values(refused=batch.c.refused + rest, **closed)
    )
    return int(maybe.rowcount + surely.rowcount)


async def forget_times_ahead(
    connection: AsyncConnection, now: int, *, lease: int, longest_wait: int = 0
) -> int:
    """After the clock was set back: what waits for a time of the clock as it was would wait too long.

    Whoever only suspects that gives the `longest_wait` there can be.

    Retries may go at once, leases end when a living owner would renew them; the number of batches.
    """
    waiting = await connection.execute(
        update(batch)
        .where(batch.c.state.in_(("ready", "unknown")), batch.c.not_before > now + longest_wait)
        .values(not_before=now)
    )
    held = await connection.execute(
        update(batch)
        .where(batch.c.state == "claimed", batch.c.lease_until > now + lease)
        .values(lease_until=now + lease)
    )
    return int(waiting.rowcount + held.rowcount)
