"""A scripted stage on each database, and real servers at the other end."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
import structlog
from aiohttp import web

from content.database import Database
from content.keys import Keys
from content.town import Town
from scheduler import lane
from tests.scheduler.outside import Outside, serve_outside
from tests.scheduler.scripted import Fresh, Stage, make_stage


@pytest.fixture(autouse=True)
def plain_tracebacks() -> Iterator[None]:
    """Drawing a traceback with all its values takes a second."""
    plain = structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[structlog.processors.add_log_level, plain])
    yield
    structlog.reset_defaults()


@pytest.fixture(autouse=True)
def poll_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Loops look into the ledger often, so that no test waits for a whole second."""
    monkeypatch.setattr(lane, "POLL", 0.02)


@pytest.fixture(autouse=True)
def one_after_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Scripts tell of calls in order; of two batches in flight either may be ready first."""
    monkeypatch.setattr(lane, "AHEAD", 0)


@pytest.fixture
def stage(town: Town, database: Database, keys: Keys) -> Stage:
    """On SQLite and on PostgreSQL."""
    return make_stage(town, database, keys)


@pytest.fixture
def small_stage(town: Town, sqlite_database: Database, keys: Keys) -> Stage:
    """On SQLite alone."""
    return make_stage(town, sqlite_database, keys)


@pytest_asyncio.fixture
async def fresh_database(tmp_path: Path, sqlite_template: Path) -> AsyncIterator[Fresh]:
    """A function that gives one empty SQLite database after the other."""
    async with AsyncExitStack() as stack:
        made = 0

        async def make() -> Database:
            nonlocal made
            made += 1
            path = tmp_path / f"fresh{made}.db"
            shutil.copyfile(sqlite_template, path)
            database = Database(f"sqlite:///{path}")
            stack.push_async_callback(database.close)
            return database

        yield make


@pytest_asyncio.fixture
async def outside() -> AsyncIterator[Outside]:
    """LINE, a mail server and a partner's webhook on free ports of this machine."""
    async with AsyncExitStack() as stack:

        async def serve(app: web.Application) -> str:
            runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
            await runner.setup()
            stack.push_async_callback(runner.cleanup)
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            return f"http://127.0.0.1:{runner.addresses[0][1]}"

        servers = await serve_outside(serve)
        stack.push_async_callback(servers.smtp.stop)
        yield servers


@pytest.fixture
def real(town: Town, sqlite_database: Database, keys: Keys, outside: Outside) -> Stage:
    """Real channels to the servers outside, on SQLite."""
    return Stage(outside.context(town, sqlite_database, keys), {})
