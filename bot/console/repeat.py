"""The fields of a recurring notice: from what was typed to a rule and back."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, time
from typing import TypeVar

from bot.forms import Fields
from content.notices.recurrence import BadRecurrence, Closure, RecurrenceRule, faults, read_closure, read_date
from scheduler.checks import Problem

Read = TypeVar("Read")
SEPARATOR = re.compile(r"[\n,、,]+")


@dataclass(frozen=True, slots=True)
class RepeatFields:
    """The fields as typed; weekdays (Monday is 0) and weeks are numbers as text."""

    repeat: str = "weekly"
    weekdays: tuple[str, ...] = ()
    nths: tuple[str, ...] = ()
    days: str = ""
    dates: str = ""
    time: str = ""
    first: str = ""
    until: str = ""
    closures: str = ""
    on_holiday: str = "send"


def read_repeat(fields: Fields, text: Callable[[str], str]) -> RepeatFields:
    """What the browser sent; `text` reads one field of it."""
    return RepeatFields(
        repeat=text("repeat"),
        weekdays=tuple(fields.getall("weekdays", [])),
        nths=tuple(fields.getall("nths", [])),
        days=text("days"),
        dates=text("dates"),
        time=text("time"),
        first=text("first"),
        until=text("until"),
        closures=text("closures"),
        on_holiday=text("on_holiday"),
    )


def fields_of(rule: RecurrenceRule) -> RepeatFields:
    """A stored rule, for changing it."""
    return RepeatFields(
        repeat=rule.kind,
        weekdays=tuple(str(item) for item in rule.weekdays),
        nths=tuple(str(item) for item in rule.nths),
        days="、".join(str(item) for item in rule.days),
        dates="\n".join(day.isoformat() for day in rule.dates),
        time=f"{rule.at:%H:%M}",
        first=rule.first.isoformat() if rule.first else "",
        until=rule.last.isoformat() if rule.last else "",
        closures="\n".join(str(item) for item in rule.closures),
        on_holiday=rule.on_holiday,
    )


def read_rule(fields: RepeatFields) -> tuple[RecurrenceRule | None, list[Problem]]:
    """The rule that the fields ask for, or what is wrong with them. Only the fields of the chosen way count."""
    problems: list[Problem] = []
    kind = fields.repeat
    with_weekdays = kind in ("weekly", "nth")
    rule = RecurrenceRule(
        kind=kind,
        at=_kept(problems, _time, fields.time) or time(),
        weekdays=_numbers(fields.weekdays) if with_weekdays else (),
        nths=_numbers(fields.nths) if kind == "nth" else (),
        days=(_kept(problems, _days, fields.days) or ()) if kind == "day" else (),
        dates=(_kept(problems, _dates, fields.dates) or ()) if kind == "dates" else (),
        first=_kept(problems, lambda text: _day(text, "first"), fields.first),
        last=_kept(problems, lambda text: _day(text, "until"), fields.until),
        closures=_kept(problems, _closures, fields.closures) or (),
        on_holiday=fields.on_holiday,
    )
    unread = {item.field for item in problems}
    problems += [Problem(error.field, str(error)) for error in faults(rule) if error.field not in unread]
    return (None if problems else rule), problems


def _kept(problems: list[Problem], read: Callable[[str], Read], text: str) -> Read | None:
    """What was read, or None with the problem kept."""
    try:
        return read(text)
    except BadRecurrence as error:
        problems.append(Problem(error.field, str(error)))
        return None


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError as error:
        raise BadRecurrence("time", "送る時刻を 07:00 のように書いてください。") from error


def _numbers(items: tuple[str, ...]) -> tuple[int, ...]:
    return tuple(sorted({int(item) for item in items if item in "0123456"}))


def _days(text: str) -> tuple[int, ...]:
    found = [item.strip().removesuffix("日") for item in SEPARATOR.split(text) if item.strip()]
    if not all(item.isascii() and item.isdigit() and len(item) < 3 for item in found):
        raise BadRecurrence("days", "日を 10 か 10、25 のように、1から31までの数で書いてください。")
    return tuple(sorted({int(item) for item in found}))


def _dates(text: str) -> tuple[date, ...]:
    return tuple(sorted({read_date(item, "dates") for item in SEPARATOR.split(text) if item.strip()}))


def _closures(text: str) -> tuple[Closure, ...]:
    return tuple(read_closure(item) for item in SEPARATOR.split(text) if item.strip())


def _day(text: str, field: str) -> date | None:
    return read_date(text, field) if text else None
