"""Fan-out of a register by category, area and birth month, beside the bare query that streams the same ids."""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import time
from pathlib import Path

from common import Bench, Figures, Row, run
from registry import AREAS, Register, Seeded, seed_sqlite
from town_hall import approve, fan_out, open_bench_context, spec

from content.clock import birth_months, now_ms, today_jst
from content.notices.segments import Target
from scheduler import notice_service

RULES = {"wide": (AREAS, (0, 17)), "narrow": (("funaoka", "higashifunaoka", "tsukinoki"), (0, 2))}


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    mail = options.registrations // 5
    return asyncio.run(seed_sqlite(folder, Register(line=options.registrations - mail, mail=mail)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    figures: Figures = {}
    for segment in RULES:
        copy = folder / f"{segment}.db"
        shutil.copy(seeded.database, copy)
        ids = bare_query(copy, segment, figures)
        planned = asyncio.run(fan_out_of(seeded, copy, segment, figures))
        if planned != ids:
            raise SystemExit(f"planned {planned} registrations, the bare query finds {ids}")
        figures[f"{segment}_recipients"] = planned
    return figures


async def fan_out_of(seeded: Seeded, database: Path, segment: str, figures: Figures) -> int:
    context = open_bench_context(seeded, f"sqlite:///{database}")
    notice_id = await approve(context, spec("line", "mail", target=Target("segment", segment)))
    begun = time.perf_counter()
    await fan_out(context)
    figures[f"{segment}_s"] = time.perf_counter() - begun
    planned = (await notice_service.status(context, notice_id)).planned
    await context.database.close()
    return planned


def bare_query(database: Path, segment: str, figures: Figures) -> int:
    """Every id of the audience, fetched by the driver alone, as one would write it by hand."""
    areas, ages = RULES[segment]
    first, last = birth_months(*ages, today_jst(now_ms()))
    chose = "EXISTS (SELECT 1 FROM preference p WHERE p.subscriber_id = s.id AND p.kind = {} AND p.value {})"
    connection = sqlite3.connect(database)
    connection.execute("PRAGMA cache_size = -32768")
    found = 0
    begun = time.perf_counter()
    for account in ("line", "mail"):
        rows = connection.execute(
            "SELECT s.id FROM subscriber s WHERE s.account = ? AND s.state = 'active'"
            f" AND {chose.format(chr(39) + 'category' + chr(39), '= ?')}"
            f" AND {chose.format(chr(39) + 'area' + chr(39), 'IN (' + ','.join('?' * len(areas)) + ')')}"
            f" AND {chose.format(chr(39) + 'birth_month' + chr(39), 'BETWEEN ? AND ?')} ORDER BY s.id",
            (account, "saigai", *areas, first, last),
        )
        found += sum(1 for _ in rows)
    figures[f"{segment}_bare_s"] = time.perf_counter() - begun
    connection.close()
    return found


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    made = []
    for segment in RULES:
        ratio = median[f"{segment}_s"] / median[f"{segment}_bare_s"]
        made.append(
            Row(
                f"fan-out of {options.registrations:,} registrations by category, area and birth month, "
                f"{median[f'{segment}_recipients']:,.0f} match",
                f"{median[f'{segment}_s']:.2f} s",
                f"the bare query streaming the same ids: {median[f'{segment}_bare_s']:.2f} s",
                f"{ratio:.2f}",
                "≤ 3",
                ratio <= 3,
            )
        )
    return made


if __name__ == "__main__":
    run(
        Bench(
            "fanout",
            "Fan-out on SQLite",
            (("registrations", 1_000_000, "registrations, a fifth of them mail"),),
            prepare,
            measure,
            rows,
        )
    )
