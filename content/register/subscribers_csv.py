"""Subscribers as CSV: all or nothing in, everything out.

What is exported has the columns channel,address,categories,areas,language,birth_months,groups,registered_at,
quiet_hours,paused_until,pace and then those of `history`; lists inside a field are separated by `;`, and a cell that a
spreadsheet would run as a formula bears an apostrophe in front. What is read may be that, or a table as an office has
it (`office_rows`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from itertools import chain

from content.clock import from_datetime, now_ms
from content.quiet_hours import BadQuietHours, normalise
from content.register import addresses
from content.register.csv_cells import without_mark
from content.register.history import (
    HISTORY_COLUMNS,
    BadHistory,
    History,
    read_history,
)
from content.register.office_rows import FORM, LATER, REPEATABLE, Bad, Problem, office_rows
from content.register.registration import Registration
from content.register.states import Pace, SubscriberState
from content.register.subscribers import Preferences
from content.town import Town

COLUMNS = FORM
# Behind the others: a file without them is as good.
LATER_COLUMNS = LATER
LATEST_COLUMNS = LATER_COLUMNS + HISTORY_COLUMNS
ALL_COLUMNS = COLUMNS + LATEST_COLUMNS
BIRTH_MONTH = re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])")
SLICE = 2000
MOST_PROBLEMS = 20
# Says that a list is empty, where an empty cell says nothing.
NOTHING = "なし"


class ImportRefused(Exception):
    """Nothing was imported; `problems` names lines and columns, at most MOST_PROBLEMS of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems[:MOST_PROBLEMS]))
        self.problems = problems[:MOST_PROBLEMS]


@dataclass(frozen=True, slots=True)
class Table:
    """What stands in a file: who can be registered, and each row that cannot with what is wrong in it.

    `given` are the columns in which each registration says something.
    """

    registrations: list[Registration]
    bad: list[tuple[tuple[str, ...], Problem]]
    header: tuple[str, ...]
    given: list[frozenset[str]]


def read_rows(file: Iterable[str], town: Town) -> list[Registration]:
    """Check every line. Raises ImportRefused."""
    table = read_table(file, town)
    if table.bad:
        raise ImportRefused([problem for _, problem in table.bad])
    return table.registrations


def read_table(file: Iterable[str], town: Town) -> Table:
    """Check every line, and go on behind one that is bad. Raises ImportRefused when the file cannot be read at all."""
    lines = _Counted(without_mark(file))
    try:
        return _read(lines, town)
    except Bad as error:
        raise ImportRefused([error.problem]) from None
    except UnicodeDecodeError:
        # Its own text would carry bytes of the file.
        raise ImportRefused([Problem(1, "file", "文字を読めません。UTF-8のCSVで保存してください")]) from None
    except csv.Error:
        problem = Problem(lines.number, "file", '" で始まる欄が終わっていないか、長すぎます')
        raise ImportRefused([problem]) from None


class _Counted:
    """Lines, with the number of the last one that was asked for."""

    def __init__(self, lines: Iterator[str]) -> None:
        self._lines = lines
        self.number = 0

    def __iter__(self) -> Iterator[str]:
        for line in self._lines:
            self.number += 1
            yield line


def _read(lines: Iterable[str], town: Town) -> Table:
    registrations: list[Registration] = []
    given: list[frozenset[str]] = []
    bad: list[tuple[tuple[str, ...], Problem]] = []
    seen: dict[tuple[str, str], int] = {}
    now = now_ms()

    def set_aside(error: Bad, raw: tuple[str, ...]) -> None:
        bad.append((raw, error.problem))

    rows = iter(lines)
    heading = next(rows, "")
    for row in office_rows(chain([heading], rows), town, set_aside):
        try:
            registration = _registration(town, row.cells, row.line, now)
            identity = (
                registration.account,
                addresses.lookup_part(registration.channel, registration.address),
            )
            if identity in seen and registration.address:
                raise Bad(row.line, "address", f"同じ宛先が{seen[identity]}行目にもあります")
            seen[identity] = row.line
            registrations.append(registration)
            given.append(frozenset(column for column, cell in row.cells.items() if cell.strip()))
        except Bad as error:
            set_aside(error, row.raw)
    return Table(registrations, bad, tuple(next(csv.reader([heading]), [])), given)


