"""A longer, random run of the kill rounds, fifty copies on PostgreSQL and the five-minute outage: `make drill-faults`.

Prints its seed; `--seed` repeats the choices (who dies, after how long), not the machine's timing.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bot.logs import configure_logging
from tests.faults.books import MAIL_IN_FLIGHT, fault_town
from tests.faults.copied_postgres import trials
from tests.faults.kill_rounds import LINE, MAIL, SECONDS, Drill, Round
from tests.faults.own_postgres import own_server
from tests.faults.recovery import PROMISED, summary
from tests.faults.side_by_side import Place
from tests.faults.test_outside_breaks import line_is_away

FIVE_MINUTES = 300.0
COPIES = 50
COLUMNS = (
    "what",
    "rounds",
    "notices",
    "mail twice",
    "allowed",
    f"s in dead hands, min / median / max (≤ {PROMISED:.0f})",
    "minutes",
    "books",
)
console = Console(stderr=True)


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--rounds", type=int, default=200, help="kills per database")
    options.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    options.add_argument("--skip-outage", action="store_true", help="leave out LINE's five minutes")
    chosen = options.parse_args()
    # The copies run in this process.
    configure_logging("console", logging.CRITICAL)
    console.print(f"seed {chosen.seed}", highlight=False)
    sys.exit(asyncio.run(play(chosen.rounds, chosen.seed, outage=not chosen.skip_outage)))


async def play(rounds: int, seed: int, *, outage: bool) -> int:
    """One after the other; the exit code."""
    table = Table(title=f"Faults, seed {seed}")
    for column in COLUMNS:
        table.add_column(column, justify="left" if column in ("what", "books") else "right")
    parts: list[tuple[str, Callable[[Path], Awaitable[list[str]]]]] = [
        ("SQLite, serve", lambda folder: on_sqlite(folder, rounds, seed)),
        ("PostgreSQL, serve and 2 workers", lambda folder: on_postgres(folder, rounds, seed)),
        ("PostgreSQL, copies", lambda folder: copies(folder, COPIES, seed)),
    ]
    if outage:
        parts.append(("LINE away for five minutes", five_minutes))
    failed = 0
    for name, part in parts:
        begun = time.monotonic()
        with tempfile.TemporaryDirectory(prefix="kairanban-drill-") as folder:
            try:
                figures, verdict = await part(Path(folder)), "agree"
            except (AssertionError, TimeoutError) as error:
                console.print_exception()
                figures, verdict = [""] * (len(COLUMNS) - 3), f"{type(error).__name__}: {error}"
                failed += 1
        table.add_row(name, *figures, f"{(time.monotonic() - begun) / 60:.1f}", verdict)
    Console().print(table)
    return 1 if failed else 0


async def on_sqlite(folder: Path, rounds: int, seed: int) -> list[str]:
    async with fault_town(folder, line=LINE, mail=MAIL) as town:
        town.takes(SECONDS)
        return await rounds_of(Drill(town, random.Random(seed), workers=0), rounds)


async def on_postgres(folder: Path, rounds: int, seed: int) -> list[str]:
    async with (
        own_server() as server,
        fault_town(folder, line=LINE, mail=MAIL, KAIRANBAN_DATABASE_URL=server.url) as town,
    ):
        town.takes(SECONDS, processes=3)
        return await rounds_of(Drill(town, random.Random(seed), workers=2), rounds)


async def rounds_of(drill: Drill, rounds: int) -> list[str]:
    await drill.run(rounds, tell)
    deaths = sum(drill.deaths.values())
    assert max(drill.recoveries, default=0.0) <= PROMISED, summary(drill.recoveries)
    return [
        str(len(drill.rounds)),
        str(len(drill.town.posted)),
        str(sum(drill.repeats.values())),
        str(deaths * MAIL_IN_FLIGHT),
        summary(drill.recoveries),
    ]


async def copies(folder: Path, number: int, seed: int) -> list[str]:
    await trials(folder, number, seed)
    return [str(number), str(number), "0", "0", ""]


async def five_minutes(folder: Path) -> list[str]:
    async with fault_town(folder):
        pass
    story = folder / "story"
    story.mkdir()
    await line_is_away(Place(story, folder), FIVE_MINUTES)
    return ["1", "1", "0", "0", ""]


def tell(item: Round) -> None:
    console.print(
        f"{item.at:7.1f} s  round {item.number}: killed {item.victims} in notice {item.notice}, {item.open} open",
        highlight=False,
    )


if __name__ == "__main__":
    main()
