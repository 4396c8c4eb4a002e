"""The door as a process: it ends with its service, comes back when it dies, and never delays an end."""

from __future__ import annotations

import os
import signal
import socket
import time
from contextlib import suppress
from pathlib import Path

import pytest

from tests.journeys.deployment import Deployment, Process, deployed, until

NOBODY = {"KAIRANBAN_LINE__API_BASE": "http://127.0.0.1:1", "KAIRANBAN_MAIL__SMTP_URL": "smtp://127.0.0.1:1"}

pytestmark = pytest.mark.slow


def door_of(process: Process) -> int:
    """The number of its door's process."""
    (child,) = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    return int(child)


def is_alive(pid: int) -> bool:
    with suppress(FileNotFoundError):
        # An ended process that nobody has asked about yet is a zombie.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def say(town: Deployment, words: bytes) -> socket.socket:
    raw = socket.create_connection(("127.0.0.1", town.web_port))
    raw.sendall(words)
    return raw


async def test_half_sent_requests_do_not_delay_the_end(tmp_path: Path) -> None:
    async with deployed(tmp_path, **NOBODY) as town:
        await town.found()
        process = await town.serve()
        half = [
            say(town, b"GET /unsubscribe/x HTTP/1.1\r\nHost: a\r\nCoo"),
            say(town, b"POST /console/login HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nlogin="),
            say(town, b""),
        ]
        begun = time.monotonic()
        assert await process.end(signal.SIGTERM) == 0
        # Five seconds are promised (tests/bot/test_stopping.py); without an end to waiting it would be sixty.
        assert time.monotonic() - begun < 30
        for raw in half:
            raw.close()


async def test_a_door_that_dies_is_opened_anew(tmp_path: Path) -> None:
    async with deployed(tmp_path, **NOBODY) as town:
        await town.found()
        process = await town.serve()
        door = door_of(process)
        os.kill(door, signal.SIGKILL)
        await town.answers(f"{town.web_url}/healthz", process)
        assert door_of(process) != door
        assert await process.end(signal.SIGTERM) == 0


async def test_the_door_ends_with_a_service_that_is_killed(tmp_path: Path) -> None:
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    async with deployed(tmp_path, **NOBODY, TMPDIR=str(temporary)) as town:
        await town.found()
        process = await town.serve()
        door = door_of(process)
        assert list(temporary.iterdir())
        await process.end(signal.SIGKILL)

        async def gone() -> bool:
            return not is_alive(door) and not list(temporary.iterdir())

        await until(gone, "the door to end and its folder to go")
        await (await town.serve()).end(signal.SIGTERM)
        assert not list(temporary.iterdir())


async def test_the_door_knows_no_secret(tmp_path: Path) -> None:
    async with deployed(tmp_path, **NOBODY) as town:
        await town.found()
        process = await town.serve()
        environment = Path(f"/proc/{door_of(process)}/environ").read_bytes()
        assert b"KAIRANBAN_" not in environment
        assert int(Path(f"/proc/{door_of(process)}/stat").read_text().rpartition(")")[2].split()[16]) > 0
