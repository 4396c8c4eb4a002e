"""Maintenance (保守モード): while its row is there, nothing goes out by itself. Every process asks the database."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, CheckConstraint, Column, Integer, Table, Text, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known, metadata

LONGEST_REASON = 200

maintenance = Table(
    "maintenance",
    metadata,
    # One row or none.
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
    Column("begun_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    CheckConstraint("id = 1", name="one"),
)


@dataclass(frozen=True, slots=True)
class Maintenance:
    """Since when, by whom and what for."""

    since: int
    begun_by: str
    reason: str


async def read(connection: AsyncConnection) -> Maintenance | None:
    """None while everything goes on."""
    row = (await connection.execute(select(maintenance))).one_or_none()
    return None if row is None else Maintenance(row.since, row.begun_by, row.reason)


async def begin(connection: AsyncConnection, *, by: str, reason: str, at: int) -> bool:
    """False when it was on before; then it keeps its reason."""
    added = await connection.execute(
        insert_unless_known(connection, maintenance)
        .values(id=1, since=at, begun_by=by, reason=reason)
        .on_conflict_do_nothing(index_elements=["id"])
    )
    return bool(added.rowcount)


async def end(connection: AsyncConnection) -> bool:
    """False when it was not on."""
    return bool((await connection.execute(delete(maintenance))).rowcount)
