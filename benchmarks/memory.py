"""The peak memory of `kairanban serve` over a send to a whole register on LINE, above the same process idle."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import time
from pathlib import Path

from common import Bench, Figures, Row, run
from processes import deployed, memory_mb, until
from registry import Register, Seeded, seed_sqlite
from servers import counting_line

# The sender's imports and the first sweeps are done by then.
SETTLE_S = 5
MAX_WAIT = 3600


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(line=options.registrations)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    database = folder / "bench.db"
    shutil.copy(seeded.database, database)
    with (
        counting_line() as line,
        deployed(folder, seeded, f"sqlite:///{database}", KAIRANBAN_LINE__API_BASE=line.url) as deployment,
    ):
        deployment.init()
        # The first start writes yesterday's counts, which is no part of a send.
        deployment.end(deployment.serve())
        process = deployment.serve()
        time.sleep(SETTLE_S)
        idle = memory_mb(process)
        deployment.post("--channel", "line")
        ledger = sqlite3.connect(f"file:{database}?mode=ro", uri=True)

        def through() -> bool:
            counted = ledger.execute("SELECT coalesce(sum(accepted), 0) FROM batch").fetchone()
            return bool(counted[0] >= options.registrations)

        until(through, "the send to end", MAX_WAIT, every=0.5)
        peak = memory_mb(process, "VmHWM")
        ledger.close()
        line.require(options.registrations)
    return {"idle_mb": idle, "peak_mb": peak}


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    # The kernel rounds both figures, and a send may do with what the start left free.
    above = max(0.0, median["peak_mb"] - median["idle_mb"])
    return [
        Row(
            f"peak of a send to {options.registrations:,}, above idle",
            f"{above:.0f} MB ({median['peak_mb']:.0f} MB)",
            f"the same process idle: {median['idle_mb']:.0f} MB",
            f"{median['peak_mb'] / median['idle_mb']:.2f}",
            "< 150 MB",
            above < 150,
        )
    ]


if __name__ == "__main__":
    run(
        Bench(
            "memory",
            "Memory of a large send, LINE on SQLite",
            (("registrations", 1_000_000, "registrations on LINE"),),
            prepare,
            measure,
            rows,
        )
    )
