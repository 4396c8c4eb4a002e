"""The ledger (台帳): deliveries, batches, refusals. The truth about what went where; also the queue.

A batch moves ready → claimed → settled, or claimed → unknown → (same retry key) → settled. Claiming
is a conditional update under a lease; settling checks the fence, so an owner whose lease ran out
cannot settle. Only exceptions have a row of their own: who got it is the batch's list minus its
refusals.
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
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Row,
    Select,
    Table,
    Text,
    UniqueConstraint,
    false,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata
from content.recipients import pack, unpack

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
    UniqueConstraint("notice_id", "account"),
    CheckConstraint("state IN ('planning', 'planned', 'stopped')", name="state"),
    Index(None, "state"),
)

batch = Table(
    "batch",
    metadata,
    Column("id", Id, primary_key=True),
    Column("delivery_id", Id, ForeignKey("delivery.id"), nullable=False),
    Column("seq", Integer, nullable=False),
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
    # Set while some try may have been accepted unheard: such a batch never becomes "refused".
    Column("maybe_sent", Boolean, nullable=False, server_default=false()),
    # When its delivery was opened: after a long downtime an old batch is not sent any more.
    Column("created_at", BigInteger, nullable=False),
    Column("first_accepted_at", BigInteger),
    Column("last_accepted_at", BigInteger),
    Column("settled_at", BigInteger),
    UniqueConstraint("delivery_id", "seq"),
    CheckConstraint("state IN ('ready', 'claimed', 'unknown', 'settled')", name="state"),
    CheckConstraint("kind IN ('list', 'broadcast')", name="kind"),
    Index(None, "account", "lane", "state", "attempt", "id"),
    Index(None, "state", "lease_until"),
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


@dataclass(frozen=True, slots=True)
class Batch:
    """A claimed batch. `position` recipients of the frozen list are done already."""

    id: int
    delivery_id: int
    account: str
    lane: str
    kind: str
    language: str
    recipients: tuple[int, ...]
    retry_key: str
    attempt: int
    fence: int
    position: int
    maybe_sent: bool
    created_at: int


@dataclass(frozen=True, slots=True)
class Refused:
    """One row for the ledger's exceptions. `detail` never holds an address."""

    subscriber_id: int
    reason: str
    detail: str = ""


async def open_delivery(
    connection: AsyncConnection,
    *,
    notice_id: int,
    version_id: int,
    account: str,
    channel: str,
    lane: str,
    at: int,
) -> int:
    """A delivery in state planning."""
    new_id = await connection.scalar(
        insert(delivery)
        .values(
            notice_id=notice_id,
            version_id=version_id,
            account=account,
            channel=channel,
            lane=lane,
            state="planning",
            created_at=at,
        )
        .returning(delivery.c.id)
    )
    assert new_id is not None
    return int(new_id)


async def deliveries_to_plan(connection: AsyncConnection) -> list[int]:
    """Deliveries whose planning is not finished, urgent ones first."""
    rows = await connection.scalars(
        select(delivery.c.id)
        .where(delivery.c.state == "planning")
        .order_by(delivery.c.lane.desc(), delivery.c.id)
    )
    return [int(row) for row in rows]


async def lock_delivery(connection: AsyncConnection, delivery_id: int) -> Delivery | None:
    """The delivery if it is still being planned, locked until the transaction ends.

    On PostgreSQL a delivery that another process is planning right now is passed over.
    """
    row = (
        await connection.execute(
            _delivery_columns()
            .where(delivery.c.id == delivery_id, delivery.c.state == "planning")
            .with_for_update(skip_locked=True)
        )
    ).one_or_none()
    return None if row is None else Delivery(*row)


async def add_batches(
    connection: AsyncConnection,
    planned: Delivery,
    slices: Sequence[tuple[str, Sequence[int]]],
    *,
    kind: str = "list",
    at: int,
) -> None:
    """Freeze slices of (language, ascending subscriber ids) as ready batches, each with its retry key."""
    rows = [
        {
            "delivery_id": planned.id,
            "seq": planned.batches + index,
            "account": planned.account,
            "lane": planned.lane,
            "kind": kind,
            "language": language,
            "state": "ready",
            "recipients": pack(ids),
            "size": len(ids),
            "retry_key": str(uuid.uuid4()),
            "not_before": at,
            "created_at": planned.created_at,
        }
        for index, (language, ids) in enumerate(slices)
    ]
    if rows:
        await connection.execute(insert(batch), rows)
        await connection.execute(
            update(delivery)
            .where(delivery.c.id == planned.id)
            .values(
                batches=delivery.c.batches + len(rows),
                planned=delivery.c.planned + sum(len(ids) for _, ids in slices),
            )
        )


async def remember_planning(connection: AsyncConnection, delivery_id: int, *, up_to: int) -> None:
    await connection.execute(update(delivery).where(delivery.c.id == delivery_id).values(planned_up_to=up_to))


async def finish_planning(connection: AsyncConnection, delivery_id: int, at: int) -> None:
    await connection.execute(
        update(delivery)
        .where(delivery.c.id == delivery_id, delivery.c.state == "planning")
        .values(state="planned", planned_at=at)
    )


