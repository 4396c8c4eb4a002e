"""On which days the service ran (観測した日): a figure of a day on which nobody looked is a gap, not a zero.

While it stands still, registrations and departures may be lost. Days before the first one are known only from what was
taken in later, as an import of those who are still there.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, timedelta
from enum import StrEnum

from sqlalchemy import BigInteger, Column, Date, Table, delete, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.database import insert_unless_known, metadata

service_day = Table(
    "service_day",
    metadata,
    Column("day", Date, primary_key=True),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
)


class DayState(StrEnum):
    """Whether a figure of this day can be given, and what it rests on."""

    OBSERVED = "observed"
    # The service did not run: a gap.
    UNOBSERVED = "unobserved"
    # Before the service first ran: only what was taken in afterwards.
    BEFORE = "before"
    TO_COME = "to_come"


@dataclass(frozen=True, slots=True)
class Observation:
    """The days on which the service ran, as of `today`."""

    today: date
    days: frozenset[date] = field(default_factory=frozenset)

    @property
    def first(self) -> date | None:
        return min(self.days, default=None)

    def state(self, day: date) -> DayState:
        """Without any day on record (a database that nothing serves yet) nothing was missed either."""
        if day > self.today:
            return DayState.TO_COME
        if self.first is None or day < self.first:
            return DayState.BEFORE
        # Today is looked at now.
        return DayState.OBSERVED if day in self.days or day == self.today else DayState.UNOBSERVED

    def gaps(self, first: date, last: date) -> list[tuple[date, date]]:
        """First and last day of every stretch without the service, within these days."""
        found: list[tuple[date, date]] = []
        day = first
        while day <= min(last, self.today):
            if self.state(day) == DayState.UNOBSERVED:
                if found and found[-1][1] == day - timedelta(days=1):
                    found[-1] = (found[-1][0], day)
                else:
                    found.append((day, day))
            day += timedelta(days=1)
        return found


async def note_running(connection: AsyncConnection, at: int) -> None:
    """The service runs now. Days ahead, from a clock that was wrong, are forgotten."""
    today = today_jst(at)
    await connection.execute(delete(service_day).where(service_day.c.day > today))
    await connection.execute(
        insert_unless_known(connection, service_day)
        .values(day=today, first_at=at, last_at=at)
        .on_conflict_do_update(index_elements=["day"], set_={"last_at": at})
    )


async def observation(connection: AsyncConnection, today: date) -> Observation:
    days = await connection.scalars(select(service_day.c.day).where(service_day.c.day <= today))
    return Observation(today, frozenset(days))
