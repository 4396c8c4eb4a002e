"""Real servers on free ports of this machine, one set per test, and sessions that talk to them."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from aiohttp import web

from channels.line.channel import LineChannel
from channels.line.session import LineSession
from channels.mail.session import MailSession
from channels.webhook.channel import WebhookChannel
from channels.webhook.session import WebhookSession
from sandbox.mail.server import SmtpSandbox
from sandbox.webhook.receiver import WebhookSandbox
from sandbox.webhook.receiver import create_app as create_webhook_app
from tests.channels.channel_settings import SECRET, Serve, make_mail
from tests.channels.line_server import LineServer
from tests.journeys.deployment import free_port


@pytest_asyncio.fixture
async def serve() -> AsyncIterator[Serve]:
    """Start an application on a free port; gives its origin."""
    async with AsyncExitStack() as stack:

        async def start(app: web.Application) -> str:
            runner = web.AppRunner(app, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            site = web.TCPSite(runner, "127.0.0.1", 0)
            await site.start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        yield start


@pytest.fixture
def closed_port() -> int:
    """A port of this machine on which nobody listens, and which no outgoing connection gets meanwhile."""
    return free_port()


@pytest.fixture
def line_server() -> LineServer:
    return LineServer()


@pytest_asyncio.fixture
async def line(line_server: LineServer, serve: Serve) -> AsyncIterator[LineSession]:
    session = LineChannel(
        api_base=await serve(line_server.create_app()), token="secret-token", timeout=30
    ).open()
    yield session
    await session.close()


@pytest_asyncio.fixture
async def mail_server() -> AsyncIterator[SmtpSandbox]:
    sandbox = SmtpSandbox()
    yield sandbox
    await sandbox.stop()


@pytest_asyncio.fixture
async def mail(mail_server: SmtpSandbox) -> AsyncIterator[MailSession]:
    session = make_mail(await mail_server.start())
    yield session
    await session.close()


@pytest.fixture
def hooks() -> WebhookSandbox:
    return WebhookSandbox(secrets={"bus": SECRET, "radio": SECRET})


@pytest_asyncio.fixture
async def hooks_origin(hooks: WebhookSandbox, serve: Serve) -> str:
    return await serve(create_webhook_app(hooks))


@pytest_asyncio.fixture
async def webhook() -> AsyncIterator[WebhookSession]:
    session = WebhookChannel(allow_private=True, timeout=30).open()
    yield session
    await session.close()
