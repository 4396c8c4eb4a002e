"""From the start after `kill -9` in the middle of a send to the first resumed send, on both databases.

Embedded: `kairanban serve` on SQLite is killed and started again. Distributed: one of two workers on
PostgreSQL is killed; what it had in flight must go out by the other, and nothing twice.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path

import postgres
from common import Bench, Figures, Row, run
from processes import deployed, until
from registry import Register, Seeded, seed_postgres, seed_sqlite
from servers import CountingServer, counting_line


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(line=options.registrations)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    embedded, distributed = folder / "embedded", folder / "distributed"
    embedded.mkdir()
    distributed.mkdir()
    return {
        **kill_the_one_process(options, embedded, seeded),
        "distributed_s": kill_one_of_two(options, distributed),
    }


def kill_the_one_process(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    """Seconds from the start of the new process to its first send, and to the first that was in flight."""
    database = folder / "bench.db"
    shutil.copy(seeded.database, database)
    with (
        counting_line(options.latency) as line,
        deployed(folder, seeded, f"sqlite:///{database}", KAIRANBAN_LINE__API_BASE=line.url) as deployment,
    ):
        deployment.init()
        process = deployment.serve()
        deployment.post("--channel", "line")
        until(lambda: line.count()["calls"] >= options.calls_before, "the send to begin", 60)
        deployment.end(process, signal.SIGKILL)
        ledger = sqlite3.connect(database)
        held = [row[0] for row in ledger.execute("SELECT id FROM batch WHERE state = 'claimed'")]
        if not held:
            raise SystemExit("nothing was in flight when the process was killed")
        begun = time.time()
        deployment.serve()
        repeated = settled_first(lambda: _settled_sqlite(ledger, held), len(held))
        require_all(options, line)
        since = "SELECT min(settled_at) FROM batch WHERE settled_at > ?"
        resumed = ledger.execute(since, (begun * 1000,)).fetchone()[0] / 1000
        ledger.close()
    return {"embedded_s": resumed - begun, "repeated_s": repeated - begun}


def kill_one_of_two(options: argparse.Namespace, folder: Path) -> float:
    """Seconds from the kill to the first of the dead worker's batches that is settled by the other."""
    with postgres.database() as url, counting_line(options.latency) as line:
        seeded = asyncio.run(seed_postgres(url, folder / "register", Register(line=options.registrations)))
        with deployed(folder, seeded, url, KAIRANBAN_LINE__API_BASE=line.url) as deployment:
            deployment.init()
            first, _ = deployment.start("worker"), deployment.start("worker")
            deployment.post("--channel", "line")
            until(lambda: line.count()["calls"] >= options.calls_before, "the send to begin", 60)
            until(lambda: len(owners(url)) == 2, "both workers to be at work", 60)
            deployment.end(first, signal.SIGKILL)
            begun = time.time()
            held = [
                row[0]
                for row in postgres.fetch(
                    url,
                    "SELECT id FROM batch WHERE state = 'claimed' AND lease_owner LIKE '%:' || $1 || ':%'",
                    str(first.pid),
                )
            ]
            if not held:
                raise SystemExit(
                    "nothing was in flight when the worker was killed: give it more registrations"
                )
            resumed = settled_first(lambda: _settled_postgres(url, held), len(held))
            require_all(options, line)
    return resumed - begun


def owners(url: str) -> set[str]:
    rows = postgres.fetch(url, "SELECT DISTINCT lease_owner FROM batch WHERE state = 'claimed'")
    return {row[0] for row in rows if row[0]}


def settled_first(settled: Callable[[], list[int]], held: int) -> float:
    """When the first of the batches was settled, in seconds since the epoch; waits for all of them."""
    times: list[int] = []

    def all_settled() -> bool:
        times[:] = settled()
        return len(times) == held

    until(all_settled, "what was in flight to be settled", 120)
    return min(times) / 1000


def _settled_sqlite(ledger: sqlite3.Connection, held: list[int]) -> list[int]:
    places = ",".join("?" * len(held))
    query = f"SELECT settled_at FROM batch WHERE state = 'settled' AND id IN ({places})"
    return [row[0] for row in ledger.execute(query, held)]


def _settled_postgres(url: str, held: list[int]) -> list[int]:
    query = "SELECT settled_at FROM batch WHERE state = 'settled' AND id = ANY($1)"
    return [row[0] for row in postgres.fetch(url, query, held)]


def require_all(options: argparse.Namespace, line: CountingServer) -> None:
    """Everyone exactly once, the killed process's sends included."""
    calls = options.registrations // 500
    until(lambda: line.count()["calls"] >= calls, "the send to end", 600, every=0.5)
    line.require(options.registrations)


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    embedded, distributed = median["embedded_s"], median["distributed_s"]
    start = "from the start of the new process"
    return [
        Row(
            "embedded (SQLite): first send after kill -9",
            f"{embedded:.1f} s",
            start,
            goal="< 10 s",
            reached=embedded < 10,
        ),
        Row(
            "embedded: first repeat of what was in flight, behind all first attempts",
            f"{median['repeated_s']:.1f} s",
            start,
        ),
        Row(
            "distributed (PostgreSQL): first send of what the killed worker had in flight",
            f"{distributed:.1f} s",
            "from the kill; leases last 10 s",
            goal="< 30 s",
            reached=distributed < 30,
        ),
    ]


if __name__ == "__main__":
    run(
        Bench(
            "recovery",
            "Recovery after kill -9, lost 0 and doubled 0",
            (
                ("registrations", 200_000, "registrations on LINE"),
                ("latency", 200, "ms that LINE takes to answer"),
                ("calls_before", 50, "multicasts before the kill"),
            ),
            prepare,
            measure,
            rows,
            uses_postgres=True,
        )
    )
