"""Mails that did not arrive, and the addresses that get none for that reason. What changes them: suppressing.py."""

from __future__ import annotations

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
    Table,
    Text,
    delete,
    func,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, today_jst
from content.database import Id, metadata, one_of
from content.register.states import BounceKind, SubscriberState
from content.register.subscribers import subscriber

# So long without a failure, and the earlier ones say nothing any more.
FORGOTTEN_AFTER = 30 * DAY

bounce = Table(
    "bounce",
    metadata,
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    # Of the notice that the mail carried: what comes back twice counts once.
    Column("version_id", Id, primary_key=True, autoincrement=False),
    Column("kind", Text, nullable=False),
    # As in RFC 3463, "" when nothing of the kind was said.
    Column("status", Text, nullable=False, server_default=""),
    Column("at", BigInteger, nullable=False),
    # False once mail goes there again: a late copy of the same bounce then changes nothing.
    Column("counts", Boolean, nullable=False, server_default=true()),
    CheckConstraint(one_of("kind", BounceKind), name="kind"),
    Index(None, "at"),
)

suppression = Table(
    "suppression",
    metadata,
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    # What decided it: the kind of the last failure.
    Column("kind", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    CheckConstraint(one_of("kind", BounceKind), name="kind"),
)


@dataclass(frozen=True, slots=True)
class Suppressed:
    """A registration that gets no mail. `days`: on how many days mails came back, `last_at`: the last time."""

    subscriber_id: int
    account: str
    kind: BounceKind
    since: int
    days: int
    last_at: int | None
    last_status: str


async def suppressed_since(connection: AsyncConnection, subscriber_id: int) -> int | None:
    """None when mail goes there as usual."""
    return await connection.scalar(
        select(suppression.c.since).where(suppression.c.subscriber_id == subscriber_id)
    )


def suppressed_among(connection: Connection, subscriber_ids: Sequence[int]) -> frozenset[int]:
    rows = connection.execute(
        select(suppression.c.subscriber_id).where(suppression.c.subscriber_id.in_(subscriber_ids))
    )
    return frozenset(row.subscriber_id for row in rows)


async def count_suppressed(connection: AsyncConnection) -> dict[tuple[str, BounceKind], int]:
    """Active registrations by account and by what decided it."""
    rows = await connection.execute(
        select(suppression.c.account, suppression.c.kind, func.count())
        .join(subscriber, subscriber.c.id == suppression.c.subscriber_id)
        .where(subscriber.c.state == SubscriberState.ACTIVE)
        .group_by(suppression.c.account, suppression.c.kind)
        .order_by(suppression.c.account, suppression.c.kind)
    )
    return {(account, BounceKind(kind)): int(number) for account, kind, number in rows}


async def list_suppressed(connection: AsyncConnection, *, after: int, most: int) -> list[Suppressed]:
    """Active ones in the order of their numbers, behind the number `after`."""
    rows = (
        await connection.execute(
            select(suppression)
            .join(subscriber, subscriber.c.id == suppression.c.subscriber_id)
            .where(subscriber.c.state == SubscriberState.ACTIVE, suppression.c.subscriber_id > after)
            .order_by(suppression.c.subscriber_id)
            .limit(most)
        )
    ).all()
    returned = await bounces_of(connection, [row.subscriber_id for row in rows])
    return [_suppressed(row, returned.get(row.subscriber_id, [])) for row in rows]


async def forget_old(connection: AsyncConnection, now: int) -> None:
    """What came back long ago, unless it is why an address gets no mail."""
    await connection.execute(
        delete(bounce).where(
            bounce.c.at <= now - FORGOTTEN_AFTER,
            bounce.c.subscriber_id.not_in(select(suppression.c.subscriber_id)),
        )
    )


async def bounces_of(connection: AsyncConnection, subscriber_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Rows of `bounce` that count, the oldest first."""
    found: dict[int, list[Any]] = {}
    rows = await connection.execute(
        select(bounce)
        .where(bounce.c.subscriber_id.in_(subscriber_ids), bounce.c.counts.is_(True))
        .order_by(bounce.c.at)
    )
    for row in rows:
        found.setdefault(row.subscriber_id, []).append(row)
    return found


def _suppressed(row: Any, returned: Sequence[Any]) -> Suppressed:
    return Suppressed(
        subscriber_id=row.subscriber_id,
        account=row.account,
        kind=BounceKind(row.kind),
        since=row.since,
        days=len({today_jst(one.at) for one in returned}),
        last_at=returned[-1].at if returned else None,
        last_status=returned[-1].status if returned else "",
    )
