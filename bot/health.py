"""The two probes: whether the process lives, and whether it can do its work."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from aiohttp import web

from bot.app_keys import SERVICE
from bot.belonging import refuse_strange
from bot.operating_settings import host_and_port
from bot.pages import service_of
from bot.service import Service
from content.clock import MINUTE, SECOND
from content.database import Database, identity
from content.database.identity import Identity, WrongDatabase
from content.key_file import KeyFileError
from content.ledger import measures

READY_WITHIN = 3.0
# Seconds for who asks while the process ends.
LAST_ANSWERS = 0.5
# Whoever asks more often gets the same answer: a probe takes a turn of the one that may write.
ANSWER_HOLDS = 1.0
# Of a batch that could go (ms).
LONG = MINUTE


def add_health(app: web.Application, loop_troubles: Callable[[], list[str]]) -> None:
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", Readiness(loop_troubles).answer)


@asynccontextmanager
async def probes(
    service: Service, listen: str, loop_troubles: Callable[[], list[str]]
) -> AsyncIterator[None]:
    """For a process without pages: the two at an address of their own, nothing without one. Raises OSError."""
    if not listen:
        yield
        return
    app = web.Application()
    app[SERVICE] = service
    add_health(app, loop_troubles)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_ANSWERS)
    await runner.setup()
    try:
        await web.TCPSite(runner, *host_and_port(listen)).start()
        yield
    finally:
        await runner.cleanup()


async def healthz(request: web.Request) -> web.Response:
    """The process lives. Asks nobody else, so a database in trouble does not get the process restarted."""
    return web.Response(text="ok\n")


class Readiness:
    """Asked by many at once, the database is asked once."""

    def __init__(self, loop_troubles: Callable[[], list[str]]) -> None:
        self._loop_troubles = loop_troubles
        self._lock = asyncio.Lock()
        self._known_until = 0.0
        self._known = (503, "")

    async def answer(self, request: web.Request) -> web.Response:
        async with self._lock:
            if time.monotonic() >= self._known_until:
                self._known = await self._ask(service_of(request))
                self._known_until = time.monotonic() + (ANSWER_HOLDS if self._known[0] == 200 else 0.0)
        status, words = self._known
        return web.Response(status=status, text=f"{words}\n")

    async def _ask(self, service: Service) -> tuple[int, str]:
        """The loops run, the database answers on the sender's own ways, takes what is written, and is that of this town and key."""
        if troubles := self._loop_troubles():
            return 503, f"start the service anew: {', '.join(troubles)}"
        try:
            async with asyncio.timeout(READY_WITHIN):
                await service.database.ping()
                async with service.database.read() as connection:
                    found = await identity.read(connection)
        except Exception:
            return 503, "database not reachable"
        try:
            async with asyncio.timeout(READY_WITHIN):
                await service.database.write_step(identity.write_anew)
        except Exception:
            return 503, "database cannot be written: is its disk full?"
        try:
            refuse_strange(found or Identity(""), service.town, service.keys)
        except (KeyFileError, WrongDatabase) as error:
            return 503, str(error)
        if found is not None and found.held_since is not None:
            return 200, f"ready, but nothing goes out ({found.held_reason}): kairanban restore --confirm"
        return await _by_the_queue(service) or _by_the_clock(service.database)


async def _by_the_queue(service: Service) -> tuple[int, str] | None:
    """The pages work whether or not something waits, so it is said and is no reason to take the process away."""
    now = service.database.now()
    async with service.database.read() as connection:
        oldest = await measures.oldest_ready(connection, now)
    if oldest is None or now - oldest < LONG:
        return None
    return 200, f"ready, but the oldest batch has waited for {(now - oldest) // SECOND} s"


def _by_the_clock(database: Database) -> tuple[int, str]:
    """Ready, unless this machine's clock keeps the process from sending anything."""
    if not database.clock.own_is_far_off:
        return 200, "ready"
    ahead = round(database.clock.own_is_ahead / SECOND)
    if database.stands_aside:
        return 503, f"this machine's clock is {ahead} s ahead of the database's: set it right"
    return 200, f"ready; the clock was set by {ahead} s since the start: restart soon"
