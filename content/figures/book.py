"""The book of movements (増減の帳簿): per day, account and cell, how many joined, returned, left, chose and dropped it.

It is a summary of the registration events up to one of them, so that ten years are read in a moment; what came after
that event is added while reading. It can be made anew from the events at any time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import date, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Date,
    Integer,
    Select,
    Table,
    Text,
    case,
    delete,
    func,
    select,
    text,
    update,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, insert_unless_known, metadata
from content.figures.movements import CellMove, Event, fold
from content.register.imports import has_come_in, registration_import
from content.register.states import ImportState
from content.register.subscribers import registration_event

# Events in one transaction, and events that are read at once.
SLICE = 2000

daily_movement = Table(
    "daily_movement",
    metadata,
    # In the order in which the reports ask for it.
    Column("measure", Text, primary_key=True),
    Column("day", Date, primary_key=True),
    Column("account", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("kind", Text, primary_key=True),
    Column("reason", Text, primary_key=True),
    Column("number", Integer, nullable=False),
    sqlite_with_rowid=False,
)

COLUMNS = (
    daily_movement.c.account,
    daily_movement.c.measure,
    daily_movement.c.value,
    daily_movement.c.kind,
)

# One row: the last event that is in the book.
movement_book = Table(
    "movement_book",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("up_to_event", BigInteger, nullable=False),
)


async def enter_events(database: Database) -> bool:
    """Enter every event that is not in the book yet; False when that must wait for others who write."""
    last = await _last_settled_event(database)
    while last is not None:
        async with database.write() as connection:
            if await _import_on_its_way(connection):
                return False
            if await enter_part(connection, last) >= last:
                return True
    return False


async def enter_part(connection: AsyncConnection, last: int) -> int:
    """Enter the next events, none above `last`; the one up to which they are entered now."""
    await connection.execute(
        insert_unless_known(connection, movement_book).values(id=1, up_to_event=0).on_conflict_do_nothing()
    )
    begun = await up_to_event(connection, lock=True)
    numbers = (
        select(registration_event.c.id)
        .where(registration_event.c.id > begun, registration_event.c.id <= last)
        .order_by(registration_event.c.id)
        .limit(SLICE)
        .subquery()
    )
    end = await connection.scalar(select(func.max(numbers.c.id)))
    if end is None:
        return max(begun, last)
    await _add(connection, fold(await _histories(connection, begun, int(end)), after=begun))
    await connection.execute(update(movement_book).values(up_to_event=int(end)))
    return int(end)


async def begin_anew(connection: AsyncConnection) -> None:
    """Forget the book; the next `enter_events` makes it from the events."""
    await connection.execute(delete(daily_movement))
    await connection.execute(update(movement_book).values(up_to_event=0))


async def up_to_event(connection: AsyncConnection, *, lock: bool = False) -> int:
    question = select(movement_book.c.up_to_event)
    return int(await connection.scalar(question.with_for_update() if lock else question) or 0)


async def sums(
    connection: AsyncConnection, measures: Sequence[str], ends: Sequence[date], *, since: date | None = None
) -> Counter[tuple[int, CellMove]]:
    """(number of the period, movement without its day) → how many, whatever is in the book already.

    `ends` are the last days of the periods, ascending; a movement belongs to the first period that has not ended
    before it, so without `since` the first holds all that came before, reasons aside. The day of the movements is
    the end.
    """
    while True:
        begun = await up_to_event(connection)
        found = await _from_book(connection, measures, ends, since)
        for movement, number in (await _since(connection, begun)).items():
            period = next((n for n, end in enumerate(ends) if movement.day <= end), None)
            if period is None or movement.measure not in measures or (since and movement.day < since):
                continue
            reason = movement.reason if since or period else ""
            found[period, movement._replace(day=ends[period], reason=reason)] += number
        # On PostgreSQL another process may have entered events between two statements.
        if await up_to_event(connection) == begun:
            return found


async def by_day(connection: AsyncConnection, measure: str) -> Counter[CellMove]:
    """Every movement of a measure, reasons summed up."""
    while True:
        begun = await up_to_event(connection)
        columns = (
            daily_movement.c.day,
            daily_movement.c.account,
            daily_movement.c.value,
            daily_movement.c.kind,
        )
        rows = await connection.execute(
            select(*columns, func.sum(daily_movement.c.number))
            .where(daily_movement.c.measure == measure)
            .group_by(*columns)
        )
        found: Counter[CellMove] = Counter()
        for day, account, value, kind, number in rows:
            found[CellMove(day, account, measure, value, kind, "")] += int(number)
        for movement, number in (await _since(connection, begun)).items():
            if movement.measure == measure:
                found[movement._replace(reason="")] += number
        if await up_to_event(connection) == begun:
            return found


async def all_events(connection: AsyncConnection, take: Callable[[list[Event]], None], *, up_to: int) -> None:
    """Hand every event up to this one to `take`, in parts of whole histories, without the book."""
    after = 0
    while True:
        people = (
            select(registration_event.c.subscriber_id)
            .where(registration_event.c.subscriber_id > after)
            .order_by(registration_event.c.subscriber_id)
            .limit(SLICE)
            .subquery()
        )
        last = await connection.scalar(select(func.max(people.c.subscriber_id)))
        if last is None:
            return
        within = registration_event.c.subscriber_id.between(after + 1, last)
        take(await _events(connection, _ordered().where(within, registration_event.c.id <= up_to)))
        after = int(last)


async def _last_settled_event(database: Database) -> int | None:
    """An event up to which every one is committed: on PostgreSQL a lower number may be committed later.

    None while somebody writes.
    """
    newest = select(func.coalesce(func.max(registration_event.c.id), 0))
    try:
        async with database.write() as connection:
            if not database.is_sqlite:
                await connection.execute(text("LOCK TABLE registration_event IN SHARE MODE NOWAIT"))
            return int(await connection.scalar(newest) or 0)
    except DBAPIError as error:
        if database.is_sqlite or error.connection_invalidated:
            raise
        return None


async def _import_on_its_way(connection: AsyncConnection) -> bool:
    decided = select(registration_import.c.id).where(registration_import.c.state == ImportState.DECIDED)
    return await connection.scalar(decided.limit(1)) is not None


async def _add(connection: AsyncConnection, movements: Counter[CellMove]) -> None:
    rows = [{**movement._asdict(), "number": number} for movement, number in movements.items()]
    if not rows:
        return
    adding = insert_unless_known(connection, daily_movement)
    same = ("measure", "day", "account", "value", "kind", "reason")
    await connection.execute(
        adding.on_conflict_do_update(
            index_elements=same, set_={"number": daily_movement.c.number + adding.excluded.number}
        ),
        rows,
    )


async def _from_book(
    connection: AsyncConnection, measures: Sequence[str], ends: Sequence[date], since: date | None
) -> Counter[tuple[int, CellMove]]:
    """Without `since` the first period is all that came before: years, of which nobody asks for the reasons."""
    found: Counter[tuple[int, CellMove]] = Counter()
    first = 0
    if since is None:
        rows = await connection.execute(
            select(*COLUMNS, func.sum(daily_movement.c.number))
            .where(daily_movement.c.measure.in_(measures), daily_movement.c.day <= ends[0])
            .group_by(*COLUMNS)
        )
        for account, measure, value, kind, total in rows:
            found[0, CellMove(ends[0], account, measure, value, kind, "")] += int(total)
        first, since = 1, ends[0] + timedelta(days=1) if ends[0] < date.max else None
    if since is None or first >= len(ends):
        return found
    later = list(enumerate(ends))[first:]
    period = case(*((daily_movement.c.day <= end, number) for number, end in later), else_=-1)
    later_rows = await connection.execute(
        select(period.label("period"), *COLUMNS, daily_movement.c.reason, func.sum(daily_movement.c.number))
        .where(daily_movement.c.measure.in_(measures), daily_movement.c.day.between(since, ends[-1]))
        .group_by("period", *COLUMNS, daily_movement.c.reason)
    )
    for number, account, measure, value, kind, reason, total in later_rows:
        found[number, CellMove(ends[number], account, measure, value, kind, reason)] += int(total)
    return found


async def _since(connection: AsyncConnection, begun: int) -> Counter[CellMove]:
    return fold(await _histories(connection, begun, None), after=begun)


async def _histories(connection: AsyncConnection, begun: int, end: int | None) -> list[Event]:
    """The whole histories, up to `end`, of everybody of whom there is an event after `begun`."""
    later = registration_event.c.id > begun
    until = later if end is None else later & (registration_event.c.id <= end)
    # Asked for beforehand: as a subquery SQLite would go through every event that there is.
    people = sorted(
        set(await connection.scalars(select(registration_event.c.subscriber_id).where(until).distinct()))
    )
    found: list[Event] = []
    for start in range(0, len(people), SLICE):
        part = people[start : start + SLICE]
        question = _ordered().where(
            registration_event.c.subscriber_id.in_(part), has_come_in(registration_event.c.subscriber_id)
        )
        if end is not None:
            question = question.where(registration_event.c.id <= end)
        found += await _events(connection, question)
    return found


def _ordered() -> Select[tuple[int, int, str, str, str, int, str, str]]:
    columns = (registration_event.c[name] for name in Event._fields)
    return select(*columns).order_by(registration_event.c.subscriber_id, registration_event.c.id)


async def _events(
    connection: AsyncConnection, question: Select[tuple[int, int, str, str, str, int, str, str]]
) -> list[Event]:
    return [Event._make(row) for row in await connection.execute(question)]
