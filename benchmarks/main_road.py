"""The main road measured: import, impact card and fan-out of 50,000 registrations on SQLite.

Each figure stands beside a reference measured in the same run on the same machine:
import beside bare executemany of the same rows, fan-out beside the bare query that streams the same
ids. `make bench` prints a table; `--json` prints JSON. Medians of `--rounds` rounds.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import platform
import sqlite3
import statistics
import sys
import tempfile
import time
import uuid
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from bot.service import open_office
from bot.settings import BUNDLED_TOWN, LineSettings, MailSettings, Settings
from content.database import Database
from content.keys import create_key_file, load_keys
from content.notices import Draft
from content.registry_csv import COLUMNS, import_registrations, read_rows
from content.schema import upgrade
from content.town import load_town
from scheduler import posting
from scheduler.fanout import plan_next
from scheduler.office import Office
from scheduler.triggers import fire_due

REGISTRATIONS = 50_000
ROUNDS = 5
OPTIONAL = ("bohan", "kosodate", "event", "gomi", "kenko", "kurashi")
AREAS = ("funaoka", "higashifunaoka", "funabasama", "shibata", "nishizumi", "tsukinoki")


def write_register(path: Path) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.write(",".join(COLUMNS) + "\n")
        for number in range(REGISTRATIONS):
            digest = hashlib.sha256(str(number).encode()).hexdigest()
            chosen = ";".join(OPTIONAL[(number + step) % 6] for step in range(3))
            who = f"line,U{digest[:32]}" if number % 5 else f"mail,r{number}@example.jp"
            file.write(f"{who},saigai;{chosen},{AREAS[number % 6]},ja,,,2021-04-01\n")


async def round_of(folder: Path, register: Path) -> dict[str, float]:
    """Seconds of each step in one round on a new database."""
    office = await new_office(folder)
    figures: dict[str, float] = {}
    begun = time.perf_counter()
    with register.open(encoding="utf-8", newline="") as file:
        registrations = read_rows(file, office.town)
    async with office.database.write() as connection:
        await import_registrations(connection, office.keys, registrations, lambda _: None)
    figures["import"] = time.perf_counter() - begun
    figures["import_reference"] = bare_insert(folder)
    draft = Draft("saigai", "urgent", {"ja": ("避難指示", "にげてください")}, ("line", "mail"))
    posting.find_problems(office, draft)
    figures["impact"] = await timed(lambda: posting.measure_impact(office, draft))
    notice_id, _ = await posting.store(office, draft, submission_key=str(uuid.uuid4()), staff="bench")
    await posting.approve(office, notice_id, staff="bench")
    figures["fanout"] = await timed(lambda: fan_out(office))
    figures["fanout_reference"] = bare_query(folder)
    planned = (await posting.status(office, notice_id)).planned
    if planned != REGISTRATIONS:
        raise SystemExit(f"planned {planned} of {REGISTRATIONS}")
    await office.database.close()
    return figures


async def new_office(folder: Path) -> Office:
    create_key_file(folder / "secret.key")
    database = Database(f"sqlite:///{folder}/bench.db")
    await upgrade(database)
    settings = Settings(
        line=LineSettings(channel_token=SecretStr("bench")),
        mail=MailSettings(smtp_url=SecretStr("smtp://127.0.0.1:1"), sender="town@example.jp"),
    )
    return open_office(settings, load_town(BUNDLED_TOWN), database, load_keys(folder / "secret.key"))


async def fan_out(office: Office) -> None:
    await fire_due(office)
    while await plan_next(office):
        pass


def bare_insert(folder: Path) -> float:
    """The same rows by the driver's executemany into a file of the same schema."""
    source = sqlite3.connect(folder / "bench.db")
    target = sqlite3.connect(folder / "bare.db", isolation_level=None)
    for (statement,) in source.execute(
        "SELECT sql FROM sqlite_master WHERE sql IS NOT NULL AND type != 'trigger'"
    ):
        target.execute(statement)
    tables = {
        name: source.execute(f"SELECT * FROM {name}").fetchall()
        for name in ("subscriber", "address", "preference", "registration_event")
    }
    target.execute("PRAGMA journal_mode = WAL")
    begun = time.perf_counter()
    target.execute("BEGIN")
    for name, rows in tables.items():
        target.executemany(f"INSERT INTO {name} VALUES ({','.join('?' * len(rows[0]))})", rows)
    target.execute("COMMIT")
    return time.perf_counter() - begun


def bare_query(folder: Path) -> float:
    """The ids of the same audience, streamed by the driver."""
    connection = sqlite3.connect(folder / "bench.db")
    begun = time.perf_counter()
    for account in ("line", "mail"):
        connection.execute(
            "SELECT s.id FROM subscriber s WHERE s.account = ? AND s.state = 'active' AND EXISTS ("
            "SELECT 1 FROM preference p WHERE p.subscriber_id = s.id AND p.kind = 'category' "
            "AND p.value = 'saigai') ORDER BY s.id",
            (account,),
        ).fetchall()
    return time.perf_counter() - begun


async def timed(work: Callable[[], Awaitable[Any]]) -> float:
    begun = time.perf_counter()
    await work()
    return time.perf_counter() - begun


def main() -> None:
    rounds = []
    for _ in range(ROUNDS):
        with tempfile.TemporaryDirectory() as folder:
            register = Path(folder) / "register.csv"
            write_register(register)
            rounds.append(asyncio.run(round_of(Path(folder), register)))
    median = {name: statistics.median(item[name] for item in rounds) for name in rounds[0]}
    result = {
        "registrations": REGISTRATIONS,
        "rounds": ROUNDS,
        "seconds": {name: round(value, 3) for name, value in median.items()},
        "import_to_reference": round(median["import"] / median["import_reference"], 2),
        "fanout_to_reference": round(median["fanout"] / median["fanout_reference"], 2),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}",
    }
    if "--json" in sys.argv:
        print(json.dumps(result, indent=2))
        return
    table = Table(title=f"{REGISTRATIONS:,} registrations, medians of {ROUNDS} ({result['machine']})")
    for column in ("step", "seconds", "reference", "ratio"):
        table.add_column(column)
    table.add_row(
        "import",
        f"{median['import']:.2f}",
        f"{median['import_reference']:.2f}",
        str(result["import_to_reference"]),
    )
    table.add_row("impact card", f"{median['impact']:.3f}", "", "")
    table.add_row(
        "fan-out",
        f"{median['fanout']:.2f}",
        f"{median['fanout_reference']:.2f}",
        str(result["fanout_to_reference"]),
    )
    Console(width=100).print(table)


if __name__ == "__main__":
    main()
