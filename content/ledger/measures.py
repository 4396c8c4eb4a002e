"""What a monitoring system asks of the ledger: how much waits, since when, and what became of the last day's."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import case, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, MINUTE
from content.ledger.deliveries import batch, delivery, refusal
from content.ledger.settling import LEFT_OVER, UNSETTLED
from content.ledger.states import BatchState


@dataclass(frozen=True, slots=True)
class Waiting:
    """Unsettled batches of one account, lane and state; `oldest` is when the first of them could go (ms)."""

    account: str
    lane: str
    state: str
    batches: int
    recipients: int
    oldest: int


@dataclass(frozen=True, slots=True)
class LastDay:
    """Recipients of the deliveries that were opened in the last 24 hours, through one account."""

    account: str
    accepted: int
    refused: int
    unknown: int


async def waiting(connection: AsyncConnection) -> list[Waiting]:
    rows = await connection.execute(
        select(
            batch.c.account,
            batch.c.lane,
            batch.c.state,
            func.count(),
            func.coalesce(func.sum(LEFT_OVER), 0),
            func.min(batch.c.created_at),
        )
        .where(UNSETTLED)
        .group_by(batch.c.account, batch.c.lane, batch.c.state)
    )
    return [
        Waiting(account, lane, state, number, int(left), oldest)
        for account, lane, state, number, left, oldest in rows
    ]


async def oldest_ready(connection: AsyncConnection, now: int) -> int | None:
    """Since when (ms) the oldest batch could go that nobody has taken; None when there is none."""
    could_go = case((batch.c.not_before > batch.c.created_at, batch.c.not_before), else_=batch.c.created_at)
    found = await connection.scalar(
        select(func.min(could_go)).where(batch.c.state == BatchState.READY, batch.c.not_before <= now)
    )
    return None if found is None else int(found)


async def accepted_lately(connection: AsyncConnection, now: int) -> list[tuple[str, int]]:
    """(account, recipients) of batches of which something was accepted in the last minute."""
    rows = await connection.execute(
        select(batch.c.account, func.sum(batch.c.accepted))
        .join(delivery, batch.c.delivery_id == delivery.c.id)
        .where(delivery.c.created_at > now - DAY, batch.c.last_accepted_at > now - MINUTE)
        .group_by(batch.c.account)
    )
    return [(account, int(number)) for account, number in rows]


async def deliveries_by_state(connection: AsyncConnection) -> list[tuple[str, str, int]]:
    """(account, state, number) of all that were ever opened."""
    rows = await connection.execute(
        select(delivery.c.account, delivery.c.state, func.count()).group_by(
            delivery.c.account, delivery.c.state
        )
    )
    return [(account, state, number) for account, state, number in rows]


async def last_day(connection: AsyncConnection, now: int) -> list[LastDay]:
    sums = (
        func.coalesce(func.sum(column), 0) for column in (batch.c.accepted, batch.c.refused, batch.c.unknown)
    )
    rows = await connection.execute(
        select(delivery.c.account, *sums)
        .join(batch, batch.c.delivery_id == delivery.c.id)
        .where(delivery.c.created_at > now - DAY)
        .group_by(delivery.c.account)
    )
    return [LastDay(row[0], *map(int, row[1:])) for row in rows]


async def refused_last_day(connection: AsyncConnection, now: int) -> list[tuple[str, str, int]]:
    """(account, reason, number) of the same deliveries."""
    rows = await connection.execute(
        select(delivery.c.account, refusal.c.reason, func.count())
        .join(batch, batch.c.delivery_id == delivery.c.id)
        .join(refusal, refusal.c.batch_id == batch.c.id)
        .where(delivery.c.created_at > now - DAY)
        .group_by(delivery.c.account, refusal.c.reason)
    )
    return [(account, reason, number) for account, reason, number in rows]
