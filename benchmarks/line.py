"""LINE through the ledger on SQLite, beside LINE's own limit and a bare aiohttp loop with prepared bytes.

At LINE's rate limit of 200 multicasts a second as in production; without it against a server so far away
that the connections of production carry just that rate, and one that is nearer; and without it against a
server that answers at once, which shows nothing but CPU. At the limit the server is half as far, so that
the limit and not the distance is what holds the sender back. One sending process; the server counts every user
id in a process of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import time
import uuid
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import uvloop
from common import Bench, Figures, Row, cpu_seconds, run
from registry import Register, Seeded, line_id, seed_sqlite
from sending import send_all
from servers import CountingServer, counting_line
from town_hall import BODY, approve, fan_out, open_bench_context, spec

from channels.line.channel import CONCURRENCY, LineChannel
from channels.line.messages import BUBBLE_BODY_LIMIT, build_messages
from scheduler import notice_service
from scheduler.town_context import announcement

LIMIT = 200
SIZE = 500
# Beyond the limit of a bubble a notice goes out as text.
BODIES = {"text": BODY * (BUBBLE_BODY_LIMIT // len(BODY) + 1), "flex": BODY}


@dataclass(frozen=True, slots=True)
class Case:
    """`rate` LIMIT is what production uses."""

    kind: str
    latency_ms: int
    rate: float | None


def prepare(options: argparse.Namespace, folder: Path) -> Seeded:
    return asyncio.run(seed_sqlite(folder, Register(line=options.registrations)))


def measure(options: argparse.Namespace, folder: Path, seeded: Seeded) -> Figures:
    figures: Figures = {}
    for kind in BODIES:
        cases = {
            "limit": Case(kind, options.latency // 2, LIMIT),
            "far": Case(kind, options.latency, None),
            "nearer": Case(kind, options.latency * 2 // 5, None),
            "near": Case(kind, 0, None),
        }
        for name, case in cases.items():
            with counting_line(case.latency_ms) as server:
                measured = uvloop.run(send(options, folder / f"{kind}-{name}.db", seeded, server, case))
            figures.update({f"{kind}_{name}_{figure}": value for figure, value in measured.items()})
            (folder / f"{kind}-{name}.db").unlink()
    return figures


async def send(
    options: argparse.Namespace, database: Path, seeded: Seeded, server: CountingServer, case: Case
) -> Figures:
    shutil.copy(seeded.database, database)
    concurrency = options.concurrency
    context = open_bench_context(
        seeded,
        f"sqlite:///{database}",
        lambda account: LineChannel(
            api_base=server.url, token="bench", concurrency=concurrency, rate=case.rate
        ),
    )
    notice_id = await approve(context, spec("line", body=BODIES[case.kind]))
    await fan_out(context)
    messages = announcement(context, await notice_service.find(context, notice_id))
    kinds = {message["type"] for message in build_messages(messages, "ja")}
    if kinds != {case.kind}:
        raise SystemExit(f"the notice goes out as {kinds}, not as {case.kind}")
    sent = await send_all(context, notice_id, options.registrations)
    calls = server.require(options.registrations)["calls"]
    figures = {"per_s": calls / sent.seconds, "cpu_ms": 1000 * sent.cpu / calls}
    if case.rate is None:
        prepared = LineChannel(api_base=server.url, token="bench").prepare(messages, "ja").messages
        server.forget()
        figures.update(await bare_loop(server.url, prepared, calls, concurrency))
    await context.database.close()
    return figures


async def bare_loop(url: str, messages: bytes, calls: int, concurrency: int) -> Figures:
    """The same bodies, built beforehand, posted by as many coroutines as the sender has slots."""
    ids = json.dumps([line_id(number) for number in range(SIZE)]).encode()
    body = b'{"to":' + ids + b',"messages":' + messages + b',"notificationDisabled":false}'
    headers = {"Content-Type": "application/json", "Authorization": "Bearer bench"}
    left = iter(range(calls))
    cpu, begun = cpu_seconds(), time.perf_counter()
    async with aiohttp.ClientSession() as session:

        async def work() -> None:
            for _ in left:
                own = {**headers, "X-Line-Retry-Key": str(uuid.uuid4())}
                async with session.post(f"{url}/v2/bot/message/multicast", data=body, headers=own) as answer:
                    await answer.read()

        await asyncio.gather(*(work() for _ in range(concurrency)))
    seconds = time.perf_counter() - begun
    return {"bare_per_s": calls / seconds, "bare_cpu_ms": 1000 * (cpu_seconds() - cpu) / calls}


def rows(options: argparse.Namespace, median: Figures) -> list[Row]:
    made = []
    for kind in BODIES:
        rate = median[f"{kind}_limit_per_s"]
        # Of a full 200 a second, also where fewer were reached.
        share = median[f"{kind}_limit_cpu_ms"] * LIMIT / 1000
        made += [
            Row(
                f"{kind}, at LINE's limit",
                f"{rate:.0f} multicasts/s",
                f"LINE allows {LIMIT}/s",
                f"{rate / LIMIT:.2f}",
                # The rate never exceeds the limit, so the start and the end cost the last per cent.
                "≥ 0.99",
                rate >= 0.99 * LIMIT,
            ),
            Row(
                f"{kind}, CPU of one core at 200/s",
                f"{share:.0%}",
                goal="< 60 %" if kind == "text" else "",
                reached=share < 0.6 if kind == "text" else None,
            ),
        ]
        places = {
            "far": f"{options.latency} ms away",
            "nearer": f"{options.latency * 2 // 5} ms away",
            "near": "answering at once",
        }
        for place, words in places.items():
            value, bare = median[f"{kind}_{place}_per_s"], median[f"{kind}_{place}_bare_per_s"]
            made.append(
                Row(
                    f"{kind}, no limit, LINE {words}",
                    f"{value:.0f} multicasts/s, {median[f'{kind}_{place}_cpu_ms']:.2f} ms CPU each",
                    f"bare aiohttp loop: {bare:.0f}/s, {median[f'{kind}_{place}_bare_cpu_ms']:.2f} ms CPU each",
                    f"{value / bare:.2f}",
                    "≥ 0.8",
                    value >= 0.8 * bare,
                )
            )
    return made


if __name__ == "__main__":
    run(
        Bench(
            "line",
            "LINE through the ledger on SQLite",
            (
                ("registrations", 1_000_000, "registrations on LINE"),
                ("latency", 160, "ms that the far server takes to answer"),
                ("concurrency", CONCURRENCY, "multicasts in flight; the default is what production uses"),
            ),
            prepare,
            measure,
            rows,
        )
    )
