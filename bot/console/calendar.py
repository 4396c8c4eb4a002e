"""The calendar (予定表): what went out and what is due in a month, occurrences of series and their closures too."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import takewhile

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.words import mode_words
from content.clock import end_of_day, month_end, now_ms, start_of_day, to_jst, today_jst
from content.notices import recurrence, searching
from content.notices.notices import Notice
from content.notices.searching import Seen
from content.notices.states import TriggerState
from content.town import Urgency

MOST_OF_ONE = 62
WEEKDAYS = "日月火水木金土"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on a day. `kind`: sent, due, held, series or closed; `at` ms, 0 for a closure."""

    at: int
    kind: str
    word: str
    notice_id: int
    title: str
    urgent: bool
    mode: str
    mode_word: str

    @property
    def time(self) -> str:
        return f"{to_jst(self.at):%H:%M}" if self.at else ""


@dataclass(frozen=True, slots=True)
class Day:
    day: date
    inside: bool
    is_today: bool
    holiday: str
    entries: tuple[Entry, ...]

    @property
    def weekday(self) -> str:
        return WEEKDAYS[(self.day.weekday() + 1) % 7]


async def show_calendar(staff_request: StaffRequest) -> web.Response:
    today = today_jst()
    first = _read_month(staff_request.request.query.get("month", "")) or today.replace(day=1)
    last = month_end(first.year, first.month)
    async with staff_request.service.database.read() as connection:
        found = await entries_between(connection, first, last, staff_request.staff.categories("see"))
    begin = first - timedelta(days=(first.weekday() + 1) % 7)
    number = ((last - begin).days // 7 + 1) * 7
    days = [
        Day(
            day,
            first <= day <= last,
            day == today,
            recurrence.holiday_name(day),
            tuple(found.get(day, ())) if first <= day <= last else (),
        )
        for day in (begin + timedelta(days=n) for n in range(number))
    ]
    return staff_request.page(
        "console/calendar.html",
        month=first,
        weeks=[days[n : n + 7] for n in range(0, number, 7)],
        weekdays=WEEKDAYS,
        earlier=f"{first - timedelta(days=1):%Y-%m}",
        later=f"{last + timedelta(days=1):%Y-%m}",
        any=any(day.entries for day in days),
    )


async def entries_between(
    connection: AsyncConnection, first: date, last: date, seen: Seen = None
) -> dict[date, list[Entry]]:
    """By day, each day in order."""
    since, before = start_of_day(first), end_of_day(last)
    found = [_entry(item) for item in await searching.between(connection, since, before, seen)]
    all_series = await searching.running_series(connection, seen)
    for series in all_series:
        found += _occurrences(series, since, before)
    by_day: dict[date, list[Entry]] = defaultdict(list)
    for entry in sorted(found, key=lambda item: (item.at, item.notice_id)):
        by_day[to_jst(entry.at).date()].append(entry)
    for series in all_series:
        for day in _closed_days(series, first, last):
            by_day[day].append(_make(series, 0, "closed", "休み"))
    return by_day


def _entry(item: Notice) -> Entry:
    at = item.fired_at or item.due_at or item.created_at
    kind, word = {
        TriggerState.FIRED: ("sent", "配信"),
        TriggerState.HELD: ("held", "保留"),
    }.get(item.trigger_state, ("due", "予約"))
    return _make(item, at, kind, word)


def _occurrences(series: Notice, since: int, before: int) -> list[Entry]:
    rule = series.spec.rule
    assert rule is not None
    # What is due and not done yet counts as still to come; what is past stands there as notices of its own.
    start = max(since, series.due_at or now_ms()) - 1
    coming = takewhile(lambda item: item.due_at < before, recurrence.upcoming(rule, start, MOST_OF_ONE))
    return [_make(series, item.due_at, "series", "くり返し") for item in coming]


def _closed_days(series: Notice, first: date, last: date) -> list[date]:
    rule = series.spec.rule
    assert rule is not None
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return [day for day in days if any(day in closure for closure in rule.closures)]


def _make(item: Notice, at: int, kind: str, word: str) -> Entry:
    spec = item.spec
    return Entry(
        at, kind, word, item.id, item.title, spec.urgency == Urgency.URGENT, spec.mode, mode_words(spec.mode)
    )


def _read_month(text: str) -> date | None:
    try:
        found = date.fromisoformat(f"{text}-01")
    except ValueError:
        return None
    return found if 2000 <= found.year < 2100 else None
