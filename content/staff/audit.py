"""Who did what, when: append-only, held by the database itself. Never an address or a text."""

from __future__ import annotations

import json
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata

audit_entry = Table(
    "audit_entry",
    metadata,
    Column("id", Id, primary_key=True),
    Column("at", BigInteger, nullable=False),
    Column("actor", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Index(None, "subject"),
)


@dataclass(frozen=True, slots=True)
class Entry:
    at: int
    actor: str
    action: str
    subject: str
    detail: dict[str, object]


async def record(
    connection: AsyncConnection,
    *,
    at: int,
    actor: str,
    action: str,
    subject: str = "",
    **detail: object,
) -> None:
    """In the transaction of the change itself, so that neither stands without the other."""
    await connection.execute(
        insert(audit_entry).values(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=json.dumps(detail, ensure_ascii=False, sort_keys=True),
        )
    )


async def entries(connection: AsyncConnection, subject: str | None = None, limit: int = 200) -> list[Entry]:
    """The newest first."""
    chosen = select(audit_entry).order_by(audit_entry.c.id.desc()).limit(limit)
    if subject is not None:
        chosen = chosen.where(audit_entry.c.subject == subject)
    rows = await connection.execute(chosen)
    return [Entry(row.at, row.actor, row.action, row.subject, json.loads(row.detail)) for row in rows]
