"""Time as the service sees it: milliseconds since the epoch in rows, Japan Standard Time for people.

A fiscal year (年度) runs from 1 April to 31 March and bears the number of the year it begins in.
"""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

JST = ZoneInfo("Asia/Tokyo")
SECOND = 1000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
_MONOTONIC = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def now_ms() -> int:
    """Milliseconds since the epoch, UTC."""
    return time.time_ns() // 1_000_000


def monotonic_seconds() -> float:
    """Seconds by a clock that nobody sets, and that goes on while the machine sleeps."""
    return time.clock_gettime(_MONOTONIC)


def to_jst(at: int) -> datetime:
    return datetime.fromtimestamp(at / SECOND, UTC).astimezone(JST)


def from_datetime(moment: datetime) -> int:
    """Milliseconds since the epoch; a moment without a zone is taken as Japan Standard Time."""
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=JST)
    return round(moment.timestamp() * SECOND)


def start_of_day(day: date) -> int:
    return from_datetime(datetime(day.year, day.month, day.day, tzinfo=JST))


def end_of_day(day: date) -> int:
    """The first millisecond after `day` in Japan."""
    return start_of_day(day + timedelta(days=1))


def today_jst(at: int | None = None) -> date:
    return to_jst(now_ms() if at is None else at).date()


def fiscal_year(day: date) -> int:
    return day.year if day.month >= 4 else day.year - 1


def fiscal_months(year: int) -> list[tuple[int, int]]:
    """The twelve (year, month) pairs of a fiscal year, April first."""
    return [(year, month) for month in range(4, 13)] + [(year + 1, month) for month in range(1, 4)]


def month_end(year: int, month: int) -> date:
    first_of_next = date(year + month // 12, month % 12 + 1, 1)
    return first_of_next - timedelta(days=1)


def iso(at: int | None) -> str | None:
    """ISO 8601 with the offset of Japan and milliseconds; None stays None."""
    return None if at is None else to_jst(at).isoformat(timespec="milliseconds")


def words(at: int) -> str:
    """2026年4月7日(火) 15:04, as a town hall prints it."""
    moment = to_jst(at)
    weekday = "月火水木金土日"[moment.weekday()]
    return f"{moment.year}年{moment.month}月{moment.day}日({weekday}) {moment:%H:%M}"


def birth_months(youngest: int, oldest: int, today: date) -> tuple[str, str]:
    """The first and last birth month (YYYY-MM) of children aged `youngest` to `oldest` full years.

    Only months are known, so a child counts with the older age from the first day of its month.
    """
    this_month = today.year * 12 + today.month - 1
    first = this_month - (oldest + 1) * 12 + 1
    last = this_month - youngest * 12
    return _month(first), _month(last)


def _month(index: int) -> str:
    return f"{index // 12:04d}-{index % 12 + 1:02d}"