def _registration(town: Town, row: dict[str, str], line: int, now: int) -> Registration:
    row = {column: row.get(column, "") for column in FORM} | row
    channel = row["channel"].strip()
    account = town.live_account(channel)
    if account is None:
        raise Bad(
            line,
            "channel",
            f"{_shown(channel)}は、この町の配信手段ではありません。使えるもの: {'、'.join(town.channels)}",
        )
    history = _history(row, line, now)
    erased = history is not None and history.state == SubscriberState.ERASED
    plain = "" if erased and not row["address"] else _address(channel, row["address"], line)
    language = row["language"].strip() or "ja"
    if language not in town.languages:
        raise Bad(
            line,
            "language",
            f"{_shown(language)}は、この町のことばにありません。使えるもの: {'、'.join(town.languages)}",
        )
    preferences = Preferences(
        # Closed ones too: who chose one before it closed must be able to move.
        categories=frozenset()
        if erased
        else _keys(row, "categories", set(town.category), line) | frozenset(town.always_categories),
        areas=_keys(row, "areas", set(town.area), line),
        birth_months=_birth_months(row, line),
        groups=_keys(row, "groups", set(town.group), line),
        language=language,
        quiet_hours=_quiet_hours(row.get("quiet_hours", "").strip(), line),
        paused_until=_last_day(row.get("paused_until", "").strip(), line),
        pace=_pace(row.get("pace", "").strip(), line),
    )
    return Registration(
        channel,
        account.key,
        plain,
        preferences,
        _moment(row["registered_at"], line, now),
        history=history.events if history else (),
        state=history.state if history else SubscriberState.ACTIVE,
    )


def _address(channel: str, text: str, line: int) -> str:
    try:
        return addresses.normalise(channel, text)
    except addresses.BadAddress as error:
        raise Bad(line, "address", str(error)) from error


def _history(row: dict[str, str], line: int, now: int) -> History | None:
    """None for a file without histories."""
    if "events" not in row:
        return None
    try:
        return read_history(row["state"].strip(), row["events"], now)
    except BadHistory as error:
        raise Bad(line, error.column, str(error)) from error


def _shown(value: str) -> str:
    return f"「{value}」" if REPEATABLE.fullmatch(value) else "この値"


def _list(row: dict[str, str], column: str) -> Iterator[str]:
    return (item.strip() for item in row[column].split(";") if item.strip() not in ("", NOTHING))


def _keys(row: dict[str, str], column: str, known: set[str], line: int) -> frozenset[str]:
    chosen = frozenset(_list(row, column))
    unknown = sorted(chosen - known)
    if unknown:
        raise Bad(
            line,
            column,
            f"{_shown(unknown[0])}はありません。使えるもの: {'、'.join(sorted(known)) or 'なし'}",
        )
    return chosen


def _birth_months(row: dict[str, str], line: int) -> frozenset[str]:
    months = frozenset(_list(row, "birth_months"))
    for month in months:
        if not BIRTH_MONTH.fullmatch(month):
            raise Bad(
                line,
                "birth_months",
                f"{_shown(month)}は年月ではありません。2021-04、2021/4、令和3年4月のように書いてください",
            )
    return months


def _quiet_hours(text: str, line: int) -> str:
    try:
        return normalise(text) if text else ""
    except BadQuietHours as error:
        raise Bad(line, "quiet_hours", str(error)) from error


def _pace(text: str, line: int) -> Pace:
    try:
        return Pace(text) if text else Pace.AT_ONCE
    except ValueError as error:
        raise Bad(
            line, "pace", f"{_shown(text)}は受け取り方にありません。使えるもの: すぐに、朝のまとめ"
        ) from error


def _last_day(text: str, line: int) -> date | None:
    try:
        return date.fromisoformat(text) if text not in ("", NOTHING) else None
    except ValueError as error:
        raise Bad(line, "paused_until", "お休みの最後の日を 2026-04-30 のように書いてください") from error


def _moment(text: str, line: int, now: int) -> int:
    if not text.strip():
        return now
    try:
        moment = from_datetime(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise Bad(
            line, "registered_at", "2021-04-01、2021/4/1、令和3年4月1日、2021/4/1 9:30 のように書いてください"
        ) from error
    if moment > now:
        raise Bad(line, "registered_at", "これから先の日時です")
    return moment
