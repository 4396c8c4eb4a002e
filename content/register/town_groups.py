"""Groups that staff make on the screen, beside those of the profile, and when their members were last looked through.

None is ever deleted, only closed, so that no key comes back with another meaning.
"""

from __future__ import annotations

import secrets

from sqlalchemy import BigInteger, Boolean, Column, Table, Text, false, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known, metadata
from content.town import Group

town_group = Table(
    "town_group",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("closed", Boolean, nullable=False, server_default=false()),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

# When somebody last looked through the members, also of groups of the profile.
group_confirmed = Table(
    "group_confirmed",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("confirmed_by", Text, nullable=False),
    Column("confirmed_at", BigInteger, nullable=False),
)


async def made_groups(connection: AsyncConnection) -> list[Group]:
    """Those in use, in the order in which they were made."""
    rows = await connection.execute(
        select(town_group).where(~town_group.c.closed).order_by(town_group.c.made_at, town_group.c.key)
    )
    return [Group(key=row.key, names={"ja": row.name}) for row in rows]


async def make_group(connection: AsyncConnection, name: str, *, staff: str, at: int) -> str:
    """Its key, which no other group has had."""
    key = f"g-{secrets.token_hex(6)}"
    await connection.execute(insert(town_group).values(key=key, name=name, made_by=staff, made_at=at))
    return key


async def close_group(connection: AsyncConnection, key: str) -> bool:
    """Nobody is sent to by it any more; False for one of the profile, which the profile ends."""
    closed = await connection.execute(
        update(town_group).where(town_group.c.key == key, ~town_group.c.closed).values(closed=True)
    )
    return bool(closed.rowcount)


async def confirm_members(connection: AsyncConnection, key: str, *, staff: str, at: int) -> None:
    """Somebody has looked through the members of this group."""
    row = insert_unless_known(connection, group_confirmed).values(
        group_key=key, confirmed_by=staff, confirmed_at=at
    )
    await connection.execute(
        row.on_conflict_do_update(
            index_elements=["group_key"], set_={"confirmed_by": staff, "confirmed_at": at}
        )
    )


async def confirmations(connection: AsyncConnection) -> dict[str, tuple[str, int]]:
    """group → (who, when)."""
    rows = await connection.execute(select(group_confirmed))
    return {row.group_key: (row.confirmed_by, row.confirmed_at) for row in rows}
