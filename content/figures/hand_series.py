"""Figures that are kept elsewhere and entered by hand (手入力の系列): followers, users of an app, views, residents.

They stand beside our counts and are never added to them. A value is never changed: a correction is another value
for the same day, and the newest one counts.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Column, Date, Float, ForeignKey, Index, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata

# Every town has these two: what a share (普及率) is a share of.
POPULATION = "population"
HOUSEHOLDS = "households"
STANDING = {POPULATION: ("人口", "人"), HOUSEHOLDS: ("世帯数", "世帯")}
LONGEST_NAME, LONGEST_UNIT, LONGEST_SOURCE = 60, 10, 300

hand_series = Table(
    "hand_series",
    metadata,
    Column("key", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("unit", Text, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
)

hand_value = Table(
    "hand_value",
    metadata,
    Column("id", Id, primary_key=True),
    Column("series", Text, ForeignKey("hand_series.key"), nullable=False),
    # The day on which it was so, not the day of entering it.
    Column("day", Date, nullable=False),
    Column("value", Float, nullable=False),
    # Where it can be looked up: 住民基本台帳, the page of the platform.
    Column("source", Text, nullable=False),
    Column("entered_by", Text, nullable=False),
    Column("entered_at", BigInteger, nullable=False),
    Index(None, "series", "day"),
)


@dataclass(frozen=True, slots=True)
class HandSeries:
    key: str
    name: str
    unit: str


@dataclass(frozen=True, slots=True)
class HandValue:
    """`superseded` when a later value for the same day counts instead."""

    day: date
    value: float
    source: str
    entered_by: str
    entered_at: int
    superseded: bool = False


async def all_series(connection: AsyncConnection) -> list[HandSeries]:
    """Population and households first, then the town's own in the order in which they were made."""
    rows = await connection.execute(
        select(hand_series.c.key, hand_series.c.name, hand_series.c.unit).order_by(
            hand_series.c.made_at, hand_series.c.key
        )
    )
    found = {key: HandSeries(key, name, unit) for key, name, unit in rows}
    standing = [HandSeries(key, name, unit) for key, (name, unit) in STANDING.items()]
    return standing + [item for item in found.values() if item.key not in STANDING]


async def make_series(connection: AsyncConnection, series: HandSeries, *, staff: str, at: int) -> bool:
    """False when there is one with this key."""
    made = await connection.execute(
        insert_unless_known(connection, hand_series)
        .values(key=series.key, name=series.name, unit=series.unit, made_by=staff, made_at=at)
        .on_conflict_do_nothing()
    )
    return bool(made.rowcount)


async def enter(
    connection: AsyncConnection,
    series: HandSeries,
    day: date,
    value: float,
    source: str,
    *,
    staff: str,
    at: int,
) -> bool:
    """Add a value; False when exactly this one stands there already (a form that was sent twice)."""
    await make_series(connection, series, staff=staff, at=at)
    known = [item for item in await all_values(connection, series.key) if item.day == day]
    if known and (known[-1].value, known[-1].source) == (value, source):
        return False
    await connection.execute(
        insert(hand_value).values(
            series=series.key, day=day, value=value, source=source, entered_by=staff, entered_at=at
        )
    )
    return True


async def all_values(connection: AsyncConnection, series: str) -> list[HandValue]:
    """Every value that was ever entered, by day; of one day in the order of entering."""
    rows = (
        await connection.execute(
            select(hand_value)
            .where(hand_value.c.series == series)
            .order_by(hand_value.c.day, hand_value.c.id)
        )
    ).all()
    newest = {row.day: row.id for row in rows}
    return [
        HandValue(row.day, row.value, row.source, row.entered_by, row.entered_at, row.id != newest[row.day])
        for row in rows
    ]


async def value_at(connection: AsyncConnection, series: str, day: date) -> HandValue | None:
    """The newest value of this day or of an earlier one."""
    known = [item for item in await all_values(connection, series) if not item.superseded and item.day <= day]
    return known[-1] if known else None
