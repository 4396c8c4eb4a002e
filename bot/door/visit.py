"""One connection at the door: counted, given a time for each of its parts, and never quoted in the log."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, cast

import structlog
from aiohttp import web
from aiohttp.web_protocol import RequestHandler
from aiohttp.web_request import BaseRequest

from bot.door.guests import Guests
from bot.door.limits import Limits
from bot.door.refusals import refusal
from bot.door.source import Network, household, is_trusted

log = structlog.get_logger(__name__)
MOST_HEADERS = 64
LONGEST_LINE = 8190
LONGEST_HEADER = 4096


class Visit(RequestHandler):
    """aiohttp's connection with what it lacks."""

    __slots__ = ("_door", "_is_admitted", "_is_plain", "address")

    def __init__(self, door: Door, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(
            door,
            loop=loop,
            # It runs from the opening or the last answer until the next head is complete.
            keepalive_timeout=door.limits.head_within,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_HEADER,
            max_headers=MOST_HEADERS,
            lingering_time=1.0,
            auto_decompress=False,
            access_log=cast(Any, None),
        )
        self._door = door
        self._is_admitted = False
        # Whether all of its questions so far went the short way: what the parser has begun it ends.
        self._is_plain = True
        self.address = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        whose = None if is_trusted(self.address, self._door.proxies) else household(self.address)
        self._is_admitted = self._door.guests.admit(self, whose)
        if not self._is_admitted:
            self._door.report("connection_refused")
            cast(asyncio.Transport, transport).abort()
            return
        super().connection_made(transport)

    def connection_lost(self, exc: BaseException | None) -> None:
        self._door.guests.leaves(self)
        if self._is_admitted:
            super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if not self._is_admitted or (self._is_plain and self._is_answered_at_once(data)):
            return
        self._is_plain = False
        super().data_received(data)

    def _is_answered_at_once(self, data: bytes) -> bool:
        transport = cast(asyncio.Transport, self.transport)
        # Whoever does not read what he was sent waits like everybody.
        if self._close or self._force_close or transport.get_write_buffer_size():
            return False
        answer = self._door.short_way(data)
        if answer is None:
            return False
        transport.write(answer)
        self._door.guests.is_served(self)
        self._door.guests.waits(self)
        self._next_keepalive_close_time = self._door.loop_time() + self._door.limits.head_within
        return True

    def is_served(self) -> None:
        """All of the request is here; now it waits for us."""
        self._door.guests.is_served(self)

    def send_away(self) -> None:
        transport = self.transport
        self.force_close()
        if transport is not None:
            # Closing would first wait for what the other side does not read.
            transport.abort()

    async def finish_response(
        self, request: BaseRequest, resp: web.StreamResponse, start_time: float | None
    ) -> tuple[web.StreamResponse, bool]:
        self._door.guests.waits(self)
        try:
            async with asyncio.timeout(self._door.limits.read_within):
                return await super().finish_response(request, resp, start_time)
        except TimeoutError:
            self.send_away()
            return resp, True

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        self._door.report("request_unreadable" if status == 400 else "request_failed", exc)
        answer = refusal(status if status in (400, 504) else 500)
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:
        self._door.report("request_failed", kw.get("exc_info"))


class Door(web.Server):
    """Makes a visit of every connection."""

    def __init__(
        self,
        handler: Any,
        short_way: Callable[[bytes], bytes | None],
        limits: Limits,
        proxies: tuple[Network, ...],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        super().__init__(handler)
        self.short_way = short_way
        self.loop_time = loop.time
        self.limits = limits
        self.proxies = proxies
        self.guests = Guests(limits.connections, limits.connections_each)
        self._own_loop = loop
        self._reported: dict[str, tuple[float, int]] = {}

    def __call__(self) -> RequestHandler:
        return Visit(self, self._own_loop)

    def report(self, what: str, error: object = None) -> None:
        """One line a minute for each kind, with the number that came; nothing of what was sent."""
        now = self._own_loop.time()
        since, count = self._reported.get(what, (float("-inf"), 0))
        if now - since < 60:
            self._reported[what] = (since, count + 1)
            return
        self._reported[what] = (now, 0)
        log.warning(what, error=type(error).__name__ if error else None, unwritten_before=count)
