"""A town's service as a town runs it: separate processes, talking over the loopback.

Everything is started on free ports and ended with the test; only processes started here are killed.
"""

from __future__ import annotations

import asyncio
import csv
import hashlib
import json
import os
import random
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout

from content.database import Database
from content.ledger.tallies import progress_state, tally
from content.notices import notices
from tests.factories import SHIBATA
from tests.journeys.founding import found, register

PASSWORD = "journey-password-1"
SECRET, TOKEN = "0123456789abcdef0123456789abcdef", "journey-token"
# Generous: a busy machine makes everything slow, and who waits for what comes loses nothing.
MAX_WAIT = 240.0


# Each of at most eight test workers draws from ports of its own, and no port twice.
PORTS_OF_A_WORKER = 1_500
_given: set[int] = set()


def free_port() -> int:
    """A port to be bound later: below those that the kernel gives to outgoing connections meanwhile."""
    first = 20_000 + PORTS_OF_A_WORKER * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:])
    while True:
        port = random.randrange(first, first + PORTS_OF_A_WORKER)
        if port in _given:
            continue
        _given.add(port)
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def line_id(number: int) -> str:
    return "U" + hashlib.sha256(f"journey {number}".encode()).hexdigest()[:32]


def write_register(path: Path, line: int, mail: int) -> list[str]:
    """A CSV of registrations for 災害; the LINE ids in it."""
    ids = [line_id(number) for number in range(line)]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(
            [
                "channel",
                "address",
                "categories",
                "areas",
                "language",
                "birth_months",
                "groups",
                "registered_at",
            ]
        )
        for user_id in ids:
            writer.writerow(["line", user_id, "saigai", "funaoka", "ja", "", "", "2026-04-01"])
        for number in range(mail):
            writer.writerow(
                ["mail", f"m{number}@example.jp", "saigai", "funaoka", "ja", "", "", "2026-04-01"]
            )
    return ids


class Process:
    """One `kairanban …` process; its stderr goes to a file for the failure message."""

    def __init__(self, process: asyncio.subprocess.Process, log: Path) -> None:
        self._process = process
        self.log = log

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        return self._process.pid

    def send(self, number: int) -> None:
        self._process.send_signal(number)

    async def end(self, number: int = signal.SIGTERM) -> int:
        if self.running:
            self.send(number)
        return await asyncio.wait_for(self._process.wait(), 90)


