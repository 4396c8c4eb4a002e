"""Daily snapshots (日次の控え) of every figure: taken when the day is over, kept for good, counted once more from the events.

A day on which the service did not run has none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Column, Date, Integer, Table, Text, delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, insert_many, insert_unless_known, metadata
from content.figures import book
from content.figures.book import daily_movement, enter_events
from content.figures.counts import active_by_choice, active_by_language, active_now
from content.figures.movements import Event, Measure, fold, sign
from content.figures.observed import service_day

daily_snapshot = Table(
    "daily_snapshot",
    metadata,
    Column("day", Date, primary_key=True),
    Column("taken_at", BigInteger, nullable=False),
    # The last event that was known then: what is entered later for earlier days is not in it.
    Column("up_to_event", BigInteger, nullable=False),
    # Figures that came out otherwise when they were counted once more; None until that was done.
    Column("different", Integer),
)

daily_figure = Table(
    "daily_figure",
    metadata,
    Column("day", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("registrations", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# (account, measure, value) → active registrations
Figures = Mapping[tuple[str, str, str], int]


@dataclass(frozen=True, slots=True)
class Snapshot:
    day: date
    taken_at: int
    up_to_event: int
    different: int | None


async def take_snapshots(database: Database, *, today: date, at: int) -> int:
    """Of every day that is over, on which the service ran, and that has none; the number of days."""
    async with database.write() as connection:
        await _forget_ahead(connection, today, at)
        days = await _days_without(connection, today)
    if not days or not await enter_events(database):
        return 0
    for day in days:
        async with database.write() as connection:
            await take(connection, day, at=at)
    return len(days)


async def take(connection: AsyncConnection, day: date, *, at: int) -> bool:
    """Write down the end of this day as the book has it; False when another process did."""
    up_to = await book.up_to_event(connection)
    written = await connection.execute(
        insert_unless_known(connection, daily_snapshot)
        .values(day=day, taken_at=at, up_to_event=up_to)
        .on_conflict_do_nothing()
    )
    if not written.rowcount:
        return False
    rows = [
        {"day": day, "account": account, "measure": measure, "value": value, "registrations": number}
        for (account, measure, value), number in (await from_book(connection, day)).items()
    ]
    await insert_many(connection, daily_figure, rows)
    return True


async def from_book(connection: AsyncConnection, day: date) -> Figures:
    """Active registrations at the end of a day, of every cell that was ever taken, without what is not in the book."""
    columns = (
        daily_movement.c.account,
        daily_movement.c.measure,
        daily_movement.c.value,
        daily_movement.c.kind,
    )
    rows = await connection.execute(
        select(*columns, func.sum(daily_movement.c.number))
        .where(daily_movement.c.day <= day)
        .group_by(*columns)
    )
    found: Counter[tuple[str, str, str]] = Counter()
    for account, measure, value, kind, number in rows:
        found[account, measure, value] += sign(kind) * int(number)
    return found


async def figures_of(connection: AsyncConnection, day: date) -> Figures | None:
    """The snapshot of a day; None when there is none."""
    if await find(connection, day) is None:
        return None
    rows = await connection.execute(select(daily_figure).where(daily_figure.c.day == day))
    return {(row.account, row.measure, row.value): row.registrations for row in rows}


async def find(connection: AsyncConnection, day: date) -> Snapshot | None:
    row = (await connection.execute(select(daily_snapshot).where(daily_snapshot.c.day == day))).one_or_none()
    return None if row is None else Snapshot(*row)


async def newest(connection: AsyncConnection) -> Snapshot | None:
    question = select(daily_snapshot).order_by(daily_snapshot.c.day.desc()).limit(1)
    row = (await connection.execute(question)).one_or_none()
    return None if row is None else Snapshot(*row)


async def count_once_more(database: Database) -> int | None:
    """Count the newest snapshot from the events alone, and the register beside the book; the number of differences.

    None when it was done before, or there is none.
    """
    async with database.read() as connection:
        last = await newest(connection)
        if last is None or last.different is not None:
            return None
        again: Counter[tuple[str, str, str]] = Counter()

        def take_part(events: list[Event]) -> None:
            for movement, number in fold(events).items():
                if movement.day <= last.day:
                    again[movement.account, movement.measure, movement.value] += sign(movement.kind) * number

        await book.all_events(connection, take_part, up_to=last.up_to_event)
        written = await figures_of(connection, last.day) or {}
        different = sum(written.get(cell, 0) != again[cell] for cell in {*written, *again})
        different += await _register_differs(connection)
    async with database.write() as connection:
        await connection.execute(
            update(daily_snapshot).where(daily_snapshot.c.day == last.day).values(different=different)
        )
    return different


async def _register_differs(connection: AsyncConnection) -> int:
    """Cells of which the register and the events do not say the same now."""
    now: Counter[tuple[str, str, str]] = Counter()
    for account, number in (await active_now(connection)).items():
        now[account, Measure.TOTAL, ""] = number
    for measure in (Measure.CATEGORY, Measure.AREA, Measure.GROUP):
        for account, value, number in await active_by_choice(connection, measure):
            now[account, measure, value] = number
    for account, value, number in await active_by_language(connection):
        now[account, Measure.LANGUAGE, value] = number
    told: Counter[tuple[str, str, str]] = Counter()
    measures = (Measure.TOTAL, Measure.CATEGORY, Measure.AREA, Measure.GROUP, Measure.LANGUAGE)
    for (_, movement), number in (await book.sums(connection, measures, [date.max])).items():
        told[movement.account, movement.measure, movement.value] += sign(movement.kind) * number
    cells = {cell for cell in {*now, *told} if cell[1:] != (Measure.AREA, "")}
    return sum(now[cell] != told[cell] for cell in cells)


async def _forget_ahead(connection: AsyncConnection, today: date, at: int) -> None:
    """A clock that was ahead had days written down that were not over."""
    wrong = select(daily_snapshot.c.day).where(
        (daily_snapshot.c.day >= today) | (daily_snapshot.c.taken_at > at)
    )
    await connection.execute(delete(daily_figure).where(daily_figure.c.day.in_(wrong)))
    await connection.execute(delete(daily_snapshot).where(daily_snapshot.c.day.in_(wrong)))


async def _days_without(connection: AsyncConnection, today: date) -> list[date]:
    known = select(daily_snapshot.c.day)
    found = await connection.scalars(
        select(service_day.c.day)
        .where(service_day.c.day < today, service_day.c.day.not_in(known))
        .order_by(service_day.c.day)
    )
    return list(found)
