"""What `--every` and its companions mean: a rule in a few English words."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import time

from content.notices.recurrence import BadRecurrence, RecurrenceRule, faults, read_closure, read_date

WEEKDAYS = {name: number for number, name in enumerate(("mon", "tue", "wed", "thu", "fri", "sat", "sun"))}
NTHS = {"1st": 1, "2nd": 2, "3rd": 3, "4th": 4, "5th": 5}
EXAMPLES = (
    "'mon,thu 07:00', '2nd,4th tue 07:00', 'day 10 09:00', 'month-end 09:00',"
    " 'dates 2026-12-01,2026-12-15 07:00'"
)
# Fields of a rule that `--every` does not say.
FLAGS = {"first": "--from", "until": "--until", "closures": "--except", "on_holiday": "--on-holiday"}


def read_rule(every: str, first: str, until: str, closures: Sequence[str], on_holiday: str) -> RecurrenceRule:
    """Raises BadRecurrence whose field is the flag to change."""
    try:
        rule = _read_days(
            every.lower().split(),
            first=read_date(first, "first") if first else None,
            last=read_date(until, "until") if until else None,
            closures=tuple(read_closure(item) for item in closures),
            on_holiday=on_holiday,
        )
        if fault := next(faults(rule), None):
            raise fault
    except BadRecurrence as error:
        raise BadRecurrence(flag_of(error.field), str(error)) from error
    return rule


def flag_of(field: str) -> str:
    """The flag that says this part of a rule."""
    return FLAGS.get(field, "--every")


def _read_days(words: list[str], **rest: object) -> RecurrenceRule:
    match words:
        case ["month-end", at]:
            found: dict[str, object] = {"kind": "month_end"}
        case ["day", days, at] if all(item.isascii() and item.isdigit() for item in days.split(",")):
            found = {"kind": "day", "days": tuple(int(item) for item in days.split(","))}
        case ["dates", dates, at]:
            found = {"kind": "dates", "dates": tuple(read_date(item, "dates") for item in dates.split(","))}
        case [nths, weekdays, at]:
            found = {"kind": "nth", "nths": _known(nths, NTHS), "weekdays": _known(weekdays, WEEKDAYS)}
        case [weekdays, at]:
            found = {"kind": "weekly", "weekdays": _known(weekdays, WEEKDAYS)}
        case _:
            raise _unreadable(" ".join(words))
    return RecurrenceRule(at=_time(at), **found, **rest)  # type: ignore[arg-type]


def _known(text: str, names: Mapping[str, int]) -> tuple[int, ...]:
    chosen = {name[:3] for name in text.split(",")}
    if not chosen <= names.keys():
        raise _unreadable(text)
    return tuple(sorted(names[name] for name in chosen))


def _time(text: str) -> time:
    try:
        return time.fromisoformat(text.zfill(5)).replace(second=0, microsecond=0, tzinfo=None)
    except ValueError as error:
        raise _unreadable(text) from error


def _unreadable(text: str) -> BadRecurrence:
    return BadRecurrence("repeat", f"「{text}」を読み取れません。例: {EXAMPLES}")
