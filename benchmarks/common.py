"""What every benchmark shares: flags, rounds and medians, the machine line, the table and the JSON.

A benchmark hands `run` its flags, one round (figures by name) and the rows that it makes of the medians.
"""

from __future__ import annotations

import argparse
import json
import logging
import os
import platform
import resource
import shutil
import signal
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bot.logs import configure_logging

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Row:
    """One figure beside its reference. `reached` is None where there is no goal."""

    figure: str
    value: str
    reference: str = ""
    ratio: str = ""
    goal: str = ""
    reached: bool | None = None


@dataclass(frozen=True, slots=True)
class Bench:
    name: str
    title: str
    # (flag, default, help): whole numbers, the sizes of the benchmark.
    sizes: tuple[tuple[str, int, str], ...]
    # Made once a run, before the rounds; what it returns is handed to every round.
    prepare: Callable[[argparse.Namespace, Path], Any]
    measure: Callable[[argparse.Namespace, Path, Any], Figures]
    rows: Callable[[argparse.Namespace, Figures], list[Row]]
    uses_postgres: bool = False
    rounds: int = 5


def run(bench: Bench) -> None:
    """Parse the flags, measure all rounds, print the table or, with --json, the JSON."""
    options = _parse(bench)
    configure_logging("console", logging.WARNING)
    # Processes and databases of a run that is ended from outside are put away as well.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))
    rounds: list[Figures] = []
    with tempfile.TemporaryDirectory(prefix=f"kairanban-{bench.name}-") as name:
        prepared = bench.prepare(options, options.cache or Path(name))
        for number in range(options.rounds):
            folder = Path(name) / f"round{number}"
            folder.mkdir()
            rounds.append(bench.measure(options, folder, prepared))
            shutil.rmtree(folder)
            talk(f"{bench.name}: round {number + 1} of {options.rounds}: {_brief(rounds[-1])}")
    median = {figure: statistics.median(one[figure] for one in rounds) for figure in rounds[0]}
    result = {
        "bench": bench.name,
        "title": bench.title,
        "sizes": {flag: getattr(options, flag) for flag, _, _ in bench.sizes},
        "rounds": options.rounds,
        "machine": machine_line(bench.uses_postgres),
        "rows": [asdict(row) for row in bench.rows(options, median)],
        "medians": {figure: round(value, 4) for figure, value in median.items()},
        "all_rounds": [{figure: round(value, 4) for figure, value in one.items()} for one in rounds],
    }
    print(json.dumps(result, ensure_ascii=False, indent=2)) if options.json else show(result)


def _parse(bench: Bench) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog=f"benchmarks/{bench.name}.py", description=bench.title)
    for flag, default, words in bench.sizes:
        parser.add_argument(f"--{flag.replace('_', '-')}", type=int, default=default, help=words)
    parser.add_argument(
        "--rounds", type=int, default=bench.rounds, help="how often to measure; medians are shown"
    )
    parser.add_argument("--cache", type=Path, help="folder that keeps seeded registers between runs")
    parser.add_argument("--json", action="store_true", help="print JSON in place of the table")
    return parser.parse_args()


def show(result: dict[str, Any]) -> None:
    console = Console(width=132)
    sizes = ", ".join(f"{name.replace('_', ' ')} {value:,}" for name, value in result["sizes"].items())
    table = Table(title=f"{result['title']} ({sizes}; medians of {result['rounds']})")
    for column in ("figure", "value", "reference in the same run", "ratio", "goal", ""):
        table.add_column(column)
    for row in result["rows"]:
        table.add_row(row["figure"], row["value"], row["reference"], row["ratio"], row["goal"], mark(row))
    console.print(table)
    console.print(result["machine"], highlight=False)


def mark(row: dict[str, Any]) -> str:
    return {None: "", True: "reached", False: "missed"}[row["reached"]]


def machine_line(postgres: bool = False) -> str:
    parts = [
        f"{os.cpu_count()} cores",
        _processor(),
        f"Python {platform.python_version()}",
        f"SQLite {sqlite3.sqlite_version}",
    ]
    if postgres:
        from postgres import version

        parts.append(f"PostgreSQL {version()}")
    return ", ".join([*parts, date.today().isoformat()])


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    if path.is_file():
        for line in path.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def talk(words: str) -> None:
    """Progress goes to stderr, results to stdout."""
    print(words, file=sys.stderr, flush=True)


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def need(found: bool, remedy: str) -> None:
    if not found:
        raise SystemExit(remedy)


def _brief(figures: Figures) -> str:
    return ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
