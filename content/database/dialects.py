"""Where SQLite and PostgreSQL say the same thing differently: one function for each such thing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Connection,
    Select,
    Table,
    Text,
    any_,
    bindparam,
    func,
    insert,
    select,
    text,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.ext.asyncio import AsyncConnection


def insert_unless_known(
    connection: AsyncConnection | Connection, table: Table
) -> postgresql.Insert | sqlite.Insert:
    """An INSERT that can be told to do nothing when the row is there: `.on_conflict_do_nothing(…)`."""
    if connection.dialect.name == "postgresql":
        return postgresql.insert(table)
    return sqlite.insert(table)


async def insert_many(connection: AsyncConnection, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    """Insert rows that all have the same columns, in a transaction that has written before.

    PostgreSQL takes them as one COPY, in a tenth of the time of single rows.
    """
    if not rows:
        return
    if connection.dialect.name != "postgresql":
        await connection.execute(insert(table), list(rows))
        return
    driver: Any = (await connection.get_raw_connection()).driver_connection
    columns = list(rows[0])
    records = [tuple(row[name] for name in columns) for row in rows]
    await driver.copy_records_to_table(table.name, records=records, columns=columns)


async def refresh_statistics(connection: AsyncConnection, *tables: Table) -> None:
    """After a bulk insert: PostgreSQL plans with the figures of before until told otherwise.

    Right after an import into an empty database it would count an audience by a nested scan.
    """
    if connection.dialect.name == "postgresql":
        for table in tables:
            await connection.execute(text(f"ANALYZE {table.name}"))


def only_one(connection: Connection, work: str) -> bool:
    """Whether no other transaction does this work now; it is ours until the commit. Waits for nobody.

    On SQLite there is one that writes at a time.
    """
    if connection.dialect.name != "postgresql":
        return True
    return bool(connection.scalar(select(func.pg_try_advisory_xact_lock(func.hashtext(work)))))


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


def others_connected(connection: Connection) -> int:
    """How many sessions of others a PostgreSQL database has; the file of SQLite is locked instead, so 0."""
    if connection.dialect.name != "postgresql":
        return 0
    asked = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    return int(connection.scalar(asked) or 0)
