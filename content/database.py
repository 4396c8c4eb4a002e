"""The database: engines, transactions, and every difference between SQLite and PostgreSQL.

SQLite runs in WAL mode with enforced foreign keys and one writing connection; PostgreSQL lets
any number of processes write. Times in rows are integers: milliseconds since the epoch, UTC.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import BigInteger, Integer, MetaData, Table, event, func, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine

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


class UnknownDatabase(ValueError):
    """The database URL is neither SQLite nor PostgreSQL."""


class Database:
    """Reading and writing transactions on one database.

    `url` is `sqlite:///path` or `postgresql://…`. `read()` and `write()` give a connection inside
    a transaction; `write(wake=topic)` also sets every signal of `listen(topic)` once it has committed.
    """

    def __init__(self, url: str) -> None:
        self.url = url
        parsed = make_url(url)
        self.is_sqlite = parsed.get_backend_name() == "sqlite"
        if not self.is_sqlite and parsed.get_backend_name() != "postgresql":
            raise UnknownDatabase("KAIRANBAN_DATABASE_URL must begin with sqlite:/// or postgresql://")
        if self.is_sqlite:
            self.path = Path(parsed.database or "")
            self.path.parent.mkdir(parents=True, exist_ok=True)
            async_url = parsed.set(drivername="sqlite+aiosqlite")
            self._reader = _sqlite_engine(async_url, "BEGIN", pool_size=4)
            self._writer = _sqlite_engine(async_url, "BEGIN IMMEDIATE", pool_size=1)
        else:
            async_url = parsed.set(drivername="postgresql+asyncpg")
            self._writer = create_async_engine(async_url, pool_size=10, max_overflow=10, hide_parameters=True)
            self._reader = self._writer
        self.wakeups = Wakeups()

    @asynccontextmanager
    async def read(self) -> AsyncIterator[AsyncConnection]:
        async with self._reader.connect() as connection, connection.begin():
            yield connection

    @asynccontextmanager
    async def write(self, wake: str | None = None) -> AsyncIterator[AsyncConnection]:
        async with self._writer.begin() as connection:
            yield connection
            if wake is not None and not self.is_sqlite:
                # Inside the transaction: other processes hear of it exactly when it commits.
                await connection.execute(select(func.pg_notify(CHANNEL, wake)))
        if wake is not None:
            self.wakeups.wake(wake)

    def listen(self, topic: str) -> Signal:
        """A signal of one's own for a topic."""
        return self.wakeups.listen(topic)

    async def hear_others(self) -> None:
        """On PostgreSQL pass on the wake-ups of other processes, until cancelled."""
        if not self.is_sqlite:
            dsn = make_url(self.url).set(drivername="postgresql").render_as_string(hide_password=False)
            await hear_postgres(dsn, self.wakeups)

    async def close(self) -> None:
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


def _sqlite_engine(url: Any, begin: str, pool_size: int) -> AsyncEngine:
    # Parameters hold texts and sealed addresses, and error messages end up in logs.
    engine = create_async_engine(
        url, pool_size=pool_size, max_overflow=0, pool_timeout=60, hide_parameters=True
    )

    @event.listens_for(engine.sync_engine, "connect")
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

    @event.listens_for(engine.sync_engine.pool, "invalidate")
    def _let_go(connection: Any, _record: Any, _error: Any) -> None:
        # A task cancelled in the middle of a transaction leaves its connection to be closed some time
        # later; until then its lock would stop every other writer.
        connection.rollback()

    @event.listens_for(engine.sync_engine, "begin")
    def _begin(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine
