"""A correction of a notice that has gone out by LINE and mail: from its approval to the last acceptance.

`kairanban serve` on SQLite as a process. The original goes out first; `notice correct` is the approval, and times
are the ledger's own. The reference is the original itself, whose audience is asked of the register.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import sqlite3
from pathlib import Path

from common import Bench, Figures, Row, run
from processes import deployed
from registry import Register, Seeded, seed_sqlite
from servers import counting_line, smtp_sink

POST = ("--category", "saigai", "--channel", "line", "--channel", "mail", "--urgent", "--wait", "--json")
WORDS = (
    "--title",
    "避難所の訂正",
    "--body",
    "開いている避難所は、船岡小学校です。先のお知らせの場所は誤りでした。",
)


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(line=options.recipients, mail=options.recipients)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
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
        text = "避難所を開きました。落ち着いて、危険な場所から避難してください。"
        sent = json.loads(deployment.run("notice", "post", *POST, "--title", "避難所の開設", "--body", text))
        corrected = json.loads(
            deployment.run("notice", "correct", str(sent["id"]), *WORDS, "--wait", "--json")
        )
        for found in (sent, corrected):
            for channel in ("line", "mail"):
                if found["channels"][channel]["accepted"] != options.recipients:
                    raise SystemExit(f"{channel} did not take all of notice {found['id']}")
        return {
            "original_s": seconds(database, sent["id"]),
            "correction_s": seconds(database, corrected["id"]),
        }


def seconds(database: Path, notice_id: int) -> float:
    """From the approval to the last acceptance."""
    ledger = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
    approved, last = ledger.execute(
        "SELECT n.approved_at, max(b.last_accepted_at) FROM notice n JOIN delivery d ON d.notice_id = n.id"
        " JOIN batch b ON b.delivery_id = d.id WHERE n.id = ?",
        (notice_id,),
    ).fetchone()
    ledger.close()
    return float(last - approved) / 1000


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    return [
        Row(
            f"last acceptance of a correction to {options.recipients:,} LINE and {options.recipients:,} mails",
            f"{median['correction_s']:.2f} s",
            f"the notice that it corrects: {median['original_s']:.2f} s",
            f"{median['correction_s'] / median['original_s']:.2f}",
            "< 60 s",
            median["correction_s"] < 60,
        )
    ]


if __name__ == "__main__":
    run(
        Bench(
            "correction",
            "A correction to those whom a notice reached, SQLite",
            (
                ("recipients", 10_000, "recipients of the notice on each of LINE and mail"),
                ("latency", 40, "ms that LINE takes to answer"),
            ),
            prepare,
            measure,
            rows,
        )
    )
