"""A notice while the services outside have a bad day, beside the same on a good one.

One in ten mails is answered 451 after its content; one in ten calls to LINE ends with 429, 500 or a closed connection;
or one in a hundred mails goes to a domain that never answers, and the others are waited for. The ledger is on
SQLite, with the limits of production. The servers count who came, and nobody may come twice on LINE.
"""

from __future__ import annotations

import argparse
import asyncio
import shutil
import sqlite3
import time
from pathlib import Path

import uvloop
from common import Bench, Figures, Row, run
from registry import Register, Seeded, seed_sqlite
from sending import send_all
from servers import CountingServer, counting_line, unreliable_mail
from town_hall import approve, fan_out, open_bench_context, spec
from unreliable_mail import HANGING

from content.keys import Keys
from content.register.subscribers import seal_place
from scheduler.sender import Sender

ONE_IN = 10
HANGING_ONE_IN = 100
GOAL = 1.5
HANGING_GOAL = 1.2


def prepare(options: argparse.Namespace, folder: Path) -> tuple[Seeded, Seeded, Seeded]:
    registers = (Register(line=options.line), Register(mail=options.mails), Register(mail=options.hanging))
    line, mail, hanging = (asyncio.run(seed_sqlite(folder, register)) for register in registers)
    return line, mail, hanging


def measure(options: argparse.Namespace, folder: Path, seeded: tuple[Seeded, Seeded, Seeded]) -> Figures:
    line, mail, hanging = seeded
    figures: Figures = {}
    for name, one_in in (("good", 0), ("bad", ONE_IN)):
        database = folder / f"{name}.db"
        with counting_line(options.latency, one_in=one_in) as server:
            shutil.copy(line.database, database)
            figures[f"line_{name}_s"] = uvloop.run(
                send(line, database, "line", options.line, line_url=server.url)
            )
            server.require(options.line)
        with unreliable_mail(options.mail_latency, one_in=one_in) as (port, server):
            shutil.copy(mail.database, database)
            figures[f"mail_{name}_s"] = uvloop.run(send(mail, database, "mail", options.mails, smtp=port))
            server.require(options.mails)
        with unreliable_mail(options.mail_latency) as (port, server):
            shutil.copy(hanging.database, database)
            hung = move_to_hanging_domain(database, hanging.keys(), options.hanging) if one_in else 0
            figures[f"hanging_{name}_s"] = uvloop.run(
                send_to_others(hanging, database, port, server, options.hanging - hung)
            )
    return figures


async def send(
    seeded: Seeded, database: Path, channel: str, recipients: int, *, line_url: str = "", smtp: int = 1
) -> float:
    context = open_bench_context(
        seeded, f"sqlite:///{database}", line=line_url or "http://127.0.0.1:1", smtp=smtp
    )
    notice_id = await approve(context, spec(channel))
    await fan_out(context)
    sent = await send_all(context, notice_id, recipients)
    await context.database.close()
    return sent.seconds


async def send_to_others(
    seeded: Seeded, database: Path, port: int, server: CountingServer, others: int
) -> float:
    """Seconds until the mail server has taken the mails of everyone whose domain answers."""
    context = open_bench_context(seeded, f"sqlite:///{database}", smtp=port)
    await approve(context, spec("mail", urgency="routine"))
    await fan_out(context)
    sender = Sender(context, "bench")
    begun = time.perf_counter()
    sending = asyncio.create_task(sender.run())
    while (await asyncio.to_thread(server.totals))["different"] < others:
        if time.perf_counter() > begun + 300:
            raise SystemExit(f"the others did not get their mails in time: {server.totals()} of {others}")
        await asyncio.sleep(0.05)
    seconds = time.perf_counter() - begun
    await sender.stop(10)
    await sending
    await context.database.close()
    return seconds


def move_to_hanging_domain(database: Path, keys: Keys, mails: int) -> int:
    """One in so many registrations gets an address at the domain that never answers; how many."""
    moved = range(HANGING_ONE_IN // 2, mails + 1, HANGING_ONE_IN)
    with sqlite3.connect(database) as connection:
        connection.executemany(
            "UPDATE address SET lookup = ?, sealed = ? WHERE subscriber_id = ?",
            (
                (keys.lookup("mail", address), keys.seal(address, seal_place(number, "mail")), number)
                for number in moved
                for address in (f"r{number}@{HANGING}",)
            ),
        )
    connection.close()
    return len(moved)


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    cases = (
        ("line", f"{options.line:,} on LINE, one in {ONE_IN} calls failing", "none failing", GOAL),
        ("mail", f"{options.mails:,} mails, one in {ONE_IN} answered 451 after its content", "none", GOAL),
        (
            "hanging",
            f"the others of {options.hanging:,} mails, one in {HANGING_ONE_IN} to a domain that never answers",
            "none to it",
            HANGING_GOAL,
        ),
    )
    return [
        Row(
            figure,
            f"{median[f'{name}_bad_s']:.2f} s",
            f"{reference}: {median[f'{name}_good_s']:.2f} s",
            f"{median[f'{name}_bad_s'] / median[f'{name}_good_s']:.2f}",
            f"≤ {goal}",
            median[f"{name}_bad_s"] <= goal * median[f"{name}_good_s"],
        )
        for name, figure, reference, goal in cases
    ]


if __name__ == "__main__":
    run(
        Bench(
            "soft_failures",
            "Services that fail softly, SQLite",
            (
                ("line", 1_000_000, "recipients on LINE"),
                ("mails", 50_000, "mails"),
                ("hanging", 10_000, "mails beside a domain that never answers"),
                ("latency", 40, "ms that LINE takes to answer"),
                ("mail_latency", 2, "ms that the mail server takes for a content"),
            ),
            prepare,
            measure,
            rows,
        )
    )
