"""Subscribers as CSV: all or nothing in, everything out.

Columns: channel,address,categories,areas,language,birth_months,groups,registered_at and, unless the file is
from before there were any, quiet_hours,paused_until,pace, then those of `history`. Lists inside a field are separated by `;`. UTF-8, with or without a byte order mark. A cell that a spreadsheet would run as
a formula bears an apostrophe in front.
"""

from __future__ import annotations

import csv
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from typing import TextIO

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import from_datetime, iso, now_ms
from content.keys import Keys
from content.quiet_hours import BadQuietHours, normalise
from content.register import addresses
from content.register.csv_cells import harmless, original, without_mark
from content.register.history import (
    HISTORY_COLUMNS,
    BadHistory,
    History,
    histories,
    read_history,
    write_history,
)
from content.register.imports import has_come_in
from content.register.registration import Registration
from content.register.states import Pace, SubscriberState
from content.register.subscribers import Preferences, address, choices_of, seal_place, subscriber
from content.town import Mode, Town

COLUMNS = (
    "channel",
    "address",
    "categories",
    "areas",
    "language",
    "birth_months",
    "groups",
    "registered_at",
)
# Behind the others: a file without them is as good.
LATER_COLUMNS = ("quiet_hours", "paused_until", "pace")
LATEST_COLUMNS = LATER_COLUMNS + HISTORY_COLUMNS
ALL_COLUMNS = COLUMNS + LATEST_COLUMNS
BIRTH_MONTH = re.compile(r"(19|20)\d{2}-(0[1-9]|1[0-2])")
SLICE = 2000
MOST_PROBLEMS = 20
# What a message may repeat: a key or a word, nothing that an address fits into.
REPEATABLE = re.compile(r"[\w-]{1,24}")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong in one field. Never repeats the address."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, column {self.column}: {self.message}"


