"""A fresh sandbox on a free port, a bot server, and LINE's own SDK talking to it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from types import SimpleNamespace
from typing import Any

# The whole of it, before anybody takes its models alone (channels/line/models.py).
import linebot.v3.messaging  # noqa: F401
import pytest_asyncio
from aiohttp import ClientSession, web

from sandbox.line import SANDBOX_KEY, create_app
from tests.sandbox.line.drawn_menus import menu, png
from tests.sandbox.line.line_sdk import sdk_for
from tests.sandbox.line.line_town import GRANDMOTHER, NEWCOMER, PARENT, TOKEN, Bot, Town, options

Serve = Callable[[web.Application], Awaitable[str]]
MakeTown = Callable[..., Awaitable[Town]]


@pytest_asyncio.fixture
async def serve_here() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(app: web.Application) -> str:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start


@pytest_asyncio.fixture
async def make_town(serve_here: Serve) -> AsyncIterator[MakeTown]:
    """Start a sandbox with these options; a parent and a 78-year-old are friends, a newcomer is not yet."""
    async with ClientSession() as session:

        async def make(**changes: Any) -> Town:
            app = create_app(options(**changes))
            town = Town(app[SANDBOX_KEY], await serve_here(app), session)
            users, now = town.channel.users, town.sandbox.clock.now_ms()
            users.add(PARENT, "佐藤 美咲", "ja", "friend", now)
            users.add(GRANDMOTHER, "鈴木 和子", "ja", "friend", now)
            users.add(NEWCOMER, "Maria Silva", "en", "none", now)
            return town

        yield make


@pytest_asyncio.fixture
async def town(make_town: MakeTown) -> Town:
    return await make_town()


@pytest_asyncio.fixture
async def bot(town: Town, serve_here: Serve) -> Bot:
    """The town's bot server, known to the sandbox."""
    bot = Bot()
    town.channel.webhook.url = await serve_here(bot.app()) + "/line/webhook"
    return bot


@pytest_asyncio.fixture
async def line(town: Town) -> AsyncIterator[Any]:
    """LINE's SDK, pointed at the sandbox."""
    async with sdk_for(town) as api:
        yield api


@pytest_asyncio.fixture
async def menus(town: Town) -> AsyncIterator[SimpleNamespace]:
    """The SDK's two clients, and a way to make a complete menu."""
    from linebot.v3.messaging import AsyncApiClient, AsyncMessagingApi, AsyncMessagingApiBlob, Configuration

    async with AsyncApiClient(Configuration(host=town.origin, access_token=TOKEN)) as client:
        line, blob = AsyncMessagingApi(client), AsyncMessagingApiBlob(client)

        async def upload(menu_id: str, data: bytes | None = None) -> None:
            headers = {"Content-Type": "image/png"}
            await blob.set_rich_menu_image(menu_id, body=data or png(800, 270), _headers=headers)

        async def complete(*args: Any) -> str:
            made = await line.create_rich_menu(menu(*args))
            await upload(made.rich_menu_id)
            return str(made.rich_menu_id)

        yield SimpleNamespace(line=line, blob=blob, upload=upload, complete=complete)
