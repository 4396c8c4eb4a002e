"""A door in this process before pages that tell what reached them."""

from __future__ import annotations

import asyncio
import json
import socket
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest_asyncio
from aiohttp import ClientSession, DummyCookieJar, UnixConnector, web

from bot.door.gate import Gate
from bot.door.limits import Limits
from bot.door.source import read_networks
from bot.door.visit import Door

OpenDoor = Callable[..., Any]


@dataclass
class Pages:
    """The pages behind; `seen` is every request that reached them."""

    seen: list[web.Request] = field(default_factory=list)
    at_once: int = 0
    most_at_once: int = 0
    hold: asyncio.Event = field(default_factory=asyncio.Event)
    # Of the public page of a notice, and how it answers.
    words: str = "早く逃げて" * 200
    status: int = 200

    async def handle(self, request: web.Request) -> web.StreamResponse:
        self.seen.append(request)
        self.at_once += 1
        self.most_at_once = max(self.at_once, self.most_at_once)
        try:
            return await self._answer(request)
        finally:
            self.at_once -= 1

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if request.path.endswith("/held"):
            await self.hold.wait()
        if request.path == "/public":
            return web.Response(text="kept", headers={"Cache-Control": "public, max-age=15"})
        if request.path == "/n/abc":
            return web.Response(
                status=self.status,
                text=self.words,
                content_type="text/html",
                headers={"Cache-Control": "public, max-age=1"},
            )
        if request.path == "/large":
            return web.Response(body=b"a" * int(request.query["size"]))
        if request.path == "/cookies":
            answer = web.Response(text="ok")
            answer.set_cookie("one", "1")
            answer.set_cookie("two", "2")
            return answer
        told = {
            "method": request.method,
            "path": request.raw_path,
            "headers": [[name, value] for name, value in request.headers.items()],
            "body": (await request.read()).decode("latin-1"),
        }
        return web.json_response(told, headers={"Server": "kairanban"})


@dataclass
class OpenedDoor:
    door: Door
    pages: Pages
    port: int
    session: ClientSession
    url: str

    def connect(self) -> socket.socket:
        """A connection that nobody reads or writes by itself."""
        raw = socket.create_connection(("127.0.0.1", self.port))
        raw.setblocking(False)
        return raw

    async def say(self, words: bytes, max_wait: float = 5.0) -> bytes:
        """Send these bytes; everything that comes back until the other side closes or falls silent."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(words)
        answer = b""
        with suppress(TimeoutError, ConnectionError):
            async with asyncio.timeout(max_wait):
                while piece := await reader.read(65536):
                    answer += piece
        writer.close()
        return answer

    async def get(self, path: str, **headers: str) -> Any:
        async with self.session.get(self.url + path, headers=headers) as answer:
            return answer.status, await answer.read(), answer.headers

    async def told(self, path: str, **headers: str) -> Any:
        status, body, _ = await self.get(path, **headers)
        assert status == 200
        return json.loads(body)


@pytest_asyncio.fixture
async def open_door(tmp_path: Path) -> AsyncIterator[OpenDoor]:
    """Call it with limits to change and `proxies`."""
    async with AsyncExitStack() as stack:

        async def opened(
            proxies: str = "", clock: Callable[[], float] = time.monotonic, **changes: Any
        ) -> OpenedDoor:
            pages = Pages()
            app = web.Application(client_max_size=2**24)
            app.router.add_route("*", "/{rest:.*}", pages.handle)
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            stack.callback(pages.hold.set)
            await web.UnixSite(runner, tmp_path / "pages").start()
            inner = await stack.enter_async_context(
                ClientSession(
                    connector=UnixConnector(str(tmp_path / "pages"), limit=0),
                    cookie_jar=DummyCookieJar(),
                    auto_decompress=False,
                    skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding", "Content-Type"),
                )
            )
            limits, networks = Limits(**changes), read_networks(proxies)
            loop = asyncio.get_running_loop()
            gate = Gate(inner, limits, networks, clock)
            door = Door(gate.handle, gate.short_way.answer, limits, networks, loop)
            server = await loop.create_server(door, "127.0.0.1", 0)
            stack.push_async_callback(door.shutdown, 0.1)
            stack.callback(server.close)
            session = await stack.enter_async_context(ClientSession())
            port = server.sockets[0].getsockname()[1]
            return OpenedDoor(door, pages, port, session, f"http://127.0.0.1:{port}")

        yield opened