class ImportRefused(Exception):
    """Nothing was imported; `problems` names lines and columns, at most MOST_PROBLEMS of them."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


def read_rows(file: TextIO, town: Town) -> list[Registration]:
    """Check every line. Raises ImportRefused."""
    reader = csv.DictReader(without_mark(file))
    try:
        return _read(reader, town)
    except UnicodeDecodeError:
        # Its own text would carry bytes of the file.
        raise ImportRefused([Problem(1, "file", "this is not UTF-8; save it as CSV in UTF-8")]) from None
    except csv.Error:
        problem = Problem(reader.reader.line_num, "file", "a quoted field does not end, or is far too long")
        raise ImportRefused([problem]) from None


def _read(reader: csv.DictReader[str], town: Town) -> list[Registration]:
    header = tuple(reader.fieldnames or ())
    later = header[len(COLUMNS) :]
    # A file from before a column came keeps the order of the others; a history is whole or not there.
    in_order = later == tuple(name for name in LATEST_COLUMNS if name in later)
    half = 0 < len(set(HISTORY_COLUMNS) & set(later)) < len(HISTORY_COLUMNS)
    if header[: len(COLUMNS)] != COLUMNS or not in_order or half:
        expected = ",".join(COLUMNS + LATER_COLUMNS)
        raise ImportRefused([Problem(1, "header", f"the first line must be {expected}")])
    problems: list[Problem] = []
    registrations: list[Registration] = []
    seen: dict[tuple[str, str], int] = {}
    now = now_ms()
    for row in reader:
        line = reader.line_num
        try:
            registration = _registration(town, row, line, now)
            identity = (
                registration.account,
                addresses.lookup_part(registration.channel, registration.address),
            )
            if identity in seen and registration.address:
                raise _Bad(line, "address", f"the same address stands in line {seen[identity]}")
            seen[identity] = line
            registrations.append(registration)
        except _Bad as bad:
            problems.append(bad.problem)
            if len(problems) >= MOST_PROBLEMS:
                break
    if problems:
        raise ImportRefused(problems)
    return registrations


async def export_rows(connection: AsyncConnection, keys: Keys, town: Town) -> AsyncIterator[list[str]]:
    """The header, then everybody who ever registered on a live account, in the form that `read_rows` takes.

    The form has no account: registrations for drills would come back as residents. Who was erased is there with
    the bare number and no address.
    """
    live = [account.key for account in town.accounts if account.mode == Mode.LIVE]
    yield list(ALL_COLUMNS)
    after = 0
    while True:
        rows = (
            await connection.execute(
                select(subscriber, address.c.sealed)
                .outerjoin(address, address.c.subscriber_id == subscriber.c.id)
                .where(
                    subscriber.c.id > after,
                    subscriber.c.account.in_(live),
                    has_come_in(subscriber.c.id),
                )
                .order_by(subscriber.c.id)
                .limit(SLICE)
            )
        ).all()
        if not rows:
            return
        chosen = await choices_of(connection, rows[0].id, rows[-1].id)
        events = await histories(connection, rows[0].id, rows[-1].id)
        for row in rows:
            if row.id not in events:
                # Left before it joined, so it never counted.
                continue
            mine = chosen.get(row.id, {})
            account = town.account.get(row.account)
            cells = [
                account.channel if account else row.account,
                keys.open(row.sealed, seal_place(row.id, row.account)) if row.sealed else "",
                *(";".join(sorted(mine.get(kind, ()))) for kind in ("category", "area")),
                row.language,
                *(";".join(sorted(mine.get(kind, ()))) for kind in ("birth_month", "group")),
                iso(row.joined_at) or "",
                row.quiet_hours,
                row.paused_until,
                row.pace,
                str(row.id),
                row.state,
                write_history(events[row.id]),
            ]
            yield [harmless(cell) for cell in cells]
        after = rows[-1].id


class _Bad(Exception):
    def __init__(self, line: int, column: str, message: str) -> None:
        super().__init__(message)
        self.problem = Problem(line, column, message)


def _registration(town: Town, row: dict[str, str], line: int, now: int) -> Registration:
    if None in row or None in row.values():
        raise _Bad(line, "address", "a field for each column is needed; lists inside a field use ;")
    row = {column: original(cell) for column, cell in row.items()}
    channel = row["channel"].strip()
    account = town.live_account(channel)
    if account is None:
        raise _Bad(
            line, "channel", f"{_shown(channel)} is no channel of this town; use {', '.join(town.channels)}"
        )
    history = _history(row, line, now)
    erased = history is not None and history.state == SubscriberState.ERASED
    plain = "" if erased and not row["address"] else _address(channel, row["address"], line)
    language = row["language"].strip() or "ja"
    if language not in town.languages:
        raise _Bad(
            line,
            "language",
            f"{_shown(language)} is no language of this town; use {', '.join(town.languages)}",
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
        raise _Bad(line, "address", str(error)) from error


def _history(row: dict[str, str], line: int, now: int) -> History | None:
    """None for a file without histories."""
    if "events" not in row:
        return None
    try:
        return read_history(row["state"].strip(), row["events"], now)
    except BadHistory as error:
        raise _Bad(line, error.column, str(error)) from error


def _shown(value: str) -> str:
    return f"'{value}'" if REPEATABLE.fullmatch(value) else "this value"


def _list(row: dict[str, str], column: str) -> Iterator[str]:
    return (item.strip() for item in row[column].split(";") if item.strip())


def _keys(row: dict[str, str], column: str, known: set[str], line: int) -> frozenset[str]:
    chosen = frozenset(_list(row, column))
    unknown = sorted(chosen - known)
    if unknown:
        raise _Bad(line, column, f"{_shown(unknown[0])} is unknown; use {', '.join(sorted(known)) or 'none'}")
    return chosen


def _birth_months(row: dict[str, str], line: int) -> frozenset[str]:
    months = frozenset(_list(row, "birth_months"))
    for month in months:
        if not BIRTH_MONTH.fullmatch(month):
            raise _Bad(line, "birth_months", f"{_shown(month)} is no month; write 2021-04")
    return months


def _quiet_hours(text: str, line: int) -> str:
    try:
        return normalise(text) if text else ""
    except BadQuietHours as error:
        raise _Bad(line, "quiet_hours", str(error)) from error


def _pace(text: str, line: int) -> Pace:
    try:
        return Pace(text) if text else Pace.AT_ONCE
    except ValueError as error:
        raise _Bad(line, "pace", f"{_shown(text)} is no pace; use {', '.join(Pace)}") from error


def _last_day(text: str, line: int) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise _Bad(line, "paused_until", "write 2026-04-30, the last day of the pause") from error


def _moment(text: str, line: int, now: int) -> int:
    if not text.strip():
        return now
    try:
        moment = from_datetime(datetime.fromisoformat(text.strip()))
    except ValueError as error:
        raise _Bad(line, "registered_at", "write 2021-04-01 or 2021-04-01T09:30:00+09:00") from error
    if moment > now:
        raise _Bad(line, "registered_at", "lies in the future")
    return moment
