"""Import of a CSV register, beside the driver's bare executemany of the same rows."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import time
from pathlib import Path

from common import Bench, Figures, Row, run
from registry import AREAS, OPTIONAL, line_id, mail_address

from bot.demo.stage import DEMO_TOWN
from content.clock import now_ms
from content.database import Database
from content.key_file import create_key_file
from content.keys import load_keys
from content.register.importing import import_registrations
from content.register.subscribers_csv import COLUMNS, read_rows
from content.schema import upgrade
from content.town import load_town

TABLES = ("subscriber", "address", "preference", "registration_event")


def prepare(options: argparse.Namespace, folder: Path) -> Path:
    path = folder / f"register-{options.registrations}.csv"
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for number in range(options.registrations):
            chosen = ";".join(OPTIONAL[(number + step) % 6] for step in range(3))
            who = f"line,{line_id(number)}" if number % 5 else f"mail,{mail_address(number)}"
            file.write(f"{who},saigai;{chosen},{AREAS[number % 6]},ja,,,2021-04-01\n")
    return path


def measure(options: argparse.Namespace, folder: Path, register: Path) -> Figures:
    seconds = asyncio.run(import_register(folder, register))
    return {"import_s": seconds, "bare_s": bare_insert(folder, options.registrations)}


async def import_register(folder: Path, register: Path) -> float:
    create_key_file(folder / "secret.key")
    keys = load_keys(folder / "secret.key")
    database = Database(f"sqlite:///{folder}/bench.db")
    await upgrade(database)
    begun = time.perf_counter()
    with register.open(encoding="utf-8", newline="") as file:
        registrations = read_rows(file, load_town(DEMO_TOWN))
    await import_registrations(database, keys, registrations, lambda _: None, at=now_ms())
    seconds = time.perf_counter() - begun
    await database.close()
    return seconds


def bare_insert(folder: Path, registrations: int) -> float:
    """The same rows into a file of the same schema."""
    source = sqlite3.connect(folder / "bench.db")
    target = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for (statement,) in source.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type != 'trigger'"
    ):
        target.execute(statement)
    tables = {name: source.execute(f"SELECT * FROM {name}").fetchall() for name in TABLES}
    source.close()
    if len(tables["subscriber"]) != registrations:
        raise SystemExit(f"imported {len(tables['subscriber'])} of {registrations}")
    target.execute("PRAGMA journal_mode = WAL")
    begun = time.perf_counter()
    target.execute("BEGIN")
    for name, rows in tables.items():
        target.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows)
    target.execute("COMMIT")
    seconds = time.perf_counter() - begun
    target.close()
    return seconds


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    return [
        Row(
            f"import of {options.registrations:,} registrations from CSV",
            f"{median['import_s']:.2f} s",
            f"bare executemany of the same rows: {median['bare_s']:.2f} s",
            f"{median['import_s'] / median['bare_s']:.2f}",
        )
    ]


if __name__ == "__main__":
    run(
        Bench(
            "importing",
            "Import of a register on SQLite",
            (("registrations", 50_000, "registrations, a fifth of them mail"),),
            prepare,
            measure,
            rows,
        )
    )
