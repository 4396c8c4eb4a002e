"""The resident on LINE end to end: phones on the LINE stand-in, our webhook on a free port, a real database."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import pytest_asyncio
from aiohttp import ClientSession, web

from bot.accounts import line_api
from bot.app_keys import SERVICE
from bot.line.webhook import PATH, add_routes
from bot.service import Service, open_town_context
from content.key_file import create_key_file
from content.keys import load_keys
from sandbox.line import SANDBOX_KEY, SandboxOptions, create_app
from tests.bot.line.village import SECRET, TOKEN, Village, settings_for
from tests.factories import create_town

MakeVillage = Callable[..., Awaitable[Village]]


@pytest_asyncio.fixture
async def make_village(tmp_path) -> AsyncIterator[MakeVillage]:
    """Start everything over a database; `changes` replace fields of the town profile."""
    async with AsyncExitStack() as stack:

        async def make(database: Any, **changes: Any) -> Village:
            options = SandboxOptions(channel_secret=SECRET, channel_token=TOKEN)
            platform_app = create_app(options)
            settings = settings_for(tmp_path, await _serve(stack, platform_app))
            create_key_file(settings.secret_key_file)
            keys = load_keys(settings.secret_key_file)
            service = Service(settings, open_town_context(settings, create_town(**changes), database, keys))
            web_app = web.Application()
            web_app[SERVICE] = service
            add_routes(web_app)
            origin = await _serve(stack, web_app)
            platform = platform_app[SANDBOX_KEY]
            platform.channel.webhook.url = origin + PATH
            # Two seconds are LINE's; a machine that runs other tests may take longer.
            platform.channel.webhook.timeout_ms = 30_000
            api = line_api(settings)
            stack.push_async_callback(api.close)
            session = await stack.enter_async_context(ClientSession())
            return Village(service, api, platform, origin, session)

        yield make


@pytest_asyncio.fixture
async def village(make_village: MakeVillage, sqlite_database) -> Village:
    return await make_village(sqlite_database)


@pytest_asyncio.fixture
async def any_village(make_village: MakeVillage, database) -> Village:
    """The same on SQLite and on PostgreSQL."""
    return await make_village(database)


async def _serve(stack: AsyncExitStack, app: web.Application) -> str:
    return await stack.enter_async_context(serving(app))


@asynccontextmanager
async def serving(app: web.Application) -> AsyncIterator[str]:
    """An application on a free port; its origin."""
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()
