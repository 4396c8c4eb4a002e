"""Exchanges (やりとり): the calls that were made for a delivery and what was answered, kept for a week.

For whoever has to find out why a service refused; of addresses, tokens and words there is nothing in them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    delete,
    insert,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import Id, metadata
from content.ledger.deliveries import delivery

KEEP = 7 * DAY

exchange = Table(
    "exchange",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, ForeignKey("delivery.id"), nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("method", Text, nullable=False),
    # "" where it would be somebody's address.
    Column("host", Text, nullable=False),
    Column("what", Text, nullable=False),
    # None when no answer came; then why.
    Column("status", Integer),
    Column("failure", Text, nullable=False),
    Column("took", Integer, nullable=False),
    Index(None, "delivery_id"),
    Index(None, "at"),
)


@dataclass(frozen=True, slots=True)
class Exchange:
    """`took` in ms."""

    delivery_id: int
    at: int
    method: str
    host: str
    what: str
    status: int | None
    failure: str
    took: int


def record(connection: Connection, exchanges: Sequence[Exchange]) -> None:
    """Write them down."""
    if exchanges:
        connection.execute(insert(exchange), [asdict(item) for item in exchanges])


async def of_notice(connection: AsyncConnection, notice_id: int, limit: int) -> list[tuple[str, Exchange]]:
    """(account, exchange), the newest first."""
    columns = [exchange.c[name] for name in Exchange.__dataclass_fields__]
    rows = await connection.execute(
        select(delivery.c.account, *columns)
        .join(delivery, delivery.c.id == exchange.c.delivery_id)
        .where(delivery.c.notice_id == notice_id)
        .order_by(exchange.c.id.desc())
        .limit(limit)
    )
    return [(row[0], Exchange(*row[1:])) for row in rows]


async def forget_old(connection: AsyncConnection, now: int) -> int:
    """Their number."""
    gone = await connection.execute(delete(exchange).where(exchange.c.at < now - KEEP))
    return int(gone.rowcount)
