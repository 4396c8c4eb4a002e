"""Every row of one database into another, SQLite or PostgreSQL, with its numbers: for `kairanban move`.

The copy goes table by table, parents first, each slice in a transaction of its own. A copy that was cut off
goes on where it stopped: what has arrived is the beginning of a table in the order of its keys.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict
from itertools import zip_longest
from typing import Any

from sqlalchemy import Column, LargeBinary, Select, Table, Text, delete, func, insert, select, text
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, identity
from content.database.dialects import insert_many, refresh_statistics
from content.database.identity import Identity, database_identity
from content.database.tables import metadata

Row = dict[str, Any]

# Rows to a transaction.
SLICE = 2_000
# What a held database says while it is copied, on both sides.
MOVING = "moving"


class CannotMove(Exception):
    """What is in the way, and the remedy; nothing was changed in the other database's own rows."""


async def refuse_unless_begun(target: Database, own: Identity | None) -> None:
    """Raises CannotMove unless what the target holds is a copy of this database that was cut off."""
    async with target.read() as connection:
        found = await identity.read(connection)
    if found is None or own is None or not _is_begun(found, own):
        raise CannotMove(
            "the target already holds a database of a town, nothing was changed there: choose an empty one"
        )


async def prepare(target: Database, own: Identity) -> None:
    """A new target, at the newest schema, becomes the moving database's and waits; one that is it already stays."""
    async with target.write() as connection:
        found = await identity.read(connection)
        if found is not None and _is_begun(found, own):
            return
        for table in reversed(metadata.sorted_tables):
            await _empty(connection, table)
        row = {**asdict(own), "id": identity.THE_ROW, "place": "", "machine": "", "held_reason": MOVING}
        await connection.execute(insert(database_identity).values(row))


async def count_rows(source: Database) -> int:
    async with source.read() as connection:
        return sum([await _count(connection, table) for table in _tables()])


async def copy_rows(source: Database, target: Database, advance: Callable[[int], None]) -> None:
    """All rows that the target does not have yet; `advance` hears how many more it has."""
    for table in _tables():
        async with target.read() as connection:
            there = await _count(connection, table)
        advance(there)
        async with _rows(source, table, after=there) as slices:
            async for rows in slices:
                async with target.write() as connection:
                    # COPY needs a transaction that has begun.
                    await connection.execute(select(1))
                    await insert_many(connection, table, rows)
                advance(len(rows))


async def refuse_difference(source: Database, target: Database, advance: Callable[[int], None]) -> None:
    """Row by row, every column. Raises CannotMove that names the table and the key of the first difference."""
    for table in _tables():
        async with _rows(source, table) as ours, _rows(target, table) as theirs:
            while True:
                mine, other = await _next(ours), await _next(theirs)
                if mine != other:
                    raise CannotMove(_difference(table, mine, other))
                if not mine:
                    break
                advance(len(mine))


async def go_on_numbering(source: Database, target: Database, given: Mapping[str, int]) -> None:
    """The next number that PostgreSQL gives follows the last one that was ever given, not the last that is left.

    `given`: tables whose last number is not to be read from their rows.
    """
    if target.is_sqlite:
        return
    for table in metadata.sorted_tables:
        for column in table.primary_key:
            await _go_on(source, target, column, given.get(table.name, 0))
    async with target.write() as connection:
        await refresh_statistics(connection, *metadata.sorted_tables)


def _is_begun(found: Identity, own: Identity) -> bool:
    return (found.identity, found.held_reason) == (own.identity, MOVING)


def _tables() -> list[Table]:
    # The identity's row says where the database is at home, which is what changes.
    return [table for table in metadata.sorted_tables if table is not database_identity]


async def _empty(connection: AsyncConnection, table: Table) -> None:
    """What the migrations put into new tables. Those that only grow refuse even a DELETE that meets no row."""
    if await _count(connection, table):
        await connection.execute(delete(table))


async def _count(connection: AsyncConnection, table: Table) -> int:
    return int(await connection.scalar(select(func.count()).select_from(table)) or 0)


def _in_order(database: Database, table: Table) -> Select[Any]:
    """By the primary key, texts by their bytes: the one order that both databases know."""

    def ordered(column: Column[Any]) -> Any:
        return column if database.is_sqlite or not isinstance(column.type, Text) else column.collate("C")

    return select(table).order_by(*map(ordered, table.primary_key))


@asynccontextmanager
async def _rows(
    database: Database, table: Table, *, after: int = 0
) -> AsyncIterator[AsyncIterator[list[Row]]]:
    async with database.read() as connection:
        await database.may_take_long(connection)
        found = await connection.stream(_in_order(database, table).offset(after))
        yield ([dict(row) for row in rows] async for rows in found.mappings().partitions(SLICE))


async def _next(slices: AsyncIterator[list[Row]]) -> list[Row]:
    return await anext(slices, [])


def _difference(table: Table, mine: list[Row], other: list[Row]) -> str:
    """Names the row by its numbers alone: a text may tell of somebody."""
    one, two = next((one, two) for one, two in zip_longest(mine, other) if one != two)
    row = one or two or {}
    numbers = [
        f"{column.name} {row[column.name]}"
        for column in table.primary_key
        if not isinstance(column.type, Text | LargeBinary)
    ]
    return (
        f"table {table.name} differs{' at ' if numbers else ''}{', '.join(numbers)}: the source was used while it "
        "was copied, or the target is damaged. Empty the target and begin anew"
    )


async def _go_on(source: Database, target: Database, column: Column[Any], given: int) -> None:
    sequence_of = select(func.pg_get_serial_sequence(column.table.name, column.name))
    async with target.read() as connection:
        sequence = await connection.scalar(sequence_of)
        if sequence is None:
            return
        last = max(given, int(await connection.scalar(select(func.coalesce(func.max(column), 0))) or 0))
    if not source.is_sqlite:
        async with source.read() as connection:
            its_own = await connection.scalar(sequence_of)
            last = max(last, int(await connection.scalar(text(f"SELECT last_value FROM {its_own}")) or 0))
    if last:
        async with target.write() as connection:
            await connection.execute(select(func.setval(sequence, last)))