class Deployment:
    """Settings, sandboxes and service processes of one town in one folder."""

    def __init__(self, folder: Path, session: ClientSession, **settings: str) -> None:
        self.folder = folder
        self.session = session
        self.web_port = free_port()
        self.web_url = f"http://127.0.0.1:{self.web_port}"
        self.processes: list[Process] = []
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("KAIRANBAN_")},
            "KAIRANBAN_DATABASE_URL": f"sqlite:///{folder}/kairanban.db",
            "KAIRANBAN_TOWN": str(SHIBATA),
            "KAIRANBAN_SECRET_KEY_FILE": str(folder / "secret.key"),
            "KAIRANBAN_WEB__LISTEN": f"127.0.0.1:{self.web_port}",
            "KAIRANBAN_WEB__PUBLIC_URL": self.web_url,
            "KAIRANBAN_LINE__CHANNEL_SECRET": SECRET,
            "KAIRANBAN_LINE__CHANNEL_TOKEN": TOKEN,
            "KAIRANBAN_MAIL__FROM": "柴田町 <oshirase@town.example.jp>",
            "KAIRANBAN_WEBHOOK__ALLOW_PRIVATE": "true",
            **settings,
        }

    async def init(self) -> None:
        password = self.folder / "password"
        password.write_text(PASSWORD)
        code, _, err = await self.run("init", "--login", "admin", "--password-file", str(password))
        assert code == 0, err

    async def found(self, line: Iterable[str] = (), mail: Iterable[str] = ()) -> None:
        """As after `init` and an import of these addresses."""
        await found(self.environment, PASSWORD)
        await register(self.environment, line, mail)

    async def run(self, *arguments: str) -> tuple[int, str, str]:
        """`kairanban …` to its end: exit code, stdout, stderr."""
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            "-m",
            "bot.cli",
            *arguments,
            env=self.environment,
            cwd=self.folder,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        return process.returncode or 0, out.decode(), err.decode()

    async def json(self, *arguments: str) -> Any:
        code, out, err = await self.run(*arguments)
        assert code in (0, 3), err
        return json.loads(out)

    async def start(self, *arguments: str, **environment: str) -> Process:
        """`kairanban …` in the background; `environment` is for this process alone."""
        log = self.folder / f"{arguments[0]}-{len(self.processes)}.log"
        with log.open("w") as stderr:
            process = await asyncio.create_subprocess_exec(
                sys.executable,
                "-m",
                "bot.cli",
                *arguments,
                env={**self.environment, **environment},
                cwd=self.folder,
                stdout=asyncio.subprocess.DEVNULL,
                stderr=stderr,
            )
        started = Process(process, log)
        self.processes.append(started)
        return started

    async def serve(self, **environment: str) -> Process:
        process = await self.start("serve", **environment)
        await self.answers(f"{self.web_url}/healthz", process)
        return process

    async def start_line(self, ledger: str = "summary") -> str:
        """`kairanban sandbox line` as a process; the origin that the service will use."""
        port = free_port()
        url = f"http://127.0.0.1:{port}"
        self.environment["KAIRANBAN_LINE__API_BASE"] = url
        process = await self.start(
            "sandbox",
            "line",
            "--port",
            str(port),
            "--ledger",
            ledger,
            "--channel-secret",
            SECRET,
            "--channel-token",
            TOKEN,
            "--webhook-url",
            f"{self.web_url}/line/webhook",
        )
        await self.answers(f"{url}/_sandbox/stats", process)
        return url

    async def start_smtp(self) -> str:
        """`kairanban sandbox smtp` as a process; the origin of its inbox page."""
        smtp_port, web_port = free_port(), free_port()
        self.environment["KAIRANBAN_MAIL__SMTP_URL"] = f"smtp://127.0.0.1:{smtp_port}"
        url = f"http://127.0.0.1:{web_port}"
        process = await self.start("sandbox", "smtp", "--port", str(smtp_port), "--web-port", str(web_port))
        await self.answers(f"{url}/api/stats", process)
        return url

    async def registered_and_slow(self, line_url: str, line: int, mail: int, latency_ms: int) -> None:
        """A new database with so many registrations, and a LINE slow enough to meet the middle of a send."""
        ids = [line_id(number) for number in range(line)]
        await befriend(self, line_url, ids)
        await self.found(ids, (f"m{number}@example.jp" for number in range(mail)))
        latency = {
            "target": "api",
            "stage": "after",
            "match": {"path": "*multicast"},
            "action": {"type": "latency", "ms": latency_ms},
        }
        async with self.session.post(f"{line_url}/_sandbox/faults", json=latency) as answer:
            assert answer.status < 300, await answer.text()

    async def answers(self, url: str, process: Process) -> None:
        async def up() -> bool:
            assert process.running, process.log.read_text()[-3000:]
            try:
                async with self.session.get(url) as answer:
                    return answer.status == 200
            except ClientError:
                return False

        await until(up, f"{url} to answer")

    async def get_json(self, url: str) -> Any:
        async with self.session.get(url) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def finished(self, notice_id: int, max_wait: float = MAX_WAIT) -> dict[str, Any]:
        """`notice show` once nothing is open."""
        # Each look by a process would take half a second of what the send itself needs.
        database = Database(self.environment["KAIRANBAN_DATABASE_URL"])
        try:
            await until(lambda: has_ended(database, notice_id), f"notice {notice_id} to finish", max_wait)
        finally:
            await database.close()
        return dict(await self.json("notice", "show", str(notice_id), "--json"))


async def has_ended(database: Database, notice_id: int) -> bool:
    async with database.read() as connection:
        notice = await notices.get(connection, notice_id)
        assert notice is not None
        return progress_state(notice, await tally(connection, notice_id)) in ("finished", "partly", "nobody")


async def until(held: Callable[[], Any], what: str, max_wait: float = MAX_WAIT) -> None:
    """Ask until it holds. Raises TimeoutError saying what was waited for."""
    deadline = asyncio.get_running_loop().time() + max_wait
    while not await held():
        if asyncio.get_running_loop().time() > deadline:
            raise TimeoutError(f"waited {max_wait:.0f} s for {what}")
        await asyncio.sleep(0.05)


async def befriend(deployment: Deployment, line_url: str, ids: Iterable[str]) -> None:
    body = {"userIds": list(ids), "state": "friend"}
    async with deployment.session.post(f"{line_url}/_sandbox/users", json=body) as answer:
        answer.raise_for_status()


@asynccontextmanager
async def deployed(folder: Path, **settings: str) -> AsyncIterator[Deployment]:
    async with ClientSession(timeout=ClientTimeout(total=90)) as session:
        deployment = Deployment(folder, session, **settings)
        try:
            yield deployment
        finally:
            for process in reversed(deployment.processes):
                if process.running:
                    await process.end(signal.SIGKILL)
