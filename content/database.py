"""The database: engines, transactions, and every difference between SQLite and PostgreSQL.

SQLite runs in WAL mode with enforced foreign keys and one writing connection; PostgreSQL lets
any number of processes write. Times in rows are integers: milliseconds since the epoch, UTC.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, TypeVar

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Engine,
    Integer,
    MetaData,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    create_engine,
    event,
    func,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

from content.group_commit import GroupCommit
from content.wakeups import CHANNEL, Signal, Wakeups, hear_postgres

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only in a column that is declared INTEGER.
Id = BigInteger().with_variant(Integer, "sqlite")


T = TypeVar("T")


class UnknownDatabase(ValueError):
    """The database URL is neither SQLite nor PostgreSQL."""


class Database:
    """Reading and writing transactions on one database.

    `url` is `sqlite:///path` or `postgresql://…`. `read()` and `write()` give a connection inside
    a transaction; `write(wake=topic)` also sets every signal of `listen(topic)` once it has committed.
    `read_step(step)` and `write_step(step)` run a plain function of a connection as a whole transaction:
    on SQLite in one hop to a thread, where a connection of `write()` needs one for every statement.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if not self.is_sqlite and parsed.get_backend_name() != "postgresql":
            raise UnknownDatabase("KAIRANBAN_DATABASE_URL must begin with sqlite:/// or postgresql://")
        self._steps: _SqliteSteps | None = None
        self._turn: AbstractAsyncContextManager[Any] = nullcontext()
        if self.is_sqlite:
            self.path = Path(parsed.database or "")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            async_url = parsed.set(drivername="sqlite+aiosqlite")
            self._reader = _sqlite_engine(async_url, "BEGIN", pool_size=4)
            self._writer = _sqlite_engine(async_url, "BEGIN IMMEDIATE", pool_size=1)
            self._steps = _SqliteSteps(parsed)
            # SQLite's own way of waiting for another writer is to ask again after a nap.
            self._turn = asyncio.Lock()
        else:
            async_url = parsed.set(drivername="postgresql+asyncpg")
            self._writer = create_async_engine(async_url, pool_size=10, max_overflow=10, hide_parameters=True)
            self._reader = self._writer
        self._group = GroupCommit(self._transaction)
        self.wakeups = Wakeups()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self, wake: str | None = None) -> AsyncIterator[AsyncConnection]:
        async with self._turn, self._writer.begin() as connection:
            yield connection
            if wake is not None and not self.is_sqlite:
                # Inside the transaction: other processes hear of it exactly when it commits.
                await connection.execute(select(func.pg_notify(CHANNEL, wake)))
        if wake is not None:
            self.wakeups.wake(wake)

    async def read_step(self, step: Callable[[Connection], T]) -> T:
        """What `step` reads, in a transaction of its own."""
        if self._steps is not None:
            return await self._steps.read(step)
        async with self.read() as connection:
            return await connection.run_sync(step)

    async def write_step(self, step: Callable[[Connection], T], *, patience: float = 0.0) -> T:
        """What `step` returned, once it is committed, together with other steps that came meanwhile.

        With `patience` it may wait so many seconds for others to come.
        """
        return await self._group.do(step, patience=patience)

    async def _transaction(self, step: Callable[[Connection], T]) -> T:
        if self._steps is not None:
            async with self._turn:
                return await self._steps.write(step)
        async with self.write() as connection:
            return await connection.run_sync(step)

    def listen(self, topic: str) -> Signal:
        """A signal of one's own for a topic."""
        return self.wakeups.listen(topic)

    async def hear_others(self) -> None:
        """On PostgreSQL pass on the wake-ups of other processes, until cancelled."""
        if not self.is_sqlite:
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


def insert_unless_known(connection: AsyncConnection, table: Table) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can be told to do nothing when the row is there: `.on_conflict_do_nothing(…)`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def refresh_statistics(connection: AsyncConnection, *tables: Table) -> None:
    """After a bulk insert: PostgreSQL plans with the figures of before until told otherwise.

    Right after an import into an empty database it would count an audience by a nested scan.
    """
    if connection.dialect.name == "postgresql":
        for table in tables:
            await connection.execute(text(f"ANALYZE {table.name}"))


