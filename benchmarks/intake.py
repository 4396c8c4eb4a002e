"""New friends by the thousand while a routine campaign goes out: how soon LINE is answered, and when all are in.

`kairanban serve` on SQLite as a process; each webhook carries one follow and leaves at its time, whether or not those
before it are answered. Times run from there to the answer.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hashlib
import hmac
import json
import shutil
import sqlite3
import statistics
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, TCPConnector
from common import Bench, Figures, Row, run
from processes import deployed, until
from registry import Register, Seeded, seed_sqlite
from servers import counting_line, smtp_sink

SECRET = "bench"
LATENCY_MS = 40
# So many that none has to wait for a connection here: what is measured is the service. One address may hold 256
# requests at the door.
CONNECTIONS = 250


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(line=0, mail=options.routine)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    database = folder / "bench.db"
    shutil.copy(seeded.database, database)
    with (
        counting_line(LATENCY_MS) as line,
        smtp_sink() as smtp,
        deployed(
            folder,
            seeded,
            f"sqlite:///{database}",
            KAIRANBAN_LINE__API_BASE=line.url,
            KAIRANBAN_LINE__CHANNEL_SECRET=SECRET,
            KAIRANBAN_MAIL__SMTP_URL=f"smtp://127.0.0.1:{smtp}",
        ) as deployment,
    ):
        deployment.init()
        deployment.serve()
        deployment.post("--channel", "mail")
        ledger = sqlite3.connect(f"file:{database}?mode=ro", uri=True)
        until(lambda: _count(ledger, "SELECT sum(accepted) FROM batch") > 1000, "the campaign to go out", 120)
        mails = _count(ledger, "SELECT sum(accepted) FROM batch")
        answers, refused, begun = asyncio.run(_follow(deployment.url, options.events, options.seconds))
        mails = _count(ledger, "SELECT sum(accepted) FROM batch") - mails
        handled = "SELECT count(*) FROM inbound_event WHERE state = 'handled'"
        until(lambda: _count(ledger, handled) >= options.events - refused, "all to be handled", 600)
        drained = time.perf_counter() - begun
        ledger.close()
    answers.sort()
    return {
        "p50_ms": statistics.median(answers) * 1000,
        "p99_ms": answers[int(len(answers) * 0.99)] * 1000,
        "drained_s": drained,
        "mails": float(mails),
        "refused": float(refused),
    }


async def _follow(url: str, events: int, seconds: int) -> tuple[list[float], int, float]:
    """Seconds that each answer took, how many were told to come again, and when the first webhook went out."""
    begun = time.perf_counter()
    refused: list[int] = []
    async with ClientSession(connector=TCPConnector(limit=CONNECTIONS)) as session:

        async def one(number: int) -> float:
            await asyncio.sleep(begun + number * seconds / events - time.perf_counter())
            raw = json.dumps({"destination": "U" + "0" * 32, "events": [_event(number)]}).encode()
            digest = hmac.digest(SECRET.encode(), raw, hashlib.sha256)
            headers = {"X-Line-Signature": base64.b64encode(digest).decode()}
            asked = time.perf_counter()
            async with session.post(f"{url}/line/webhook", data=raw, headers=headers) as answer:
                if answer.status != 200:
                    refused.append(answer.status)
            return time.perf_counter() - asked

        return await asyncio.gather(*(one(number) for number in range(events))), len(refused), begun


def _event(number: int) -> dict[str, Any]:
    return {
        "type": "follow",
        "mode": "active",
        "timestamp": int(time.time() * 1000),
        "source": {"type": "user", "userId": f"U{number + 2**100:032x}"},
        "webhookEventId": f"BENCH{number:021d}",
        "deliveryContext": {"isRedelivery": False},
        "replyToken": f"{number:032x}",
        "follow": {"isUnblocked": False},
    }


def _count(ledger: sqlite3.Connection, question: str) -> int:
    return int(ledger.execute(question).fetchone()[0] or 0)


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    goal = median["p99_ms"] <= 150 and not median["refused"]
    return [
        Row(
            f"answer to {options.events:,} webhooks in {options.seconds} s during a send, 99 of 100 within",
            f"{median['p99_ms']:.0f} ms",
            f"half of them within {median['p50_ms']:.0f} ms; {median['refused']:.0f} told to come again; meanwhile "
            f"{median['mails']:.0f} routine mails went out",
            "",
            "≤ 150 ms",
            goal,
        ),
        Row("all new friends registered and greeted after", f"{median['drained_s']:.0f} s"),
    ]


if __name__ == "__main__":
    run(
        Bench(
            "intake",
            "New friends during a send, SQLite",
            (
                ("events", 4_000, "new friends"),
                ("seconds", 12, "seconds in which they come"),
                ("routine", 150_000, "mails of the routine campaign"),
            ),
            prepare,
            measure,
            rows,
            rounds=1,
        )
    )
