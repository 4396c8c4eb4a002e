"""When a recurring notice (くり返し) is due: a rule, and the days that follow from it.

A rule has base days (every Monday, the 10th, the last day of the month, …). A base day in a closure
(休む日) gives nothing; a base day that is a public holiday is sent, left out, or moved to the nearest
working day before or after it. First and last day bound the base day and the day of sending alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import cache
from itertools import islice
from typing import Any

from content.clock import end_of_day, from_datetime, month_end, today_jst

KINDS = ("weekly", "nth", "day", "month_end", "dates")
ON_HOLIDAY = ("send", "skip", "before", "after")
ONE_DAY = timedelta(days=1)
# A move past a closure longer than this would be another occasion, so the occurrence is left out.
LONGEST_MOVE = 31
# Every rule that can come at all comes within this many days, or its closures leave nothing of it.
HORIZON = 5 * 366
# Public holidays are known for these years.
YEARS = range(2000, 2100)
DATE = re.compile(r"(?:(\d{4})[-/年])?(\d{1,2})[-/月](\d{1,2})日?")


class BadRecurrence(ValueError):
    """`field` is the part of the rule to change; the message says how."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


@dataclass(frozen=True, slots=True)
class Closure:
    """Days without sending, both ends included: dates, or months and days that come back each year."""

    first: date | tuple[int, int]
    last: date | tuple[int, int]

    def __contains__(self, day: date) -> bool:
        if isinstance(self.first, date) and isinstance(self.last, date):
            return self.first <= day <= self.last
        first, last, found = self.first, self.last, (day.month, day.day)
        assert isinstance(first, tuple) and isinstance(last, tuple)
        return first <= found <= last if first <= last else found >= first or found <= last

    def __str__(self) -> str:
        first, last = _day_text(self.first), _day_text(self.last)
        return first if first == last else f"{first}~{last}"


