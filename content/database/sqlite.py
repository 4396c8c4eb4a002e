"""How SQLite is opened, and whole transactions on threads of their own."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine, event, select
from sqlalchemy.engine import URL
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from content.database.commit_counter import CommitCounter
from content.database.step_thread import StepThread

T = TypeVar("T")


def ask_nothing(connection: Connection) -> None:
    """A question that every database answers."""
    connection.execute(select(1))


class SqliteSteps:
    """Whole transactions on threads of their own: one that writes, one that reads."""

    def __init__(self, url: URL) -> None:
        self._engines = {
            "write": create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True),
            "read": create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True),
        }
        _configure_sqlite(self._engines["write"], "BEGIN IMMEDIATE")
        _configure_sqlite(self._engines["read"], "BEGIN")
        self._threads = {"write": StepThread("sqlite-write"), "read": StepThread("sqlite-read")}
        self.counter: CommitCounter[Any] | None = None

    async def read(self, step: Callable[[Connection], T]) -> T:
        return await self._run("read", step)

    async def write(self, step: Callable[[Connection], T]) -> T:
        return await self._run("write", step, self.counter)

    async def answer(self) -> None:
        """Returns when both threads do. No commit is counted, so that nothing is written where the disk is full."""
        for kind in self._threads:
            await self._run(kind, ask_nothing)

    async def _run(
        self, kind: str, step: Callable[[Connection], T], counter: CommitCounter[Any] | None = None
    ) -> T:
        def transaction() -> T:
            with self._engines[kind].begin() as connection:
                done = step(connection)
                count = counter.count(connection) if counter else None
            if counter and count is not None:
                counter.committed(count)
            return done

        return await self._threads[kind].do(transaction)

    def close(self) -> None:
        for kind, thread in self._threads.items():
            thread.close()
            self._engines[kind].dispose()


def sqlite_engine(url: URL, begin: str, pool_size: int) -> AsyncEngine:
    # Parameters hold texts and sealed addresses, and error messages end up in logs.
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=60, hide_parameters=True
    )
    _configure_sqlite(engine.sync_engine, begin)
    return engine


def _configure_sqlite(engine: Engine, begin: str) -> None:
    @event.listens_for(engine, "connect")
    def _configure(connection: Any, _record: Any) -> None:
        # The driver's own transaction handling would begin too late and without a lock.
        connection.isolation_level = None
        cursor = connection.cursor()
        for pragma in (
            "journal_mode = WAL",
            "foreign_keys = ON",
            "busy_timeout = 30000",
            # A settled batch must survive a power cut, or it would go out twice.
            "synchronous = FULL",
            "cache_size = -32768",
        ):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine.pool, "invalidate")
    def _let_go(connection: Any, _record: Any, _error: Any) -> None:
        # A task cancelled in the middle of a transaction leaves its connection to be closed some time
        # later; until then its lock would stop every other writer.
        connection.rollback()

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)
