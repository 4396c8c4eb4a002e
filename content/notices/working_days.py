"""On which days a town hall works: not on weekends, public holidays, and from 29 December to 3 January."""

from __future__ import annotations

from datetime import date, timedelta

from content.notices.recurrence import holiday_name

YEAR_ENDS = {(12, 29), (12, 30), (12, 31), (1, 1), (1, 2), (1, 3)}


def is_working_day(day: date) -> bool:
    return day.weekday() < 5 and not holiday_name(day) and (day.month, day.day) not in YEAR_ENDS


def first_working_day(day: date) -> date:
    """Of the month in which `day` lies."""
    found = day.replace(day=1)
    while not is_working_day(found):
        found += timedelta(days=1)
    return found
