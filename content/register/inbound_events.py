"""What came in from a platform and still has to be handled: stored before it is answered.

The id is the platform's own, so a second copy changes nothing. The payload is sealed (it names
people) and wiped once handled; the bare id stays until a sweep, to recognise late copies.
"""

from __future__ import annotations

import json
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
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import insert_unless_known, metadata, one_of
from content.keys import Keys
from content.register.states import InboundState

KEEP_IDS_FOR = 14 * DAY
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
    CheckConstraint(one_of("state", InboundState), name="state"),
    Index(None, "state", "occurred_at"),
)


@dataclass(frozen=True, slots=True)
class Inbound:
    id: str
    account: str
    attempt: int
    payload: dict[str, Any] = field(repr=False)


async def store(
    connection: AsyncConnection,
    keys: Keys,
    *,
    event_id: str,
    account: str,
    payload: dict[str, Any],
    occurred_at: int,
    received_at: int,
) -> bool:
    """False when this event had come in before."""
    stored = await connection.execute(
        insert_unless_known(connection, inbound_event)
        .values(
            id=event_id,
            account=account,
            state=InboundState.WAITING,
            sealed=keys.seal(json.dumps(payload, ensure_ascii=False)),
            occurred_at=occurred_at,
            received_at=received_at,
        )
        .on_conflict_do_nothing()
    )
    return bool(stored.rowcount)


async def waiting(connection: AsyncConnection, keys: Keys, limit: int = 100) -> list[Inbound]:
    """The oldest happenings first."""
    rows = await connection.execute(
        select(inbound_event)
        .where(inbound_event.c.state == InboundState.WAITING)
        .order_by(inbound_event.c.occurred_at, inbound_event.c.id)
        .limit(limit)
    )
    return [Inbound(row.id, row.account, row.attempt, json.loads(keys.open(row.sealed))) for row in rows]


async def finish(connection: AsyncConnection, event_id: str) -> bool:
    """In the transaction of the change that the event caused; False when another was faster."""
    changed = await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.id == event_id, inbound_event.c.state == InboundState.WAITING)
        .values(state=InboundState.HANDLED, sealed=b"")
    )
    return bool(changed.rowcount)


async def failed(connection: AsyncConnection, event: Inbound) -> None:
    """Count a failed try; after GIVE_UP_AFTER of them the event is set aside, wiped.

    Changes nothing when another has handled it meanwhile."""
    gone = event.attempt + 1 >= GIVE_UP_AFTER
    changes = {"state": InboundState.FAILED, "sealed": b""} if gone else {}
    await connection.execute(
        update(inbound_event)
        .where(inbound_event.c.id == event.id, inbound_event.c.state == InboundState.WAITING)
        .values(attempt=event.attempt + 1, **changes)
    )


async def forget_old(connection: AsyncConnection, now: int) -> int:
    gone = await connection.execute(
        delete(inbound_event).where(
            inbound_event.c.state != InboundState.WAITING, inbound_event.c.received_at < now - KEEP_IDS_FOR
        )
    )
    return int(gone.rowcount)
