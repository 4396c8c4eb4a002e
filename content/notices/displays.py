"""Displays (表示板) on stations, roads and counters: each has an address of its own with a secret key, and tells that it lives.

The key is kept as a hash, so that nobody who reads the database can pass for a display in the list of those that were seen.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    LargeBinary,
    Row,
    Table,
    Text,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.database import Id, metadata, one_of

LONGEST_NAME = 40
MOST = 200
# So often at most is written down that a display was seen.
SEEN_NOTED_EVERY = MINUTE


class DisplayAudience(StrEnum):
    """Who stands in front of it: people of the town, or visitors who may read no Japanese."""

    CITIZENS = "citizens"
    VISITORS = "visitors"


display = Table(
    "display",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Text, nullable=False),
    Column("audience", Text, nullable=False),
    # The key of the district in which it stands; "" for all of the town.
    Column("place", Text, nullable=False, server_default=""),
    Column("chime", Boolean, nullable=False),
    Column("key_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("seen_at", BigInteger),
    # How far its own clock is ahead of ours, in ms.
    Column("clock_ahead", BigInteger),
    Column("ended_at", BigInteger),
    CheckConstraint(one_of("audience", DisplayAudience), name="audience"),
)


class DisplayRefused(ValueError):
    """Such a display cannot be added. `field` is name, audience or place."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Display:
    id: int
    name: str
    audience: DisplayAudience
    place: str
    chime: bool
    created_at: int
    seen_at: int | None
    clock_ahead: int | None
    ended_at: int | None


async def add(
    connection: AsyncConnection, *, name: str, audience: str, place: str, chime: bool, by: str, at: int
) -> tuple[int, str]:
    """The id and the key, which is shown once. The caller knows whether there is such a place. Raises DisplayRefused."""
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise DisplayRefused("name", f"表示板の名前を、{LONGEST_NAME}文字までで書いてください。")
    if audience not in set(DisplayAudience):
        raise DisplayRefused("audience", "だれに見せるかを選んでください。")
    going_on = [item for item in await everyone(connection) if item.ended_at is None]
    if any(item.name == name for item in going_on):
        raise DisplayRefused("name", f"「{name}」はもうあります。別の名前にしてください。")
    if len(going_on) >= MOST:
        raise DisplayRefused("name", f"表示板は{MOST}台までです。使っていないものを止めてください。")
    key = secrets.token_urlsafe(24)
    made = await connection.scalar(
        insert(display)
        .values(
            name=name,
            audience=audience,
            place=place,
            chime=chime,
            key_hash=hash_of(key),
            created_by=by,
            created_at=at,
        )
        .returning(display.c.id)
    )
    assert made is not None
    return int(made), key


async def end(connection: AsyncConnection, display_id: int, *, at: int) -> bool:
    """Its address shows nothing any more; False when it had ended before, or there is none."""
    ended = await connection.execute(
        update(display).where(display.c.id == display_id, display.c.ended_at.is_(None)).values(ended_at=at)
    )
    return bool(ended.rowcount)


async def note_seen(
    connection: AsyncConnection, display_id: int, *, at: int, clock_ahead: int | None
) -> None:
    await connection.execute(
        update(display).where(display.c.id == display_id).values(seen_at=at, clock_ahead=clock_ahead)
    )


async def everyone(connection: AsyncConnection) -> list[Display]:
    """Also those that have ended, in the order in which they were added."""
    return [_display(row) for row in await connection.execute(select(display).order_by(display.c.id))]


async def get(connection: AsyncConnection, display_id: int) -> Display | None:
    row = (await connection.execute(select(display).where(display.c.id == display_id))).one_or_none()
    return None if row is None else _display(row)


async def find_by_key(connection: AsyncConnection, key: str) -> Display | None:
    """The display whose key this is, as long as it has not ended."""
    row = (
        await connection.execute(
            select(display).where(display.c.key_hash == hash_of(key), display.c.ended_at.is_(None))
        )
    ).one_or_none()
    return None if row is None else _display(row)


def hash_of(key: str) -> bytes:
    """As it is kept. Random enough for a quick hash."""
    return hashlib.sha256(key.encode("utf-8", "replace")).digest()


def _display(row: Row[Any]) -> Display:
    return Display(
        row.id,
        row.name,
        DisplayAudience(row.audience),
        row.place,
        row.chime,
        row.created_at,
        row.seen_at,
        row.clock_ahead,
        row.ended_at,
    )
