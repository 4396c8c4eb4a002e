"""Counts of registrations: computed from registration events, and the daily snapshot of them.

A count is 登録者数: registrations active at the end of a day in Japan. It counts addresses on
channels, not persons: who registered on LINE and by mail counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Integer,
    Table,
    Text,
    and_,
    case,
    func,
    select,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, HOUR
from content.database import insert_unless_known, metadata
from content.register.imports import has_come_in
from content.register.states import EventKind, SubscriberState
from content.register.subscribers import preference, registration_event, subscriber

EPOCH = date(1970, 1, 1)
JAPAN_AHEAD = 9 * HOUR

daily_count = Table(
    "daily_count",
    metadata,
    Column("day", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    # "" is the whole account; a category's figure counts those who chose it.
    Column("category", Text, primary_key=True),
    Column("subscribers", Integer, nullable=False),
    Column("taken_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened on one day in Japan on one account."""

    day: date
    account: str
    joined: int
    left: int


async def movements(connection: AsyncConnection) -> list[Movement]:
    """Every day on which somebody joined or left, in order of days."""
    day = (registration_event.c.at + JAPAN_AHEAD) // DAY
    joined = func.sum(case((registration_event.c.kind == EventKind.JOINED, 1), else_=0))
    left = func.sum(case((registration_event.c.kind == EventKind.LEFT, 1), else_=0))
    rows = await connection.execute(
        select(day.label("day"), registration_event.c.account, joined, left)
        .where(
            registration_event.c.kind != EventKind.CHANGED, has_come_in(registration_event.c.subscriber_id)
        )
        .group_by("day", registration_event.c.account)
        .order_by("day", registration_event.c.account)
    )
    return [
        Movement(EPOCH + timedelta(days=int(number)), account, int(came), int(went))
        for number, account, came, went in rows
    ]


def count_at(moves: list[Movement], accounts: set[str], day: date) -> int:
    """登録者数 on these accounts at the end of `day`."""
    return sum(move.joined - move.left for move in moves if move.account in accounts and move.day <= day)


async def active_now(connection: AsyncConnection) -> dict[str, int]:
    """Active registrations per account."""
    rows = await connection.execute(
        select(subscriber.c.account, func.count())
        .where(subscriber.c.state == SubscriberState.ACTIVE, has_come_in(subscriber.c.id))
        .group_by(subscriber.c.account)
    )
    return {account: int(count) for account, count in rows}


async def active_by_choice(connection: AsyncConnection, kind: str) -> list[tuple[str, str, int]]:
    """(account, value, active registrations that chose it) for category, area, birth_month or group."""
    rows = await connection.execute(
        select(preference.c.account, preference.c.value, func.count())
        .where(preference.c.kind == kind, preference.c.active, has_come_in(preference.c.subscriber_id))
        .group_by(preference.c.account, preference.c.value)
        .order_by(preference.c.account, preference.c.value)
    )
    return [(account, value, int(count)) for account, value, count in rows]


async def newest_snapshot(connection: AsyncConnection) -> date | None:
    newest: date | None = await connection.scalar(select(func.max(daily_count.c.day)))
    return newest


async def take_snapshots(connection: AsyncConnection, *, up_to: date, at: int, look_back: int = 400) -> int:
    """Write the counts of every day up to `up_to` that has none yet; the number of days written.

    Holes (the service was down) are filled from the events. Figures per category are known only as
    they are now, so they are written for `up_to` alone.
    """
    moves = await movements(connection)
    if not moves:
        return 0
    newest = await newest_snapshot(connection)
    first = max(moves[0].day, up_to - timedelta(days=look_back))
    day = first if newest is None else max(first, newest + timedelta(days=1))
    accounts = sorted({move.account for move in moves})
    written = 0
    while day <= up_to:
        await _write(connection, day, [(a, "", count_at(moves, {a}, day)) for a in accounts], at)
        written += 1
        day += timedelta(days=1)
    if written:
        await _write(connection, up_to, await active_by_choice(connection, "category"), at)
    return written


async def snapshots(connection: AsyncConnection, first: date, last: date) -> list[tuple[date, str, str, int]]:
    """(day, account, category, subscribers) of the days asked for."""
    rows = await connection.execute(
        select(daily_count.c.day, daily_count.c.account, daily_count.c.category, daily_count.c.subscribers)
        .where(and_(daily_count.c.day >= first, daily_count.c.day <= last))
        .order_by(daily_count.c.day, daily_count.c.account, daily_count.c.category)
    )
    return [(day, account, category, count) for day, account, category, count in rows]


async def _write(
    connection: AsyncConnection, day: date, figures: list[tuple[str, str, int]], at: int
) -> None:
    if figures:
        await connection.execute(
            # Another process may have written the same day a moment ago.
            insert_unless_known(connection, daily_count).on_conflict_do_nothing(),
            [
                {"day": day, "account": account, "category": category, "subscribers": count, "taken_at": at}
                for account, category, count in figures
            ],
        )
