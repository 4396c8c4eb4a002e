"""Ten years of figures: the report page, the nightly snapshot with its second count, and the first making of the book."""

from __future__ import annotations

import argparse
import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

from common import Bench, Figures, Row, run
from postgres import database as postgres_database
from registry import AREAS, EXAMPLE, OPTIONAL, line_id

from bot.month_report import month_report
from bot.service import Service, open_town_context
from bot.settings import Settings
from content.clock import DAY, fiscal_year, now_ms, start_of_day, today_jst
from content.database import Database, insert_many
from content.figures import counts, snapshots
from content.figures.book import enter_events
from content.figures.observed import service_day
from content.key_file import create_key_file
from content.keys import load_keys
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from content.schema import upgrade
from content.town import load_town

YEARS = 10
SLICE = 5000


def prepare(_options: argparse.Namespace, _folder: Path) -> None:
    return None


def measure(options: argparse.Namespace, folder: Path, _prepared: None) -> Figures:
    on_sqlite = asyncio.run(_all(f"sqlite:///{folder}/bench.db", folder, options))
    with postgres_database() as url:
        on_postgres = asyncio.run(_all(url, folder, options))
    return {
        f"{name}_{figure}": value
        for name, figures in (("sqlite", on_sqlite), ("postgres", on_postgres))
        for figure, value in figures.items()
    }


async def _all(url: str, folder: Path, options: argparse.Namespace) -> Figures:
    if not (folder / "secret.key").exists():
        create_key_file(folder / "secret.key")
    settings = Settings(town=EXAMPLE, secret_key_file=folder / "secret.key")
    database, keys, town = Database(url), load_keys(folder / "secret.key"), load_town(EXAMPLE)
    service = Service(settings, open_town_context(settings, town, database, keys))
    await upgrade(database)
    await _play(database, service, options.registrations)
    yesterday = today_jst() - timedelta(days=1)
    year = fiscal_year(today_jst()) - 1

    async def nightly() -> None:
        await snapshots.take_snapshots(database, today=today_jst(), at=now_ms())
        if await snapshots.count_once_more(database):
            raise SystemExit(f"the figures of {yesterday} differ")

    async def every_day() -> None:
        async with database.read() as connection:
            await counts.movements(connection)

    found = {"book_s": await _timed(lambda: enter_events(database)), "nightly_s": await _timed(nightly)}
    for by in ("total", "category", "area", "reason"):
        await month_report(service, year, by)
        found[f"{by}_ms"] = 1000 * await _timed(lambda by=by: month_report(service, year, by))  # type: ignore[misc]
    found["every_day_ms"] = 1000 * await _timed(every_day)
    await database.close()
    return found


async def _timed(work: Callable[[], Awaitable[object]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


async def _play(database: Database, service: Service, registrations: int) -> None:
    """Spread over ten years; every third has left after a year."""
    begin, now = start_of_day(today_jst() - timedelta(days=365 * YEARS)), now_ms()
    apart = (now - begin) // registrations
    for start in range(0, registrations, SLICE):
        people = []
        for number in range(start, min(start + SLICE, registrations)):
            chosen = frozenset({"saigai", *(OPTIONAL[(number + step) % 6] for step in range(3))})
            at = begin + number * apart
            gone = at + 365 * DAY if number % 3 == 0 and at + 365 * DAY < now else None
            area = frozenset({AREAS[number % 6]} if number % 7 else ())
            people.append(Registration("line", "line", line_id(number), Preferences(chosen, area), at, gone))
        async with database.write() as connection:
            await register_many(connection, service.keys, people, reason="follow")
    first, today = today_jst() - timedelta(days=365 * YEARS), today_jst()
    days = [first + timedelta(days=number) for number in range((today - first).days + 1)]
    async with database.write() as connection:
        await insert_many(
            connection,
            service_day,
            [{"day": day, "first_at": start_of_day(day), "last_at": start_of_day(day)} for day in days],
        )
        await insert_many(
            connection,
            snapshots.daily_snapshot,
            [_known(day) for day in days if day < today - timedelta(days=1)],
        )


def _known(day: date) -> dict[str, object]:
    return {"day": day, "taken_at": start_of_day(day) + DAY, "up_to_event": 0, "different": 0}


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    found = []
    for name, word in (("sqlite", "SQLite"), ("postgres", "PostgreSQL")):
        slowest = max(median[f"{name}_{by}_ms"] for by in ("total", "category", "area", "reason"))
        what = f"{YEARS} years, {options.registrations:,} registrations, {word}"
        found += [
            Row(
                f"the slowest table of months: {what}",
                f"{slowest:.0f} ms",
                goal="≤ 300 ms",
                reached=slowest <= 300,
            ),
            Row(
                f"snapshot and second count: {what}",
                f"{median[f'{name}_nightly_s']:.1f} s",
                goal="≤ 10 s",
                reached=median[f"{name}_nightly_s"] <= 10,
            ),
            Row(f"the book from nothing: {what}", f"{median[f'{name}_book_s']:.1f} s"),
        ]
    return found


if __name__ == "__main__":
    run(
        Bench(
            "figures",
            "Ten years of counts",
            (("registrations", 100_000, "registrations over ten years"),),
            prepare,
            measure,
            rows,
            uses_postgres=True,
            rounds=3,
        )
    )
