"""Twice the registrations are twice the work of the database, whatever is in the register: counted, not timed."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from sqlalchemy import event, text

from content.database import Database
from content.keys import Keys
from content.register import importing
from content.register.importing import import_registrations
from tests.content.test_importing import NOW, people

# A slice of so many, so that few registrations are many slices.
SLICE = 100
SIZE = 1_000
# What grows with the square comes to four; two and a little is what a deeper tree costs.
MOST = 2.8


class SqliteWork:
    """Steps of SQLite's machine over all connections of a database, in hundreds."""

    def __init__(self, database: Database) -> None:
        self.steps = 0
        assert database._steps is not None
        engines = [database._writer.sync_engine, database._reader.sync_engine]
        for engine in (*engines, *database._steps._engines.values()):
            event.listen(engine, "connect", self._count)

    def _count(self, connection: Any, _: object) -> None:
        raw = connection
        while not hasattr(raw, "set_progress_handler") or hasattr(raw, "_conn"):
            raw = getattr(raw, "driver_connection", None) or raw._conn
        raw.set_progress_handler(self._step, 100)

    def _step(self) -> int:
        self.steps += 1
        return 0


async def rows_read(url: str) -> int:
    """By everybody who has closed his connection since the database was made."""
    database = Database(url)
    async with database.read() as connection:
        read = "SELECT sum(seq_tup_read + coalesce(idx_tup_fetch, 0)) FROM pg_stat_user_tables"
        found = int(await connection.scalar(text(read)) or 0)
    await database.close()
    return found


@asynccontextmanager
async def opened(url: str) -> AsyncIterator[Database]:
    database = Database(url)
    yield database
    await database.close()


async def bring_in(database: Database, keys: Keys, number: int, first: int) -> None:
    done = await import_registrations(database, keys, people(number, first), lambda _: None, at=NOW)
    assert done.new == number


@pytest.fixture(autouse=True)
def small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importing, "SLICE", SLICE)


async def test_on_sqlite(sqlite_database: Database, keys: Keys) -> None:
    work = SqliteWork(sqlite_database)
    await bring_in(sqlite_database, keys, SIZE, 1)
    once, work.steps = work.steps, 0
    await bring_in(sqlite_database, keys, 2 * SIZE, 1 + SIZE)
    assert once > 100
    assert work.steps < MOST * once


@pytest.mark.services
async def test_on_postgres(postgres_database: Database, keys: Keys) -> None:
    read = [await rows_read(postgres_database.url)]
    for number, first in ((SIZE, 1), (2 * SIZE, 1 + SIZE)):
        async with opened(postgres_database.url) as database:
            await bring_in(database, keys, number, first)
        read.append(await rows_read(postgres_database.url))
    before, once, twice = read
    assert once - before > SIZE
    assert twice - once < MOST * (once - before)
