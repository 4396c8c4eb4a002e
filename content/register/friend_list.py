"""LINE's list of friends beside the register: whoever came or went without our being told.

A comparison (突き合わせ) reads the whole list, a page at a time. A page takes in whoever is unknown, or has unblocked;
only at the end is it known who is missing, and an implausible number of these is held back for a person.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Integer, Table, Text, func, or_, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known, metadata
from content.register.states import EventKind, Route, SubscriberState
from content.register.subscriber_changes import come_back, leave
from content.register.subscribers import address, registration_event, subscriber

BLOCKED = "blocked"
UNBLOCKED = "follow"
# More than both of these at once is rather a mistake of a list than people who have gone.
PLAUSIBLE, PLAUSIBLE_SHARE = 20, 0.05
SLICE = 5_000

friend_comparison = Table(
    "friend_comparison",
    metadata,
    Column("account", Text, primary_key=True),
    Column("begun_at", BigInteger, nullable=False),
    # Of the last one that came to its end.
    Column("ended_at", BigInteger),
    Column("friends", Integer, nullable=False, server_default="0"),
    Column("added", Integer, nullable=False, server_default="0"),
    Column("ended", Integer, nullable=False, server_default="0"),
    # Registrations that are missing in the list and were not ended, since they are too many.
    Column("held_back", Integer, nullable=False, server_default="0"),
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """Registrations: `added` were in the list alone, `ended` in the register alone, `held_back` too and not ended."""

    account: str
    friends: int
    added: int
    ended: int
    held_back: int
    ended_at: int | None = None


def is_plausible(missing: int, active: int) -> bool:
    """Whether so many may have gone without our being told."""
    return missing <= max(PLAUSIBLE, int(active * PLAUSIBLE_SHARE))


async def begin(connection: AsyncConnection, account: str, *, due_at: int, at: int) -> bool:
    """Take the comparison that was due upon oneself; False when one has begun since then."""
    begun = await connection.execute(
        insert_unless_known(connection, friend_comparison)
        .values(account=account, begun_at=at)
        .on_conflict_do_update(
            index_elements=["account"],
            set_={"begun_at": at},
            where=friend_comparison.c.begun_at < due_at,
        )
    )
    return bool(begun.rowcount)


async def finish(connection: AsyncConnection, done: Comparison, *, at: int) -> None:
    await connection.execute(
        update(friend_comparison)
        .where(friend_comparison.c.account == done.account)
        .values(
            ended_at=at, friends=done.friends, added=done.added, ended=done.ended, held_back=done.held_back
        )
    )


async def comparisons(connection: AsyncConnection) -> list[Comparison]:
    """The last of each account that came to its end."""
    rows = await connection.execute(
        select(friend_comparison)
        .where(friend_comparison.c.ended_at.is_not(None))
        .order_by(friend_comparison.c.account)
    )
    return [
        Comparison(row.account, row.friends, row.added, row.ended, row.held_back, row.ended_at)
        for row in rows
    ]


async def bring_back(
    connection: AsyncConnection, account: str, lookups: Sequence[bytes], *, before: int, at: int
) -> int:
    """Those of these friends who had blocked us before that moment: they are friends again. Whoever has stopped by
    herself stays as she wants to be."""
    newest = (
        select(func.max(registration_event.c.id))
        .where(registration_event.c.subscriber_id == subscriber.c.id)
        .correlate(subscriber)
        .scalar_subquery()
    )
    rows = await connection.scalars(
        select(subscriber.c.id)
        .join(address, address.c.subscriber_id == subscriber.c.id)
        .join(registration_event, registration_event.c.id == newest)
        .where(
            address.c.account == account,
            address.c.lookup.in_(lookups),
            func.length(address.c.sealed) > 0,
            subscriber.c.state == SubscriberState.LEFT,
            subscriber.c.changed_at < before,
            subscriber.c.event_at < before,
            registration_event.c.kind == EventKind.LEFT,
            registration_event.c.reason == BLOCKED,
        )
    )
    return sum(
        [await come_back(connection, number, reason=UNBLOCKED, at=at, route=Route.SERVICE) for number in rows]
    )


async def missing(
    connection: AsyncConnection, account: str, seen: Collection[bytes], *, before: int, after: int = 0
) -> tuple[list[int], int, int]:
    """Active registrations from before that moment whom the list does not name: (numbers, how many there are
    active, where the next slice begins or 0). Of one slice."""
    rows = (
        await connection.execute(
            select(subscriber.c.id, subscriber.c.changed_at, subscriber.c.event_at, address.c.lookup)
            .join(address, address.c.subscriber_id == subscriber.c.id)
            .where(
                subscriber.c.account == account,
                subscriber.c.state == SubscriberState.ACTIVE,
                subscriber.c.id > after,
            )
            .order_by(subscriber.c.id)
            .limit(SLICE)
        )
    ).all()
    gone = [
        row.id
        for row in rows
        if bytes(row.lookup) not in seen and row.changed_at < before and row.event_at < before
    ]
    return gone, len(rows), rows[-1].id if len(rows) == SLICE else 0


async def end_missing(connection: AsyncConnection, numbers: Sequence[int], *, before: int, at: int) -> int:
    """How many ended: whoever has done something since the list was begun is there after all."""
    still = await connection.scalars(
        select(subscriber.c.id).where(
            subscriber.c.id.in_(numbers),
            ~or_(subscriber.c.changed_at >= before, subscriber.c.event_at >= before),
        )
    )
    return sum(
        [
            await leave(connection, number, reason=BLOCKED, at=at, event_at=before, route=Route.SERVICE)
            for number in still
        ]
    )
