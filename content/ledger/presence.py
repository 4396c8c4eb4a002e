"""Which sender processes are alive: each keeps a row, renewed every few seconds. They share the accounts' rates."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import BigInteger, Column, ColumnElement, Table, Text, delete, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import SECOND
from content.database import insert_unless_known, metadata

# Who has not been seen for so long is dead; the others then take its part.
ALIVE = 15 * SECOND

sender_presence = Table(
    "sender_presence",
    metadata,
    Column("owner", Text, primary_key=True),
    Column("seen_at", BigInteger, nullable=False),
    # The numbers of the keys that it holds, as of then: "1 2".
    Column("held_keys", Text, nullable=False, server_default=""),
)


async def renew(connection: AsyncConnection, owner: str, now: int, keys: Iterable[int] = ()) -> int:
    """Say that `owner` is alive and which keys it holds; how many are alive, this one included."""
    seen = {"seen_at": now, "held_keys": " ".join(map(str, sorted(keys)))}
    await connection.execute(
        insert_unless_known(connection, sender_presence)
        .values(owner=owner, **seen)
        .on_conflict_do_update(index_elements=["owner"], set_=seen)
    )
    alive = select(func.count()).select_from(sender_presence).where(_is_alive(now))
    return int(await connection.scalar(alive) or 1)


async def owners(connection: AsyncConnection, now: int) -> list[str]:
    """Those who are alive."""
    return list(await connection.scalars(select(sender_presence.c.owner).where(_is_alive(now))))


async def without_key(connection: AsyncConnection, number: int, now: int) -> list[str]:
    """Those who are alive and do not hold this key."""
    rows = await connection.execute(select(sender_presence).where(_is_alive(now)))
    return sorted(row.owner for row in rows if str(number) not in row.held_keys.split())


async def any_with_key(connection: AsyncConnection, number: int, now: int) -> bool:
    """Whether somebody who is alive holds this key."""
    held = await connection.scalars(select(sender_presence.c.held_keys).where(_is_alive(now)))
    return any(str(number) in keys.split() for keys in held)


async def leave(connection: AsyncConnection, owner: str) -> None:
    await connection.execute(delete(sender_presence).where(sender_presence.c.owner == owner))


async def forget_dead(connection: AsyncConnection, now: int) -> int:
    """The rows of those who died without leaving; their number."""
    dead = await connection.execute(delete(sender_presence).where(~_is_alive(now)))
    return int(dead.rowcount)


def _is_alive(now: int) -> ColumnElement[bool]:
    # A time far ahead was written before the clock was set back, by a process that has not renewed it since.
    return sender_presence.c.seen_at.between(now - ALIVE + 1, now + ALIVE)
