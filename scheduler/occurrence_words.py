"""The words of an occurrence that come from a calendar: filled in before it fires, missed a week ahead.

Without the words of its own day it is held: the words of another day would send people to a closed door.
"""

from __future__ import annotations

from datetime import date
from itertools import takewhile

from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, to_jst
from content.gaps import fill_all, gaps_of
from content.notices import notice_changes, notices, recurrence, with_calendar
from content.notices.calendars import WordCalendar
from content.notices.notices import Notice
from content.notices.records import RecordKind, find_record

LOOK_AHEAD = 7 * DAY


async def fill_occurrence(connection: AsyncConnection, found: Notice, now: int) -> Notice:
    """With the words of its day; as it is when the calendar has none, or nothing is to be filled."""
    if not found.spec.calendar or found.spec.rule or not gaps_of(found.spec.texts):
        return found
    day = await _day_of(connection, found)
    calendar = await _calendar(connection, found.spec.calendar)
    words = calendar.words_of(day) if calendar and day else None
    if words is None:
        return found
    await notice_changes.fill_words(connection, found.id, fill_all(found.spec.texts, words), at=now)
    return await notices.get(connection, found.id) or found


def missing_words(found: Notice) -> str:
    """Why an occurrence must wait for a person, "" when it need not."""
    gaps = gaps_of(found.spec.texts) if found.spec.calendar else []
    if not gaps:
        return ""
    return (
        f"この日の「{'」「'.join(gaps)}」が文の暦にないため、送っていません。"
        "文の暦にこの日のことばを入れてから配信するか、取り消してください。"
    )


async def coming_without_words(connection: AsyncConnection, now: int) -> list[tuple[Notice, list[date]]]:
    """Recurring notices with a day within a week that their calendar does not know."""
    found = []
    for notice_id in await with_calendar.recurring(connection):
        series = await notices.get(connection, notice_id)
        if series is None or series.spec.rule is None:
            continue
        calendar = await _calendar(connection, series.spec.calendar)
        coming = takewhile(
            lambda item: item.due_at <= now + LOOK_AHEAD,
            recurrence.occurrences(series.spec.rule, now - 1),
        )
        days = [to_jst(item.due_at).date() for item in coming]
        missing = [day for day in days if calendar is None or calendar.words_of(day) is None]
        if missing:
            found.append((series, missing))
    return found


async def _day_of(connection: AsyncConnection, found: Notice) -> date | None:
    # When it was due first: a release by hand moves the time of the trigger.
    at = await with_calendar.occurs_at(connection, found.id)
    return to_jst(at).date() if at is not None else None


async def _calendar(connection: AsyncConnection, key: str) -> WordCalendar | None:
    record = await find_record(connection, RecordKind.CALENDAR, key)
    calendar: WordCalendar | None = record.content if record else None
    return None if calendar is None or calendar.closed else calendar
