"""What came in from a platform and still has to be handled: stored before it is answered.

The id is the platform's own, so a second copy changes nothing. The payload is sealed (it names
people) and wiped once handled; the bare id stays until a sweep, to recognise late copies. An event
that cannot be handled is set aside with its payload: a person may let it be tried again until the
sweep takes it.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import insert_unless_known, metadata, one_of
from content.key_file import KeyFileError
from content.keys import Keys
from content.register.states import InboundState

KEEP_DAYS = 14
GIVE_UP_AFTER = 5

inbound_event = Table(
    "inbound_event",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("occurred_at", BigInteger, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("attempt", Integer, nullable=False, server_default="0"),
    # Of the last failed try: the kind of error, never its words.
    Column("reason", Text, nullable=False, server_default=""),
    CheckConstraint(one_of("state", InboundState), name="state"),
    Index(None, "state", "occurred_at"),
)


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a platform just told us, not stored yet."""

    id: str
    account: str
    occurred_at: int
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Inbound:
    """A stored event. `payload` is None when no key of ours opens it."""

    id: str
    account: str
    attempt: int
    payload: dict[str, Any] | None = field(repr=False)


@dataclass(frozen=True, slots=True)
class SetAside:
    """An event that could not be handled. `kind` is the platform's word for it, `reason` our error."""

    id: str
    account: str
    kind: str
    occurred_at: int
    received_at: int
    attempt: int
    reason: str


def sealed_rows(keys: Keys, arrivals: Iterable[Arrival], received_at: int) -> list[dict[str, Any]]:
    """For `store`: work to do before its transaction begins."""
    return [
        {
            "id": item.id,
            "account": item.account,
            "state": InboundState.WAITING,
            "sealed": keys.seal(json.dumps(item.payload, ensure_ascii=False), seal_place(item.id)),
            "occurred_at": item.occurred_at,
            "received_at": received_at,
        }
        for item in arrivals
    ]


async def store(connection: AsyncConnection, rows: Sequence[dict[str, Any]]) -> None:
    """Store what is new; what had come in before stays as it is."""
    if rows:
        await connection.execute(
            insert_unless_known(connection, inbound_event).on_conflict_do_nothing(), list(rows)
        )


async def waiting(connection: AsyncConnection, keys: Keys, limit: int = 100) -> list[Inbound]:
    """The oldest events first."""
    rows = await connection.execute(
        select(inbound_event)
        .where(inbound_event.c.state == InboundState.WAITING)
        .order_by(inbound_event.c.occurred_at, inbound_event.c.id)
        .limit(limit)
    )
    return [Inbound(row.id, row.account, row.attempt, _open(keys, row.id, row.sealed)) for row in rows]


async def set_aside(connection: AsyncConnection, keys: Keys, limit: int = 100) -> list[SetAside]:
    """What could not be handled, the newest first."""
    rows = await connection.execute(
        select(inbound_event)
        .where(inbound_event.c.state == InboundState.FAILED)
        .order_by(inbound_event.c.occurred_at.desc(), inbound_event.c.id)
        .limit(limit)
    )
    return [
        SetAside(
            row.id,
            row.account,
            str((_open(keys, row.id, row.sealed) or {}).get("type", ""))[:40],
            row.occurred_at,
            row.received_at,
            row.attempt,
            row.reason,
        )
        for row in rows
    ]


async def oldest_waiting(connection: AsyncConnection) -> int | None:
    """When the oldest event that nobody has handled came in; None when nothing waits."""
    waits = inbound_event.c.state == InboundState.WAITING
    found = await connection.scalar(select(func.min(inbound_event.c.received_at)).where(waits))
    return None if found is None else int(found)


async def count_set_aside(connection: AsyncConnection) -> int:
    failed_ones = select(func.count()).where(inbound_event.c.state == InboundState.FAILED)
    return int(await connection.scalar(failed_ones) or 0)


async def try_again(connection: AsyncConnection, event_ids: Sequence[str] | None = None) -> int:
    """Let events that were set aside be handled once more, all of them by default; how many.

    Those of earlier versions, whose payload was wiped, stay where they are.
    """
    chosen = [inbound_event.c.id.in_(event_ids)] if event_ids is not None else []
    changed = await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.state == InboundState.FAILED, inbound_event.c.sealed != b"", *chosen)
        .values(state=InboundState.WAITING, attempt=0, reason="")
    )
    return int(changed.rowcount)


async def finish(connection: AsyncConnection, event_id: str) -> bool:
    """In the transaction of the change that the event caused; False when another was faster."""
    changed = await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.id == event_id, inbound_event.c.state == InboundState.WAITING)
        .values(state=InboundState.HANDLED, sealed=b"")
    )
    return bool(changed.rowcount)


async def failed(connection: AsyncConnection, event: Inbound, reason: str) -> None:
    """Count a failed try; after GIVE_UP_AFTER of them the event is set aside.

    Changes nothing when another has handled it meanwhile."""
    gone = event.attempt + 1 >= GIVE_UP_AFTER
    await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.id == event.id, inbound_event.c.state == InboundState.WAITING)
        .values(
            attempt=event.attempt + 1,
            reason=reason,
            state=InboundState.FAILED if gone else InboundState.WAITING,
        )
    )


async def forget_old(connection: AsyncConnection, now: int) -> int:
    gone = await connection.execute(
        delete(inbound_event).where(
            inbound_event.c.state != InboundState.WAITING, inbound_event.c.received_at < now - KEEP_DAYS * DAY
        )
    )
    return int(gone.rowcount)


def seal_place(event_id: str) -> str:
    return f"inbound event {event_id}"


def _open(keys: Keys, event_id: str, sealed: bytes) -> dict[str, Any] | None:
    # One event that cannot be opened must not keep the others waiting.
    try:
        payload: dict[str, Any] = json.loads(keys.open(sealed, seal_place(event_id)))
    except (KeyFileError, IndexError):
        return None
    return payload