async def reserve_ids(connection: AsyncConnection, table: Table, number: int) -> list[int]:
    """Ids for rows that the caller inserts in this transaction, ascending.

    Asking for them beforehand lets a bulk insert go out as one statement: reading ids back costs a
    round trip per row on SQLite. Rows of such a table are never deleted, so no id comes twice.
    """
    if connection.dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, "id")
        rows = await connection.scalars(
            select(func.nextval(sequence)).select_from(func.generate_series(1, number))
        )
        return sorted(int(row) for row in rows)
    highest = await connection.scalar(select(func.coalesce(func.max(table.c.id), 0))) or 0
    return list(range(highest + 1, highest + 1 + number))


def among(dialect: str, column: ColumnElement[int], name: str) -> ColumnElement[bool]:
    """Whether a column holds one of the ids of the parameter `name`, which `as_list` made.

    Five hundred parameters cost the driver more than the rows that they find.
    """
    if dialect == "postgresql":
        return column == any_(bindparam(name, type_=postgresql.ARRAY(BigInteger)))
    return column.in_(select(func.json_each(bindparam(name, type_=Text)).table_valued("value").c.value))


def as_list(dialect: str, ids: Iterable[int]) -> list[int] | str:
    return list(ids) if dialect == "postgresql" else json.dumps(list(ids))


def hexadecimal(dialect: str, column: ColumnElement[bytes]) -> ColumnElement[str]:
    """Bytes as a text, for `as_one_row`."""
    return func.encode(column, "hex") if dialect == "postgresql" else func.hex(column)


def as_one_row(dialect: str, statement: Select[Any]) -> Select[Any]:
    """A statement for `all_rows`.

    SQLite's driver gives the interpreter to the other threads before each row, and while the event loop
    is busy it comes back a millisecond later. A list of thousands is therefore fetched as one row: an array
    for each column, since an array for each row takes longer to read.
    """
    if dialect == "postgresql":
        return statement
    rows = statement.subquery()
    return select(*(func.json_group_array(column) for column in rows.c)).select_from(rows)


def all_rows(
    connection: Connection, statement: Select[Any], values: dict[str, Any] | None = None
) -> list[tuple[Any, ...]]:
    """Every row of numbers and texts of a statement of `as_one_row`, in its order."""
    found = connection.execute(statement, values)
    if connection.dialect.name == "postgresql":
        return [tuple(row) for row in found]
    return list(zip(*map(json.loads, found.one()), strict=True))


class _SqliteSteps:
    """Whole transactions on threads of their own: one that writes, one that reads."""

    def __init__(self, url: URL) -> None:
        self._engines = {
            "write": create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True),
            "read": create_engine(url, pool_size=1, max_overflow=0, hide_parameters=True),
        }
        _configure_sqlite(self._engines["write"], "BEGIN IMMEDIATE")
        _configure_sqlite(self._engines["read"], "BEGIN")
        self._threads = {
            "write": ThreadPoolExecutor(1, "sqlite-write"),
            "read": ThreadPoolExecutor(1, "sqlite-read"),
        }

    async def read(self, step: Callable[[Connection], T]) -> T:
        return await self._run("read", step)

    async def write(self, step: Callable[[Connection], T]) -> T:
        return await self._run("write", step)

    async def _run(self, kind: str, step: Callable[[Connection], T]) -> T:
        def transaction() -> T:
            with self._engines[kind].begin() as connection:
                return step(connection)

        return await asyncio.get_running_loop().run_in_executor(self._threads[kind], transaction)

    def close(self) -> None:
        for kind, threads in self._threads.items():
            threads.shutdown()
            self._engines[kind].dispose()


def _sqlite_engine(url: URL, begin: str, pool_size: int) -> AsyncEngine:
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
