"""Opens the door: starts its process, and starts it anew when it dies."""

from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import sys
import time
from asyncio.subprocess import Process
from contextlib import suppress
from pathlib import Path
from subprocess import PIPE

import structlog

from bot.door.limits import LAST_WORDS

log = structlog.get_logger(__name__)

# Seconds that the door has to end, a little more than its visitors have.
LET_GO = LAST_WORDS + 1.0
# Seconds that a socket may still be held by the door of a service that was killed.
FREE_WITHIN = 5.0
BACKLOG = 1024
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0


async def bind(host: str, port: int) -> socket.socket:
    """The public socket. The parent holds it, so nobody is turned away while a new door starts.

    The door of a service that was killed a moment ago may still have it. Raises OSError.
    """
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    deadline = time.monotonic() + FREE_WITHIN
    while True:
        try:
            listening = socket.create_server((host, port), family=family, backlog=BACKLOG)
        except OSError as error:
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise
            await asyncio.sleep(0.1)
        else:
            listening.setblocking(False)
            return listening


class DoorKeeper:
    """From `open` to `close`, whoever connects to `listening` is led to the Unix socket `inner`."""

    def __init__(
        self, listening: socket.socket, inner: Path, *, trusted_proxies: str, log_format: str
    ) -> None:
        self._listening = listening
        self._given = json.dumps(
            {
                "listening": listening.fileno(),
                "inner": str(inner),
                "trusted_proxies": trusted_proxies,
                "log_format": log_format,
            }
        )
        self._process: Process | None = None
        self._keeping: asyncio.Task[None] | None = None

    async def open(self) -> None:
        self._process = await self._start()
        self._keeping = asyncio.create_task(self._keep_open(self._process))

    async def close(self) -> None:
        """What is under way has a moment to end."""
        if self._keeping is not None:
            self._keeping.cancel()
            with suppress(asyncio.CancelledError):
                await self._keeping
        if self._process is not None:
            await _end(self._process)

    async def _keep_open(self, process: Process) -> None:
        pause = FIRST_PAUSE
        while True:
            begun = time.monotonic()
            status = await process.wait()
            pause = FIRST_PAUSE if time.monotonic() - begun > 60 else min(2 * pause, LONGEST_PAUSE)
            log.error("door_died", status=status, starts_again_after=pause)
            await asyncio.sleep(pause)
            with suppress(OSError):
                self._process = process = await self._start()

    async def _start(self) -> Process:
        # Settings hold secrets; the process that strangers talk to has none of them.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KAIRANBAN_")}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "bot.door", self._given),
            stdin=PIPE,
            pass_fds=[self._listening.fileno()],
            env=environment,
        )


async def _end(process: Process) -> None:
    if process.returncode is not None:
        return
    if process.stdin is not None:
        process.stdin.close()
    try:
        async with asyncio.timeout(LET_GO):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
