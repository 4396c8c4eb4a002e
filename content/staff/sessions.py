"""Sessions of members: a row for each browser that is signed in, so that one can be seen and ended by itself.

From where is kept as the network alone, and of the device two words, no more than tells one from another.
"""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Delete,
    ForeignKey,
    Row,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR, MINUTE
from content.database import Id, metadata

LASTS = 12 * HOUR
# A session that is used is written down as seen no more often than this.
SEEN_EACH = 10 * MINUTE
# Bits that are kept of an address.
NETWORK = {4: 24, 6: 48}

staff_session = Table(
    "staff_session",
    metadata,
    Column("id", Id, primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), nullable=False, index=True),
    Column("began_at", BigInteger, nullable=False, index=True),
    Column("seen_at", BigInteger, nullable=False),
    Column("network", Text, nullable=False),
    Column("device", Text, nullable=False),
)


@dataclass(frozen=True, slots=True)
class StaffSession:
    id: int
    staff_id: int
    began_at: int
    seen_at: int
    network: str
    device: str


async def begin(connection: AsyncConnection, staff_id: int, *, source: str, device: str, at: int) -> int:
    """The id of a new session; `source` is the address that it comes from."""
    new_id = await connection.scalar(
        insert(staff_session)
        .values(staff_id=staff_id, began_at=at, seen_at=at, network=network_of(source), device=device)
        .returning(staff_session.c.id)
    )
    assert new_id is not None
    return int(new_id)


async def find(
    connection: AsyncConnection, session_id: int, staff_id: int, *, at: int
) -> StaffSession | None:
    """None when it has ended."""
    mine = select(staff_session).where(staff_session.c.id == session_id, *_of(staff_id, at))
    row = (await connection.execute(mine)).one_or_none()
    return None if row is None else _session(row)


async def of_member(connection: AsyncConnection, staff_id: int, *, at: int) -> list[StaffSession]:
    """Those that are open, the last used first."""
    rows = await connection.execute(
        select(staff_session)
        .where(*_of(staff_id, at))
        .order_by(staff_session.c.seen_at.desc(), staff_session.c.id.desc())
    )
    return [_session(row) for row in rows]


async def seen(connection: AsyncConnection, session_id: int, *, at: int) -> None:
    await connection.execute(update(staff_session).where(staff_session.c.id == session_id).values(seen_at=at))


async def end(connection: AsyncConnection, staff_id: int, session_id: int) -> bool:
    """False when this member has none such."""
    return bool(await _gone(connection, _all_of(staff_id).where(staff_session.c.id == session_id)))


async def end_others(connection: AsyncConnection, staff_id: int, but: int) -> int:
    """Every session of this member except one; how many."""
    return await _gone(connection, _all_of(staff_id).where(staff_session.c.id != but))


async def end_all(connection: AsyncConnection, staff_id: int) -> None:
    await connection.execute(_all_of(staff_id))


async def forget_old(connection: AsyncConnection, now: int) -> int:
    """Those that have ended by themselves."""
    return await _gone(connection, delete(staff_session).where(staff_session.c.began_at <= now - LASTS))


def network_of(source: str) -> str:
    """The network of an address: 203.0.113.0/24. Empty for what is no address."""
    try:
        found = ip_address(source)
    except ValueError:
        return ""
    found = getattr(found, "ipv4_mapped", None) or found
    return str(ip_network(f"{found.compressed.partition('%')[0]}/{NETWORK[found.version]}", strict=False))


async def _gone(connection: AsyncConnection, statement: Delete) -> int:
    return int((await connection.execute(statement)).rowcount)


def _all_of(staff_id: int) -> Delete:
    return delete(staff_session).where(staff_session.c.staff_id == staff_id)


def _of(staff_id: int, at: int) -> tuple[ColumnElement[bool], ...]:
    return staff_session.c.staff_id == staff_id, staff_session.c.began_at > at - LASTS


def _session(row: Row[Any]) -> StaffSession:
    return StaffSession(row.id, row.staff_id, row.began_at, row.seen_at, row.network, row.device)
