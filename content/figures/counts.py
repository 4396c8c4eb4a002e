"""Counts of registrations: as they are now, and as the registration events tell of any day.

A count is 登録数: registrations active at the end of a day in Japan. It counts addresses on
channels, not persons: who registered on LINE and by mail counts twice.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.figures import book
from content.figures.movements import Measure, Move
from content.register.imports import has_come_in
from content.register.states import SubscriberState
from content.register.subscribers import preference, subscriber

DEFINITION = (
    "登録数は、その日の終わり(日本時間)に有効な登録(配信手段ごとの宛先)の数で、人数ではありません。"
    "1人がLINEとメールの両方に登録すると2件になります。"
)


@dataclass(frozen=True, slots=True)
class Movement:
    """What happened on one day in Japan on one account; who came back counts as joined too."""

    day: date
    account: str
    joined: int
    left: int


async def movements(connection: AsyncConnection) -> list[Movement]:
    """Every day on which somebody joined or left, in order of days."""
    days: dict[tuple[date, str], list[int]] = {}
    for movement, number in (await book.by_day(connection, Measure.TOTAL)).items():
        counted = days.setdefault((movement.day, movement.account), [0, 0])
        counted[movement.kind == Move.LEFT] += number
    return [Movement(day, account, *days[day, account]) for day, account in sorted(days)]


def count_at(moves: list[Movement], accounts: set[str], day: date) -> int:
    """登録数 on these accounts at the end of `day`."""
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


async def active_by_language(connection: AsyncConnection) -> list[tuple[str, str, int]]:
    """(account, language, active registrations)."""
    rows = await connection.execute(
        select(subscriber.c.account, subscriber.c.language, func.count())
        .where(subscriber.c.state == SubscriberState.ACTIVE, has_come_in(subscriber.c.id))
        .group_by(subscriber.c.account, subscriber.c.language)
        .order_by(subscriber.c.account, subscriber.c.language)
    )
    return [(account, language, int(count)) for account, language, count in rows]


async def active_without_area(connection: AsyncConnection) -> dict[str, int]:
    """Active registrations per account that chose no area (未選択)."""
    chose = exists().where(
        preference.c.subscriber_id == subscriber.c.id, preference.c.kind == str(Measure.AREA)
    )
    rows = await connection.execute(
        select(subscriber.c.account, func.count())
        .where(subscriber.c.state == SubscriberState.ACTIVE, has_come_in(subscriber.c.id), ~chose)
        .group_by(subscriber.c.account)
    )
    return {account: int(count) for account, count in rows}
