"""The ledger (台帳): deliveries, batches, refusals. The truth about what went where; also the queue.

A batch moves ready → claimed → settled, or claimed → unknown → (same retry key) → settled; its moves
are in content/ledger/batches.py. Only exceptions have a row of their own: who got it is the batch's list
minus its refusals. Who was deferred stands in a refusal too, and in a later batch.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Select,
    Table,
    Text,
    UniqueConstraint,
    and_,
    false,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata
from content.ledger.recipients import pack
from content.ledger.states import BatchKind, BatchState, DeliveryState, one_of

delivery = Table(
    "delivery",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("version_id", Id, ForeignKey("notice_version.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("channel", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("state", Text, nullable=False),
    # Why a stopped delivery stopped: quota, credentials, …
    Column("reason", Text, nullable=False, server_default=""),
    # Where planning goes on after a crash: the highest subscriber id already in a batch.
    Column("planned_up_to", BigInteger, nullable=False, server_default="0"),
    Column("batches", Integer, nullable=False, server_default="0"),
    Column("planned", Integer, nullable=False, server_default="0"),
    Column("created_at", BigInteger, nullable=False),
    Column("planned_at", BigInteger),
    # Nothing of it is sent after this time; None: until the budget of its lane is over.
    Column("send_until", BigInteger),
    # Since when its account is missing from the town profile.
    Column("suspended_at", BigInteger, index=True),
    UniqueConstraint("notice_id", "account"),
    CheckConstraint(one_of("state", DeliveryState), name="state"),
    Index(None, "state"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, ForeignKey("delivery.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    # The batch that deferred these recipients, None for one of the fan-out.
    Column("origin", Id),
    Column("account", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("recipients", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("retry_key", Text, nullable=False, unique=True),
    Column("attempt", Integer, nullable=False, server_default="0"),
    Column("not_before", BigInteger, nullable=False),
    Column("lease_owner", Text, nullable=False, server_default=""),
    Column("lease_until", BigInteger, nullable=False, server_default="0"),
    Column("fence", Integer, nullable=False, server_default="0"),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("accepted", Integer, nullable=False, server_default="0"),
    Column("refused", Integer, nullable=False, server_default="0"),
    Column("unknown", Integer, nullable=False, server_default="0"),
    Column("reason", Text, nullable=False, server_default=""),
    # Of a morning digest: the other deliveries whose notices it carries besides its own, "12,15".
    Column("carries", Text, nullable=False, server_default=""),
    # In the lane "morning": the batch that carries these recipients' notice in a digest.
    Column("carried_by", Id),
    # Set while some try may have been accepted unheard: such a batch never becomes "refused".
    Column("maybe_sent", Boolean, nullable=False, server_default=false()),
    # When its delivery was opened, or when the quiet hours end that it waits for: after a long downtime an old
    # batch is not sent any more.
    Column("created_at", BigInteger, nullable=False),
    Column("first_accepted_at", BigInteger),
    Column("last_accepted_at", BigInteger),
    Column("settled_at", BigInteger),
    UniqueConstraint("delivery_id", "seq"),
    CheckConstraint(one_of("state", BatchState), name="state"),
    CheckConstraint(one_of("kind", BatchKind), name="kind"),
    Index(None, "state", "lease_until"),
    Index(None, "origin"),
    Index(None, "carried_by"),
)
# Written out, not bound: a partial index serves only a query that says the very same.
_OPEN = f"state IN ('{BatchState.READY}', '{BatchState.UNKNOWN}')"
IS_OPEN = text(f"batch.{_OPEN}")
# Nobody has tried it yet, since its recipients are not to be disturbed before that.
RESTS = and_(batch.c.state == BatchState.READY, batch.c.not_before == batch.c.created_at)
# What a claim reads: in order, and no longer than what is still to be done.
Index(
    "ix_batch_open",
    batch.c.account,
    batch.c.lane,
    batch.c.attempt,
    batch.c.id,
    sqlite_where=text(_OPEN),
    postgresql_where=text(_OPEN),
)

refusal = Table(
    "refusal",
    metadata,
    Column("batch_id", Id, ForeignKey("batch.id"), primary_key=True, autoincrement=False),
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False, server_default=""),
    Column("at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Delivery:
    id: int
    notice_id: int
    version_id: int
    account: str
    channel: str
    lane: str
    state: str
    reason: str
    planned_up_to: int
    batches: int
    planned: int
    created_at: int
    send_until: int | None


async def open_delivery(
    connection: AsyncConnection,
    *,
    notice_id: int,
    version_id: int,
    account: str,
    channel: str,
    lane: str,
    at: int,
    send_until: int | None = None,
) -> int:
    """A delivery in state planning. Nothing of it is sent after `send_until`."""
    new_id = await connection.scalar(
        insert(delivery)
        .values(
            notice_id=notice_id,
            version_id=version_id,
            account=account,
            channel=channel,
            lane=lane,
            state=DeliveryState.PLANNING,
            created_at=at,
            send_until=send_until,
        )
        .returning(delivery.c.id)
    )
    assert new_id is not None
    return int(new_id)


async def deliveries_to_plan(connection: AsyncConnection) -> list[tuple[int, str]]:
    """(id, lane) of deliveries whose planning is not finished, urgent ones first."""
    rows = await connection.execute(
        select(delivery.c.id, delivery.c.lane)
        .where(delivery.c.state == DeliveryState.PLANNING)
        .order_by(delivery.c.lane.desc(), delivery.c.id)
    )
    return [(int(delivery_id), lane) for delivery_id, lane in rows]


async def lock_delivery(connection: AsyncConnection, delivery_id: int) -> Delivery | None:
    """The delivery if it is still being planned, locked until the transaction ends.

    On PostgreSQL a delivery that another process is planning right now is passed over.
    """
    row = (
        await connection.execute(
            _delivery_columns()
            .where(delivery.c.id == delivery_id, delivery.c.state == DeliveryState.PLANNING)
            .with_for_update(skip_locked=True)
        )
    ).one_or_none()
    return None if row is None else Delivery(*row)


async def add_batches(
    connection: AsyncConnection,
    planned: Delivery,
    slices: Sequence[tuple[str, Sequence[int], int]],
    *,
    kind: str = BatchKind.LIST,
    lane: str = "",
) -> None:
    """Freeze slices of (language, ascending subscriber ids, end of their quiet hours) as ready batches, each with
    its retry key. The end is 0 for those who are not asleep; another lane than the delivery's is that of those who
    wait for the morning."""
    rows = [
        {
            "delivery_id": planned.id,
            "seq": planned.batches + index,
            "account": planned.account,
            "lane": lane or planned.lane,
            "kind": kind,
            "language": language,
            "state": BatchState.READY,
            "recipients": pack(ids),
            "size": len(ids),
            "retry_key": str(uuid.uuid4()),
            # A first attempt waits for nothing else, not even for a clock that was set back.
            "not_before": rest_until,
            "created_at": rest_until or planned.created_at,
        }
        for index, (language, ids, rest_until) in enumerate(slices)
    ]
    if rows:
        await connection.execute(insert(batch), rows)
        await connection.execute(
            update(delivery)
            .where(delivery.c.id == planned.id)
            .values(
                batches=delivery.c.batches + len(rows),
                planned=delivery.c.planned + sum(len(ids) for _, ids, _ in slices),
            )
        )


async def remember_planning(connection: AsyncConnection, delivery_id: int, *, up_to: int) -> None:
    await connection.execute(update(delivery).where(delivery.c.id == delivery_id).values(planned_up_to=up_to))


async def finish_planning(connection: AsyncConnection, delivery_id: int, at: int) -> None:
    await connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.state == DeliveryState.PLANNING)
        .values(state=DeliveryState.PLANNED, planned_at=at)
    )


def get_delivery(connection: Connection, delivery_id: int) -> Delivery:
    return Delivery(*connection.execute(_delivery_columns().where(delivery.c.id == delivery_id)).one())


def _delivery_columns() -> Select[Any]:
    return select(
        delivery.c.id,
        delivery.c.notice_id,
        delivery.c.version_id,
        delivery.c.account,
        delivery.c.channel,
        delivery.c.lane,
        delivery.c.state,
        delivery.c.reason,
        delivery.c.planned_up_to,
        delivery.c.batches,
        delivery.c.planned,
        delivery.c.created_at,
        delivery.c.send_until,
    )
