"""The hostile scripts against a whole service, with an urgent notice sent during each (`make attack`).

`serve` runs as a process with 1,024 descriptors; everything stays on the loopback. Printed for each
attack: the seconds from the approval to LINE's last acceptance, beside the same when nobody attacks.
It ends with 1 unless every one stays within twice the idle time and a second, nobody is missed or
reached twice, no answer is a 500, and nothing that was sent is found in the log. At the end names are
guessed: known and unknown ones are answered alike, in like times, and no colleague is shut out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import resource
import sys
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from aiohttp import ClientTimeout

from tests.faults.guessing import guess
from tests.faults.hostile import HOSTILE, MARK, Attack
from tests.journeys.deployment import Deployment, Process, deployed

DESCRIPTORS = 1024
LATENCY_MS = 200
SETTLE = 3.0


@dataclass(frozen=True, slots=True)
class Measured:
    name: str
    last_accepted: float
    accepted: int
    answers: dict[int, int]
    ended: int


async def attack(
    folder: Path, recipients: int, names: list[str], say: Any = print, slack: float = 1.0
) -> list[str]:
    """What did not hold, as sentences. `slack` is what a send may take beyond twice the idle time."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        async with deployed(folder, KAIRANBAN_MAIL__SMTP_URL="smtp://127.0.0.1:1") as town:
            line_url = await town.start_line()
            await town.registered_and_slow(line_url, recipients, 0, latency_ms=LATENCY_MS)
            process = await _serve_with_few_descriptors(town)
            await _send(town)
            idle = min([await _send(town) for _ in range(2)], key=lambda item: item[0])[0]
            say(f"idle                {idle:6.2f} s")
            failed: list[str] = []
            for name in names:
                measured = await _under(town, name)
                say(
                    f"{name:19} {measured.last_accepted:6.2f} s  answers {measured.answers} ended {measured.ended}"
                )
                failed += _judge(measured, idle, recipients, slack)
                failed += await _still_there(town, process, name)
            failed += await guess(town, say, slack - 1.0)
            alerts = (await town.get_json(f"{line_url}/_sandbox/stats"))["alerts"]
            if any(alert["duplicated"] for alert in alerts):
                failed.append("somebody was reached twice")
            if MARK in process.log.read_text(errors="replace"):
                failed.append("what was sent stands in the log")
            return failed
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def _serve_with_few_descriptors(town: Deployment) -> Process:
    command = f"ulimit -n {DESCRIPTORS}; exec {sys.executable} -m bot.cli serve"
    log = town.folder / "attacked.log"
    with log.open("w") as stderr:
        started = await asyncio.create_subprocess_exec(
            *("/bin/sh", "-c", command),
            env=town.environment,
            cwd=town.folder,
            stdout=asyncio.subprocess.DEVNULL,
            stderr=stderr,
        )
    process = Process(started, log)
    town.processes.append(process)
    await town.answers(f"{town.web_url}/healthz", process)
    return process


async def _under(town: Deployment, name: str) -> Measured:
    going_on = Attack(town.web_port)
    hostile = asyncio.create_task(HOSTILE[name](going_on))
    try:
        await asyncio.sleep(SETTLE)
        seconds, accepted = await _send(town)
        if hostile.done():
            hostile.result()
    finally:
        hostile.cancel()
        with suppress(asyncio.CancelledError):
            await hostile
    return Measured(name, seconds, accepted, dict(sorted(going_on.answers.items())), going_on.ended)


async def _send(town: Deployment) -> tuple[float, int]:
    """An urgent notice by LINE: seconds from its approval to the last acceptance, and acceptances."""
    posted = await town.json(
        *("notice", "post", "--category", "saigai", "--title", "避難指示", "--body", "にげてください"),
        *("--urgent", "--json", "--channel", "line", "--wait", "--accept", "repeated"),
    )
    line = posted["channels"]["line"]
    approved, last = (
        datetime.fromisoformat(text) for text in (posted["approved_at"], line["last_accepted_at"])
    )
    return (last - approved).total_seconds(), line["accepted"]


def _judge(measured: Measured, idle: float, recipients: int, slack: float) -> list[str]:
    failed = []
    if measured.last_accepted > 2 * idle + slack:
        failed.append(f"{measured.name}: {measured.last_accepted:.2f} s, idle {idle:.2f} s")
    if measured.accepted != recipients:
        failed.append(f"{measured.name}: {measured.accepted} of {recipients} accepted")
    if any(status in (500, 502) for status in measured.answers):
        failed.append(f"{measured.name}: answers {measured.answers}")
    return failed


async def _still_there(town: Deployment, process: Process, name: str) -> list[str]:
    """Staff get in as soon as it is over."""
    if not process.running:
        return [f"{name}: the service died"]
    async with town.session.get(f"{town.web_url}/console/login", timeout=ClientTimeout(total=20)) as answer:
        return [] if answer.status == 200 else [f"{name}: the console answers {answer.status} afterwards"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--recipients", type=int, default=20_000)
    parser.add_argument("--only", choices=HOSTILE, action="append")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="attack-") as folder:
        failed = asyncio.run(attack(Path(folder), options.recipients, options.only or list(HOSTILE)))
    print(json.dumps(failed, ensure_ascii=False) if failed else "Everything held.")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