async def claim(
    connection: AsyncConnection, *, account: str, lane: str, owner: str, now: int, lease: int
) -> Batch | None:
    """Take the oldest batch of a lane under a lease of `lease` ms. A retry never stands before a first attempt."""
    candidate = (
        select(batch.c.id)
        .where(
            batch.c.account == account,
            batch.c.lane == lane,
            batch.c.state.in_(("ready", "unknown")),
            batch.c.not_before <= now,
        )
        .order_by(batch.c.attempt, batch.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    row = (
        await connection.execute(
            update(batch)
            .where(batch.c.id == candidate, batch.c.state.in_(("ready", "unknown")))
            .values(
                state="claimed",
                lease_owner=owner,
                lease_until=now + lease,
                fence=batch.c.fence + 1,
                attempt=batch.c.attempt + 1,
            )
            .returning(
                batch.c.id,
                batch.c.delivery_id,
                batch.c.account,
                batch.c.lane,
                batch.c.kind,
                batch.c.language,
                batch.c.recipients,
                batch.c.retry_key,
                batch.c.attempt,
                batch.c.fence,
                batch.c.position,
                batch.c.maybe_sent,
                batch.c.created_at,
            )
        )
    ).one_or_none()
    return None if row is None else _claimed(row)


async def record_part(
    connection: AsyncConnection,
    claimed: Batch,
    *,
    position: int,
    accepted: int,
    refused: Sequence[Refused],
    now: int,
    lease: int,
) -> bool:
    """Write down progress inside a batch and lengthen its lease; settles it when the list is through.

    False, and nothing written, when the lease went to somebody else.
    """
    done = position >= len(claimed.recipients)
    changes: dict[str, object] = {
        "position": position,
        "accepted": batch.c.accepted + accepted,
        "refused": batch.c.refused + len(refused),
        "lease_until": now + lease,
        "maybe_sent": False,
    }
    if accepted:
        changes["first_accepted_at"] = func.coalesce(batch.c.first_accepted_at, now)
        changes["last_accepted_at"] = now
    if done:
        changes |= {"state": "settled", "settled_at": now, "reason": ""}
    if not await _update_owned(connection, claimed, changes):
        return False
    await _add_refusals(connection, claimed.id, refused, now)
    return True


async def settle_rest(
    connection: AsyncConnection, claimed: Batch, *, outcome: str, reason: str, now: int
) -> bool:
    """Close a batch: what is not accounted for yet becomes `refused` or `unknown`, for one reason."""
    rest = batch.c.size - batch.c.accepted - batch.c.refused
    changes: dict[str, object] = {"state": "settled", "settled_at": now, "reason": reason}
    changes[outcome] = batch.c.refused + rest if outcome == "refused" else rest
    return await _update_owned(connection, claimed, changes)


async def accept_all(connection: AsyncConnection, claimed: Batch, *, now: int) -> bool:
    """Settle a broadcast: the whole frozen list was accepted in one call."""
    size = len(claimed.recipients)
    return await record_part(connection, claimed, position=size, accepted=size, refused=(), now=now, lease=0)


async def give_back(
    connection: AsyncConnection, claimed: Batch, *, state: str, reason: str, not_before: int
) -> bool:
    """`ready` when nothing of the rest went out, `unknown` when something may have. Same retry key."""
    changes: dict[str, object] = {"state": state, "reason": reason, "not_before": not_before}
    if state == "unknown":
        changes["maybe_sent"] = True
    return await _update_owned(connection, claimed, {**changes, "lease_owner": "", "lease_until": 0})


async def stop_delivery(connection: AsyncConnection, delivery_id: int, *, reason: str, now: int) -> int:
    """Refuse every open batch of a delivery that nobody has in hand; the number of batches."""
    await connection.execute(
        update(delivery).where(delivery.c.id == delivery_id).values(state="stopped", reason=reason)
    )
    stopped = await connection.execute(
        update(batch)
        .where(batch.c.delivery_id == delivery_id, batch.c.state == "ready")
        .values(
            state="settled",
            refused=batch.c.size - batch.c.accepted,
            reason=reason,
            settled_at=now,
        )
    )
    return int(stopped.rowcount)


async def get_delivery(connection: AsyncConnection, delivery_id: int) -> Delivery:
    row = (await connection.execute(_delivery_columns().where(delivery.c.id == delivery_id))).one()
    return Delivery(*row)


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
    )


def _claimed(row: Row[Any]) -> Batch:
    values = row._asdict()
    values["recipients"] = tuple(unpack(values["recipients"]))
    return Batch(**values)


async def _update_owned(connection: AsyncConnection, claimed: Batch, changes: dict[str, object]) -> bool:
    changed = await connection.execute(
        update(batch)
        .where(batch.c.id == claimed.id, batch.c.fence == claimed.fence, batch.c.state == "claimed")
        .values(**changes)
    )
    return bool(changed.rowcount)


async def _add_refusals(
    connection: AsyncConnection, batch_id: int, refused: Sequence[Refused], now: int
) -> None:
    if refused:
        await connection.execute(
            insert(refusal),
            [
                {
                    "batch_id": batch_id,
                    "subscriber_id": item.subscriber_id,
                    "reason": item.reason,
                    "detail": item.detail,
                    "at": now,
                }
                for item in refused
            ],
        )
