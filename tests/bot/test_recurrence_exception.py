"""The preview of a recurring notice reaches beyond the first exception, wherever it lies."""

from __future__ import annotations

from datetime import date, time

import time_machine

from bot.recurrence_words import beyond_first_exception
from content.database import Database
from content.notices import notices
from content.notices.recurrence import RecurrenceRule, read_closure
from tests.factories import make_notice

YEAR_END = RecurrenceRule(
    "weekly", time(7), weekdays=(3,), first=date(2026, 10, 1), closures=(read_closure("12/29~1/3"),)
)


async def shown(database: Database, rule: RecurrenceRule) -> tuple[str, ...]:
    async with database.write() as connection:
        found = await notices.get(connection, await make_notice(connection, approved=False, rule=rule))
    assert found is not None
    return beyond_first_exception(found)


async def test_the_first_week_that_is_left_out_is_told_with_the_next_time(sqlite_database: Database) -> None:
    with time_machine.travel("2026-10-05T00:00:00Z", tick=False):
        left_out, after = await shown(sqlite_database, YEAR_END)
    assert left_out.startswith("2026年12月31日") and "送りません" in left_out
    assert after.startswith("2027年1月7日")


async def test_without_an_exception_nothing_is_told(sqlite_database: Database) -> None:
    with time_machine.travel("2026-10-05T00:00:00Z", tick=False):
        assert await shown(sqlite_database, RecurrenceRule("weekly", time(7), weekdays=(3,))) == ()
