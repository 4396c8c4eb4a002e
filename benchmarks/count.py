"""The count of the impact card on a large register, beside the bare count by hand-written SQL."""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import time
from pathlib import Path

from common import Bench, Figures, Row, run
from registry import Register, Seeded, seed_sqlite
from town_hall import open_bench_context

from content.clock import now_ms, today_jst
from content.notices.audience_counts import count_audience
from content.notices.segments import Target

CASES = {
    "everyone": ("everyone", Target("everyone"), "saigai"),
    "all_chose": ("a category that everyone has", Target(), "saigai"),
    "half_chose": ("a category that half chose", Target(), "kosodate"),
    "narrow": ("category, area and birth month, few match", Target("segment", "narrow"), "saigai"),
    "wide": ("category, area and birth month, all match", Target("segment", "wide"), "saigai"),
}
LIMIT = 0.150


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    mail = options.registrations // 5
    return asyncio.run(seed_sqlite(folder, Register(line=options.registrations - mail, mail=mail)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    figures = asyncio.run(counts(seeded))
    connection = sqlite3.connect(seeded.database)
    connection.execute("PRAGMA cache_size = -32768")
    for _ in range(2):
        begun = time.perf_counter()
        connection.execute(
            "SELECT account, count(*) FROM subscriber WHERE state = 'active' GROUP BY account"
        ).fetchall()
        figures["bare_s"] = time.perf_counter() - begun
    connection.close()
    return figures


async def counts(seeded: Seeded) -> Figures:
    """As the confirm page asks; the second of two, since staff look at the page more than once."""
    figures: Figures = {}
    context = open_bench_context(seeded, f"sqlite:///{seeded.database}")
    today = today_jst(now_ms())
    for name, (_, target, category) in CASES.items():
        for _ in range(2):
            begun = time.perf_counter()
            counted = await count_audience(
                context.database, context.town, target, category, ["line", "mail"], today
            )
            figures[f"{name}_s"] = time.perf_counter() - begun
        figures[f"{name}_found"] = sum(counted.values())
    await context.database.close()
    return figures


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    reference = f"bare count of the active registrations: {median['bare_s'] * 1000:.0f} ms"
    return [
        Row(
            f"{words}: {median[f'{name}_found']:,.0f}",
            f"{median[f'{name}_s'] * 1000:.0f} ms",
            reference,
            f"{median[f'{name}_s'] / median['bare_s']:.1f}",
            "< 150 ms",
            median[f"{name}_s"] < LIMIT,
        )
        for name, (words, _, _) in CASES.items()
    ]


if __name__ == "__main__":
    run(
        Bench(
            "count",
            "Count for the impact card on SQLite",
            (("registrations", 1_000_000, "registrations, a fifth of them mail"),),
            prepare,
            measure,
            rows,
        )
    )
