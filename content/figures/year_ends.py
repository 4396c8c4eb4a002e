"""Year-end figures (年度末の値): frozen when the fiscal year is over, with the day and the definition of then.

They never change: neither does a plan's result that was printed. What turns out later is a dated remark beside it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, Table, Text, insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import fiscal_year
from content.database import Id, insert_many, insert_unless_known, metadata
from content.figures.movements import Measure
from content.figures.observed import DayState, observation
from content.figures.snapshots import Figures, figures_of, from_book

LONGEST_REMARK = 1000

year_end = Table(
    "year_end",
    metadata,
    Column("fiscal_year", Integer, primary_key=True, autoincrement=False),
    Column("frozen_at", BigInteger, nullable=False),
    Column("definition", Text, nullable=False),
    # Whether the service ran on 31 March.
    Column("observed", Boolean, nullable=False),
)

year_end_figure = Table(
    "year_end_figure",
    metadata,
    Column("fiscal_year", Integer, ForeignKey("year_end.fiscal_year"), primary_key=True, autoincrement=False),
    Column("account", Text, primary_key=True),
    Column("measure", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("registrations", Integer, nullable=False),
)

year_end_remark = Table(
    "year_end_remark",
    metadata,
    Column("id", Id, primary_key=True),
    Column("fiscal_year", Integer, ForeignKey("year_end.fiscal_year"), nullable=False),
    Column("text", Text, nullable=False),
    Column("staff", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Remark:
    text: str
    staff: str
    at: int


@dataclass(frozen=True, slots=True)
class YearEnd:
    fiscal_year: int
    frozen_at: int
    definition: str
    observed: bool
    figures: Figures
    remarks: tuple[Remark, ...]

    @property
    def day(self) -> date:
        return date(self.fiscal_year + 1, 3, 31)

    def active_on(self, accounts: Collection[str]) -> int | None:
        """登録数 that was frozen of these accounts together; None when none of them had a record then."""
        known = [
            number
            for (account, measure, _), number in self.figures.items()
            if measure == Measure.TOTAL and account in accounts
        ]
        return sum(known) if known else None


async def freeze(connection: AsyncConnection, *, today: date, at: int, definition: str) -> list[int]:
    """Every fiscal year that is over and not frozen, from the one in which the service first ran; those frozen now.

    The events must be in the book.
    """
    seen = await observation(connection, today)
    if seen.first is None:
        return []
    frozen = set(await connection.scalars(select(year_end.c.fiscal_year)))
    now = [year for year in range(fiscal_year(seen.first), fiscal_year(today)) if year not in frozen]
    for year in now:
        last = date(year + 1, 3, 31)
        await connection.execute(
            insert_unless_known(connection, year_end)
            .values(
                fiscal_year=year,
                frozen_at=at,
                definition=definition,
                observed=seen.state(last) == DayState.OBSERVED,
            )
            .on_conflict_do_nothing()
        )
        figures = await figures_of(connection, last) or await from_book(connection, last)
        rows = [
            {
                "fiscal_year": year,
                "account": cell[0],
                "measure": cell[1],
                "value": cell[2],
                "registrations": n,
            }
            for cell, n in figures.items()
        ]
        await insert_many(connection, year_end_figure, rows)
    return now


async def all_year_ends(connection: AsyncConnection, measure: Measure | None = None) -> dict[int, YearEnd]:
    """By fiscal year, oldest first; with the figures of one measure, or all of them."""
    figures: dict[int, dict[tuple[str, str, str], int]] = {}
    question = select(year_end_figure)
    if measure is not None:
        question = question.where(year_end_figure.c.measure == measure)
    for row in await connection.execute(question):
        figures.setdefault(row.fiscal_year, {})[row.account, row.measure, row.value] = row.registrations
    remarks: dict[int, list[Remark]] = {}
    for row in await connection.execute(select(year_end_remark).order_by(year_end_remark.c.id)):
        remarks.setdefault(row.fiscal_year, []).append(Remark(row.text, row.staff, row.at))
    rows = await connection.execute(select(year_end).order_by(year_end.c.fiscal_year))
    return {
        row.fiscal_year: YearEnd(
            row.fiscal_year,
            row.frozen_at,
            row.definition,
            row.observed,
            figures.get(row.fiscal_year, {}),
            tuple(remarks.get(row.fiscal_year, ())),
        )
        for row in rows
    }


async def add_remark(connection: AsyncConnection, year: int, remark: Remark) -> bool:
    """False when the year is not frozen, or exactly this is the last remark already (a form that was sent twice)."""
    known = (await all_year_ends(connection)).get(year)
    if known is None or (known.remarks and known.remarks[-1].text == remark.text):
        return False
    await connection.execute(
        insert(year_end_remark).values(fiscal_year=year, text=remark.text, staff=remark.staff, at=remark.at)
    )
    return True