@dataclass(frozen=True, slots=True)
class RecurrenceRule:
    """`weekdays`: Monday is 0, for `weekly` and `nth`; `nths`: 1 to 5; `days`: of the month."""

    kind: str
    at: time
    weekdays: tuple[int, ...] = ()
    nths: tuple[int, ...] = ()
    days: tuple[int, ...] = ()
    dates: tuple[date, ...] = ()
    first: date | None = None
    last: date | None = None
    closures: tuple[Closure, ...] = ()
    on_holiday: str = "send"

    @property
    def ends_at(self) -> int | None:
        """The first millisecond in which nothing may be sent any more."""
        return None if self.last is None else end_of_day(self.last)


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A day on which a rule is due. `moved_from`: the public holiday it was moved away from."""

    day: date
    due_at: int
    moved_from: date | None = None

    @property
    def holiday(self) -> str:
        """The name of the public holiday that it was moved away from."""
        return holiday_name(self.moved_from) if self.moved_from else ""


def faults(rule: RecurrenceRule) -> Iterator[BadRecurrence]:
    """Everything that keeps a rule from being kept."""
    if rule.kind not in KINDS:
        yield BadRecurrence("repeat", "くり返し方を選んでください。")
    if rule.kind == "nth" and not (rule.nths and set(rule.nths) <= set(range(1, 6))):
        yield BadRecurrence("nths", "第1から第5までの中から、1つ以上選んでください。")
    if rule.kind in ("weekly", "nth") and not (rule.weekdays and set(rule.weekdays) <= set(range(7))):
        yield BadRecurrence("weekdays", "曜日を1つ以上選んでください。")
    if rule.kind == "day" and not (rule.days and set(rule.days) <= set(range(1, 32))):
        yield BadRecurrence(
            "days", "日を1から31までの数で書いてください。月の最後の日は「月末」を選んでください。"
        )
    if rule.kind == "dates" and not rule.dates:
        yield BadRecurrence("dates", "日付を1つ以上書いてください。")
    if rule.on_holiday not in ON_HOLIDAY:
        yield BadRecurrence("on_holiday", "祝日に当たったときの扱いを選んでください。")
    if rule.first and rule.last and rule.last < rule.first:
        yield BadRecurrence("until", "終わりの日が始まりの日より前です。終わりの日を後にしてください。")


def next_after(rule: RecurrenceRule, moment: int) -> Occurrence | None:
    """The first occurrence that is due after `moment` (ms); None when the rule has come to its end."""
    return next(occurrences(rule, moment), None)


def upcoming(rule: RecurrenceRule, moment: int, limit: int = 5) -> list[Occurrence]:
    return list(islice(occurrences(rule, moment), limit))


def occurrences(rule: RecurrenceRule, moment: int) -> Iterator[Occurrence]:
    """Every occurrence that is due after `moment`, in order."""
    day = today_jst(moment)
    quiet = 0
    while quiet < HORIZON and day.year < YEARS.stop:
        quiet += 1
        day = max(day, rule.first or day)
        if rule.last and day > rule.last:
            return
        source = _source(rule, day)
        due_at = from_datetime(datetime.combine(day, rule.at))
        if source and due_at > moment:
            yield Occurrence(day, due_at, source if source != day else None)
            quiet = 0
        if rule.kind == "dates":
            day = _skip_ahead(rule, day)
        day += ONE_DAY


def holiday_name(day: date) -> str:
    """The name of a Japanese public holiday, substitute holidays included; "" on other days."""
    return _holidays(day.year).get(day, "") if day.year in YEARS else ""


def read_closure(text: str) -> Closure:
    """`2026-12-29`, `2026-12-29~2027-01-03`, or `12/29~1/3` for every year. Raises BadRecurrence."""
    parts = re.split(r"\s*(?:[~〜～–]|\.\.)\s*", text.strip())
    ends = [_read_day(part) for part in parts]
    if len(ends) > 2 or type(ends[0]) is not type(ends[-1]):
        raise BadRecurrence(
            "closures",
            f"「{text}」を読み取れません。2026-12-29~2027-01-03 か 12/29~1/3 のように書いてください。",
        )
    first, last = ends[0], ends[-1]
    if isinstance(first, date) and isinstance(last, date) and last < first:
        raise BadRecurrence("closures", f"「{text}」は終わりが始まりより前です。日付を直してください。")
    return Closure(first, last)


def read_date(text: str, field: str) -> date:
    """`2026-12-01` or `2026/12/1`. Raises BadRecurrence that names the field."""
    try:
        found = _read_day(text)
    except BadRecurrence as error:
        raise BadRecurrence(field, str(error)) from error
    if not isinstance(found, date):
        raise BadRecurrence(field, f"「{text}」に年がありません。2026-12-01 のように書いてください。")
    return found


def to_json(rule: RecurrenceRule) -> dict[str, Any]:
    """What is stored; `from_json` reads it again."""
    return {
        "kind": rule.kind,
        "at": f"{rule.at:%H:%M}",
        "weekdays": list(rule.weekdays),
        "nths": list(rule.nths),
        "days": list(rule.days),
        "dates": [day.isoformat() for day in rule.dates],
        "first": rule.first.isoformat() if rule.first else None,
        "last": rule.last.isoformat() if rule.last else None,
        "closures": [str(item) for item in rule.closures],
        "on_holiday": rule.on_holiday,
    }


def from_json(stored: dict[str, Any]) -> RecurrenceRule:
    return RecurrenceRule(
        kind=stored["kind"],
        at=time.fromisoformat(stored["at"]),
        weekdays=tuple(stored["weekdays"]),
        nths=tuple(stored["nths"]),
        days=tuple(stored["days"]),
        dates=tuple(date.fromisoformat(day) for day in stored["dates"]),
        first=date.fromisoformat(stored["first"]) if stored["first"] else None,
        last=date.fromisoformat(stored["last"]) if stored["last"] else None,
        closures=tuple(read_closure(item) for item in stored["closures"]),
        on_holiday=stored["on_holiday"],
    )


def _source(rule: RecurrenceRule, day: date) -> date | None:
    """The base day that is sent on `day`: itself, or a holiday that was moved here; None for none."""
    if _is_base(rule, day) and (rule.on_holiday == "send" or not holiday_name(day)):
        return day
    if rule.on_holiday not in ("before", "after") or not _is_working(rule, day):
        return None
    step = ONE_DAY if rule.on_holiday == "before" else -ONE_DAY
    # Over the days on which nothing is moved to: what stands there and must move, moves to `day`.
    for number in range(1, LONGEST_MOVE + 1):
        other = day + number * step
        if _is_working(rule, other):
            return None
        if _is_base(rule, other) and holiday_name(other):
            return other
    return None


def _is_base(rule: RecurrenceRule, day: date) -> bool:
    if (rule.first and day < rule.first) or (rule.last and day > rule.last) or _is_closed(rule, day):
        return False
    if rule.kind == "weekly":
        return day.weekday() in rule.weekdays
    if rule.kind == "nth":
        return day.weekday() in rule.weekdays and (day.day + 6) // 7 in rule.nths
    if rule.kind == "day":
        return day.day in rule.days
    if rule.kind == "month_end":
        return day == month_end(day.year, day.month)
    return day in rule.dates


def _is_closed(rule: RecurrenceRule, day: date) -> bool:
    return any(day in item for item in rule.closures)


def _is_working(rule: RecurrenceRule, day: date) -> bool:
    return day.weekday() < 5 and not holiday_name(day) and not _is_closed(rule, day)


def _skip_ahead(rule: RecurrenceRule, day: date) -> date:
    """Over years without a date of the rule, as far as nothing can have been moved there."""
    ahead = [item for item in rule.dates if item >= day - timedelta(days=LONGEST_MOVE)]
    if not ahead:
        return date(YEARS.stop, 1, 1)
    return max(day, min(ahead) - timedelta(days=LONGEST_MOVE + 1))


def _read_day(text: str) -> date | tuple[int, int]:
    found = DATE.fullmatch(text.strip())
    message = f"「{text}」を日付として読み取れません。2026-12-01 のように書いてください。"
    if found is None:
        raise BadRecurrence("closures", message)
    year, month, day = int(found[1] or 2000), int(found[2]), int(found[3])
    try:
        read = date(year, month, day)
    except ValueError as error:
        raise BadRecurrence("closures", message) from error
    if year not in YEARS:
        raise BadRecurrence(
            "closures", f"「{text}」の年は{YEARS.start}年から{YEARS.stop - 1}年までにしてください。"
        )
    return read if found[1] else (month, day)


def _day_text(day: date | tuple[int, int]) -> str:
    return day.isoformat() if isinstance(day, date) else f"{day[0]}/{day[1]}"


# Whole years, made apart: the library fills its own mapping on the way, which threads must not share.
@cache
def _holidays(year: int) -> dict[date, str]:
    # Few commands ask for holidays, and the library takes its time to be imported.
    import holidays

    return dict(holidays.country_holidays("JP", years=year, language="ja"))
