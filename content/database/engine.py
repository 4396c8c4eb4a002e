"""The database: engines, transactions, and every difference between SQLite and PostgreSQL.

SQLite runs in WAL mode with enforced foreign keys and one writing connection; PostgreSQL lets
any number of processes write. Times in rows are integers: milliseconds since the epoch, UTC.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    Connection,
    func,
    select,
    text,
)
from sqlalchemy.engine import URL, make_url
from sqlalchemy.exc import ArgumentError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from content.clock import monotonic_seconds
from content.database.commit_counter import CommitCounter
from content.database.group_commit import GroupCommit
from content.database.shared_clock import SharedClock
from content.database.sqlite import SqliteSteps, ask_nothing, sqlite_engine
from content.database.step_thread import end_process
from content.database.wakeups import CHANNEL, Signal, Wakeups

T = TypeVar("T")
# Seconds; several writers may each wait half a minute for a file that another program has locked.
STUCK = 150.0
# Seconds for a connection to PostgreSQL, or for one of the pool; then whoever asked tries again.
CONNECT_WITHIN = 10.0
# Seconds between two statements of a transaction on PostgreSQL. A process that stands still in one (stopped, or
# its machine is) would hold its rows for ever, and with them the send of all the others.
SILENT = 20.0
_TIME = text("SELECT CAST(extract(epoch FROM clock_timestamp()) * 1000 AS bigint)")


class UnknownDatabase(ValueError):
    """The database URL is neither SQLite nor PostgreSQL."""


def parsed_url(url: str) -> URL:
    """Raises UnknownDatabase."""
    try:
        parsed = make_url(url)
        if parsed.get_backend_name() in ("sqlite", "postgresql"):
            return parsed
    except ArgumentError:
        pass
    raise UnknownDatabase("KAIRANBAN_DATABASE_URL must begin with sqlite:/// or postgresql://")


class Database:
    """Reading and writing transactions on one database.

    `url` is `sqlite:///path` or `postgresql://…`. `read()` and `write()` give a connection inside
    a transaction; `write(wake=topic)` also sets every signal of `listen(topic)` once it has committed.
    `read_step(step)` and `write_step(step)` run a plain function of a connection as a whole transaction:
    on SQLite in one hop to a thread, where a connection of `write()` needs one for every statement.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = parsed_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        self._steps: SqliteSteps | None = None
        self._write_lock: AbstractAsyncContextManager[Any] = nullcontext()
        if self.is_sqlite:
            self.path = Path(parsed.database or "")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            async_url = parsed.set(drivername="sqlite+aiosqlite")
            self._reader = sqlite_engine(async_url, "BEGIN", pool_size=4)
            self._writer = sqlite_engine(async_url, "BEGIN IMMEDIATE", pool_size=1)
            self._steps = SqliteSteps(parsed)
            # SQLite's own way of waiting for another writer is to ask again after a nap.
            self._write_lock = asyncio.Lock()
        else:
            async_url = parsed.set(drivername="postgresql+asyncpg")
            silent = {"idle_in_transaction_session_timeout": str(round(SILENT * 1000))}
            self._writer = create_async_engine(
                async_url,
                pool_size=10,
                max_overflow=10,
                pool_timeout=CONNECT_WITHIN,
                connect_args={"timeout": CONNECT_WITHIN, "server_settings": silent},
                hide_parameters=True,
            )
            self._reader = self._writer
        self._group = GroupCommit(self._transaction)
        self.wakeups = Wakeups()
        self.clock = SharedClock()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self, wake: str | None = None) -> AsyncIterator[AsyncConnection]:
        async with self._write_lock, self._writer.begin() as connection:
            yield connection
            if wake is not None and not self.is_sqlite:
                # Inside the transaction: other processes hear of it exactly when it commits.
                await connection.execute(select(func.pg_notify(CHANNEL, wake)))
        if wake is not None:
            self.wakeups.wake(wake)

    async def may_take_long(self, connection: AsyncConnection) -> None:
        """For a transaction that only reads, and whose reader may pause as long as he likes."""
        if not self.is_sqlite:
            await connection.execute(text("SET LOCAL idle_in_transaction_session_timeout = 0"))

    async def read_step(self, step: Callable[[Connection], T]) -> T:
        """What `step` reads, in a transaction of its own."""
        if self._steps is not None:
            return await self._steps.read(step)
        async with self.read() as connection:
            return await connection.run_sync(step)

    async def write_step(
        self, step: Callable[[Connection], T], *, wake: str | None = None, max_wait: float = 0.0
    ) -> T:
        """What `step` returned, once it is committed, together with other steps that came meanwhile.

        With `max_wait` it may wait so many seconds for others to come. `wake` as in `write`.
        """
        if wake is None:
            return await self._group.do(step, max_wait=max_wait)
        done = await self._group.do(partial(self._tell_others, step, wake), max_wait=max_wait)
        self.wakeups.wake(wake)
        return done

    def _tell_others(self, step: Callable[[Connection], T], wake: str, connection: Connection) -> T:
        done = step(connection)
        if not self.is_sqlite:
            connection.execute(select(func.pg_notify(CHANNEL, wake)))
        return done

    async def _transaction(self, step: Callable[[Connection], T]) -> T:
        if self._steps is not None:
            async with self._write_lock:
                return await self._steps.write(step)
        async with self.write() as connection:
            return await connection.run_sync(step)

    def now(self) -> int:
        """Milliseconds since the epoch by the clock that every process on this database goes by."""
        return self.clock.now()

    async def ask_time(self) -> bool:
        """Hear what time it is on PostgreSQL; whether its clock was set back since the last time."""
        if self.is_sqlite:
            return False
        async with self.read() as connection:
            asked = monotonic_seconds()
            at = await connection.scalar(_TIME)
            return self.clock.hear(int(at or 0), asked, monotonic_seconds())

    @property
    def stands_aside(self) -> bool:
        """Whether this machine's clock is so wrong that the process decides nothing about time.

        A process alone on SQLite cannot leave it to others: it goes by the time of its start.
        """
        return not self.is_sqlite and self.clock.own_is_far_off

    async def ping(self) -> None:
        """Returns when the database answers, on every way by which this process asks it."""
        async with self.read() as connection:
            await connection.execute(select(1))
        if self._steps is not None:
            await self._steps.answer()
            return
        await self.read_step(ask_nothing)
        await self.write_step(ask_nothing)

    async def end_process_when_stuck(self) -> None:
        """On SQLite: a thread that died in a shortage of memory would let everybody wait for ever."""
        try:
            async with asyncio.timeout(STUCK):
                await self.ping()
        except TimeoutError:
            if self.is_sqlite:
                end_process(b"kairanban: the database does not answer any more, so this process ends\n")

    def count_commits(self, counter: CommitCounter[Any] | None) -> None:
        """On SQLite tell `counter` of every writing step from now on; of what PostgreSQL commits nobody is told."""
        if self._steps is not None:
            self._steps.counter = counter

    def listen(self, topic: str) -> Signal:
        """A signal of one's own for a topic."""
        return self.wakeups.listen(topic)

    async def hear_others(self) -> None:
        """On PostgreSQL pass on the wake-ups of other processes, until cancelled."""
        if not self.is_sqlite:
            # Here and not above: most commands only ask a question, and without driver and log they start sooner.
            from content.database.postgres_wakeups import hear_postgres

            dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
            await hear_postgres(dsn, self.wakeups)

    async def close(self) -> None:
        await self._group.finish()
        if self._steps is not None:
            self._steps.close()
        await self._reader.dispose()
        await self._writer.dispose()

    @property
    def engine(self) -> AsyncEngine:
        """The writing engine, for migrations."""
        return self._writer
