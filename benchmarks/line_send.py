"""LINE through the ledger beside a bare aiohttp loop with prepared bytes, same bodies, same concurrency.

`--registrations N` (default 200,000), `--rounds`, `--json`. SQLite, ledger on, one process; the server
counts in a process of its own. LINE itself allows 200 multicasts of 500 a second.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import os
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from rich.console import Console
from rich.table import Table

from channels.line import LineChannel
from content.database import Database
from content.keys import create_key_file, load_keys
from content.notices import Draft
from content.schema import upgrade
from content.subscribers import Preferences, Registration, register_many
from content.tallies import nothing_open
from content.town import load_town
from scheduler import posting
from scheduler.fanout import plan_next
from scheduler.office import Office, announcement
from scheduler.sender import Sender
from scheduler.triggers import fire_due

EXAMPLE = Path(__file__).parents[1] / "examples" / "shibata.toml"
CONCURRENCY = 8
SIZE = 500
BODY = "阿武隈川の水位が上がり、あふれるおそれがあります。今すぐ避難してください。"


async def measure(folder: Path, url: str, registrations: int) -> dict[str, float]:
    office = await new_office(folder, url)
    await register(office, registrations)
    draft = Draft("saigai", "urgent", {"ja": ("避難指示", BODY)}, ("line",))
    notice_id, _ = await posting.store(office, draft, submission_key=str(uuid.uuid4()), staff="bench")
    await posting.approve(office, notice_id, staff="bench")
    figures: dict[str, float] = {}
    begun = time.perf_counter()
    await fire_due(office)
    while await plan_next(office):
        pass
    figures["fanout_s"] = time.perf_counter() - begun
    figures.update(await through_the_ledger(office, registrations))
    notice = await posting.find(office, notice_id)
    prepared = LineChannel(api_base=url, token="bench").prepare(announcement(office, notice), "ja")
    figures.update(await bare_loop(url, prepared.messages, registrations))
    status = await posting.status(office, notice_id)
    if status.accepted != registrations:
        raise SystemExit(f"accepted {status.accepted} of {registrations}")
    await office.database.close()
    return figures


async def new_office(folder: Path, url: str) -> Office:
    create_key_file(folder / "secret.key")
    database = Database(f"sqlite:///{folder}/bench.db")
    await upgrade(database)
    town = load_town(EXAMPLE)
    line_only = town.model_copy(update={"accounts": tuple(a for a in town.accounts if a.channel == "line")})
    return Office(
        town=line_only,
        database=database,
        keys=load_keys(folder / "secret.key"),
        # LINE's own limit would hide what the road can carry.
        open_channel=lambda account: LineChannel(
            api_base=url, token="bench", concurrency=CONCURRENCY, rate=None
        ),
        notice_url=lambda number: f"https://town.example.jp/n/{number}",
    )


async def register(office: Office, number: int) -> None:
    chosen = Preferences(frozenset({"saigai"}))
    for start in range(0, number, 10_000):
        part = [
            Registration("line", "line", "U" + hashlib.md5(str(n).encode()).hexdigest(), chosen, 1_000)
            for n in range(start, min(start + 10_000, number))
        ]
        async with office.database.write() as connection:
            await register_many(connection, office.keys, part, reason="bench")


async def through_the_ledger(office: Office, registrations: int) -> dict[str, float]:
    sender = Sender(office, "bench")
    cpu, begun = cpu_seconds(), time.perf_counter()
    sending = asyncio.create_task(sender.run())
    while True:
        async with office.database.read() as connection:
            if await nothing_open(connection):
                break
        await asyncio.sleep(0.05)
    elapsed, used = time.perf_counter() - begun, cpu_seconds() - cpu
    await sender.stop(5)
    await sending
    calls = registrations / SIZE
    return {"calls_per_s": calls / elapsed, "cpu_ms_per_call": 1000 * used / calls}


async def bare_loop(url: str, messages: bytes, registrations: int) -> dict[str, float]:
    """The same bodies, built beforehand, posted by as many coroutines as the sender has slots."""
    ids = ["U" + hashlib.md5(str(n).encode()).hexdigest() for n in range(SIZE)]
    body = (
        b'{"to":' + json.dumps(ids).encode() + b',"messages":' + messages + b',"notificationDisabled":false}'
    )
    left = iter(range(registrations // SIZE))
    headers = {"Content-Type": "application/json", "Authorization": "Bearer bench"}
    cpu, begun = cpu_seconds(), time.perf_counter()
    async with aiohttp.ClientSession() as session:

        async def work() -> None:
            for _ in left:
                async with session.post(
                    f"{url}/v2/bot/message/multicast",
                    data=body,
                    headers={**headers, "X-Line-Retry-Key": str(uuid.uuid4())},
                ) as answer:
                    await answer.read()

        await asyncio.gather(*(work() for _ in range(CONCURRENCY)))
    elapsed, used = time.perf_counter() - begun, cpu_seconds() - cpu
    calls = registrations / SIZE
    return {"bare_calls_per_s": calls / elapsed, "bare_cpu_ms_per_call": 1000 * used / calls}


def cpu_seconds() -> float:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--registrations", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    server = subprocess.Popen(
        [sys.executable, str(Path(__file__).parent / "counting_line.py")], stdout=subprocess.PIPE, text=True
    )
    try:
        assert server.stdout is not None
        url = f"http://127.0.0.1:{int(server.stdout.readline())}"
        rounds = []
        for _ in range(options.rounds):
            with tempfile.TemporaryDirectory() as folder:
                rounds.append(uvloop.run(measure(Path(folder), url, options.registrations)))
    finally:
        server.terminate()
        server.wait()
    show(options, {name: statistics.median(item[name] for item in rounds) for name in rounds[0]})


def show(options: argparse.Namespace, median: dict[str, float]) -> None:
    ratio = median["calls_per_s"] / median["bare_calls_per_s"]
    result: dict[str, Any] = {
        "registrations": options.registrations,
        "rounds": options.rounds,
        **{name: round(value, 3) for name, value in median.items()},
        "to_bare_loop": round(ratio, 2),
        "machine": f"{os.cpu_count()} cores, {platform.machine()}, Python {platform.python_version()}",
    }
    if options.json:
        print(json.dumps(result, indent=2))
        return
    table = Table(title=f"LINE, {options.registrations:,} registrations, medians of {options.rounds}")
    for column in ("", "multicasts/s", "client CPU per multicast"):
        table.add_column(column)
    table.add_row("through the ledger", f"{median['calls_per_s']:.0f}", f"{median['cpu_ms_per_call']:.2f} ms")
    table.add_row(
        "bare aiohttp loop", f"{median['bare_calls_per_s']:.0f}", f"{median['bare_cpu_ms_per_call']:.2f} ms"
    )
    table.add_row("ratio", f"{ratio:.2f}", "")
    Console(width=100).print(table)
    Console(width=100).print(f"fan-out {median['fanout_s']:.2f} s; {result['machine']}")


if __name__ == "__main__":
    main()
