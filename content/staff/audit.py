"""Who did what, when: append-only, held by the database itself. Never an address of a resident, never a text.

From where somebody signed in stands beside the entry, in a row that can be forgotten: an entry cannot.
`audit_chain.py` makes it visible when somebody changed the trail behind the service's back.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text, delete, func, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import Id, metadata

SOURCES_KEPT = 90 * DAY

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

audit_source = Table(
    "audit_source",
    metadata,
    Column("entry_id", Id, ForeignKey("audit_entry.id"), primary_key=True, autoincrement=False),
    Column("address", Text, nullable=False),
    Column("at", BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Entry:
    at: int
    actor: str
    action: str
    subject: str
    detail: dict[str, object]
    id: int = field(default=0, compare=False)
    source: str = ""


async def record(
    connection: AsyncConnection,
    *,
    at: int,
    actor: str,
    action: str,
    subject: str = "",
    source: str = "",
    **detail: object,
) -> None:
    """In the transaction of the change itself, so that neither stands without the other.

    `source` is the network address that somebody came from; it is forgotten after SOURCES_KEPT.
    """
    entry_id = await connection.scalar(
        insert(audit_entry)
        .values(
            at=at,
            actor=actor,
            action=action,
            subject=subject,
            detail=json.dumps(detail, ensure_ascii=False, sort_keys=True),
        )
        .returning(audit_entry.c.id)
    )
    if source:
        await connection.execute(insert(audit_source).values(entry_id=entry_id, address=source, at=at))


async def entries(
    connection: AsyncConnection,
    subject: str | None = None,
    limit: int = 200,
    *,
    actor: str | None = None,
    action: str | None = None,
    since: int | None = None,
    before: int | None = None,
    before_id: int | None = None,
) -> list[Entry]:
    """The newest first. `since` is included, `before` is not; `before_id` pages on."""
    entry = audit_entry.c
    wanted = (
        (subject, entry.subject == subject),
        (actor, entry.actor == actor),
        (action, entry.action == action),
        (since, entry.at >= (since or 0)),
        (before, entry.at < (before or 0)),
        (before_id, entry.id < (before_id or 0)),
    )
    rows = await connection.execute(
        select(audit_entry, audit_source.c.address)
        .outerjoin(audit_source, audit_source.c.entry_id == entry.id)
        .where(*(condition for value, condition in wanted if value is not None))
        .order_by(entry.id.desc())
        .limit(limit)
    )
    return [
        Entry(row.at, row.actor, row.action, row.subject, json.loads(row.detail), row.id, row.address or "")
        for row in rows
    ]


async def actors(connection: AsyncConnection) -> list[str]:
    """Everybody who stands in the trail."""
    found = await connection.scalars(select(audit_entry.c.actor).distinct().order_by(audit_entry.c.actor))
    return [str(row) for row in found]


async def last_times(connection: AsyncConnection, action: str) -> dict[str, int]:
    """When an act was last done, by its subject."""
    rows = await connection.execute(
        select(audit_entry.c.subject, func.max(audit_entry.c.at))
        .where(audit_entry.c.action == action)
        .group_by(audit_entry.c.subject)
    )
    return {str(subject): int(at) for subject, at in rows}


async def forget_sources(connection: AsyncConnection, now: int) -> int:
    """Where somebody came from is personal data: the entries stay, the addresses go."""
    gone = await connection.execute(delete(audit_source).where(audit_source.c.at < now - SOURCES_KEPT))
    return gone.rowcount
