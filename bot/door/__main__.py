"""The process at the door. It holds no key, no setting and no database; `bot.door.keeper` starts it.

It ends when its standard input does: that is a pipe whose other end only its parent holds.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import socket
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import ClientSession, DummyCookieJar, UnixConnector

from bot.door.descriptors import RESERVED_AT_THE_DOOR, raise_limit
from bot.door.gate import Gate
from bot.door.limits import LANES, LAST_WORDS, Limits
from bot.door.source import read_networks
from bot.door.visit import Door
from bot.logs import configure_logging

# Behind the process that sends, when both want the processor.
NICE = 10
BACKLOG = 1024


def main() -> None:
    given = json.loads(sys.argv[1])
    # A terminal and a service manager tell the whole group to end; the parent says when it is our turn.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    configure_logging(given["log_format"])
    with suppress(OSError):
        os.nice(NICE)
    with suppress(OSError):
        # When memory runs out, the door goes first; it is opened anew.
        Path("/proc/self/oom_score_adj").write_text("500")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(keep(given))
    # A parent that was killed cannot clear away its folder.
    shutil.rmtree(Path(given["inner"]).parent, ignore_errors=True)


async def keep(given: dict[str, Any]) -> None:
    """Serve until the parent lets go of the pipe."""
    descriptors = raise_limit()
    inside = sum(lane.inside for lane in LANES.values())
    room = max(16, descriptors - inside - RESERVED_AT_THE_DOOR)
    limits = replace(Limits(), connections=min(Limits().connections, room))
    proxies = read_networks(given["trusted_proxies"])
    listening = socket.socket(fileno=given["listening"])
    loop = asyncio.get_running_loop()
    async with ClientSession(
        connector=UnixConnector(given["inner"], limit=0),
        cookie_jar=DummyCookieJar(),
        auto_decompress=False,
        skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
    ) as inner:
        gate = Gate(inner, limits, proxies)
        door = Door(gate.handle, gate.short_way.answer, limits, proxies, loop)
        server = await loop.create_server(door, sock=listening, backlog=BACKLOG)
        await _parent_is_gone(loop)
        server.close()
        door.pre_shutdown()
        await door.shutdown(LAST_WORDS)


async def _parent_is_gone(loop: asyncio.AbstractEventLoop) -> None:
    gone = asyncio.Event()
    loop.add_reader(0, lambda: gone.set() if not os.read(0, 1024) else None)
    await gone.wait()
    loop.remove_reader(0)


if __name__ == "__main__":
    main()
