"""An urgent notice on LINE and by mail while a large routine campaign is going out, beside the same when idle.

`kairanban serve` on SQLite as a process. Staff approve the urgent notice at the console; times are the
ledger's own: from the approval to the first and to the last acceptance.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
from pathlib import Path

from common import Bench, Figures, Row, run
from processes import StaffAtConsole, deployed, until
from registry import Register, Seeded, seed_sqlite
from servers import counting_line, smtp_sink
from town_hall import spec

from content.notices.segments import Target


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    register = Register(line=options.urgent, mail=options.routine, in_group=options.urgent)
    return asyncio.run(seed_sqlite(folder, register))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    idle = send_urgent(options, folder / "idle", seeded, busy=False)
    busy = send_urgent(options, folder / "busy", seeded, busy=True)
    return {
        **{f"idle_{name}": value for name, value in idle.items()},
        **{f"busy_{name}": value for name, value in busy.items()},
    }


def send_urgent(options: argparse.Namespace, folder: Path, seeded: Seeded, *, busy: bool) -> Figures:
    folder.mkdir()
    database = folder / "bench.db"
    shutil.copy(seeded.database, database)
    with (
        counting_line(options.latency) as line,
        smtp_sink() as smtp,
        deployed(
            folder,
            seeded,
            f"sqlite:///{database}",
            KAIRANBAN_LINE__API_BASE=line.url,
            KAIRANBAN_MAIL__SMTP_URL=f"smtp://127.0.0.1:{smtp}",
        ) as deployment,
    ):
        deployment.init()
        deployment.serve()
        ledger = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        send = StaffAtConsole(deployment.url).write(
            spec("line", "mail", target=Target("group", "kucho"), urgency="urgent")
        )
        if busy:
            deployment.post("--channel", "mail")
            until(lambda: accepted(ledger, "routine") > 2000, "the routine campaign to go out", 120)
        before = accepted(ledger, "routine")
        send()
        wanted = 2 * options.urgent
        until(lambda: accepted(ledger, "urgent") >= wanted, "the urgent notice to go out", 300)
        during = accepted(ledger, "routine") - before
        if busy and before + during >= options.routine:
            raise SystemExit("the routine campaign ended before the urgent notice: give it more mails")
        line.require(options.urgent)
        # When staff had pressed the button, and what the ledger wrote down since.
        approved, first, last = ledger.execute(
            "SELECT n.approved_at, min(b.first_accepted_at), max(b.last_accepted_at) FROM notice n"
            " JOIN delivery d ON d.notice_id = n.id JOIN batch b ON b.delivery_id = d.id"
            " WHERE n.urgency = 'urgent'"
        ).fetchone()
        ledger.close()
    return {
        "first_s": (first - approved) / 1000,
        "last_s": (last - approved) / 1000,
        "routine_meanwhile": during,
    }


def accepted(ledger: sqlite3.Connection, lane: str) -> int:
    return int(
        ledger.execute("SELECT coalesce(sum(accepted), 0) FROM batch WHERE lane = ?", (lane,)).fetchone()[0]
    )


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    ratio = median["busy_last_s"] / median["idle_last_s"]
    return [
        Row(
            f"first acceptance while {options.routine:,} routine mails go out",
            f"{median['busy_first_s']:.2f} s",
            f"on an idle system: {median['idle_first_s']:.2f} s",
            f"{median['busy_first_s'] / median['idle_first_s']:.2f}",
            "< 1 s",
            median["busy_first_s"] < 1,
        ),
        Row(
            f"last acceptance of {options.urgent:,} LINE and {options.urgent:,} mails; meanwhile "
            f"{median['busy_routine_meanwhile']:,.0f} routine mails went out",
            f"{median['busy_last_s']:.2f} s",
            f"on an idle system: {median['idle_last_s']:.2f} s",
            f"{ratio:.2f}",
            "≤ 1.5",
            ratio <= 1.5,
        ),
    ]


if __name__ == "__main__":
    run(
        Bench(
            "urgent",
            "An urgent notice behind a routine campaign, SQLite",
            (
                ("urgent", 10_000, "recipients of the urgent notice on each of LINE and mail"),
                ("routine", 1_000_000, "mails of the routine campaign"),
                ("latency", 40, "ms that LINE takes to answer"),
            ),
            prepare,
            measure,
            rows,
        )
    )
