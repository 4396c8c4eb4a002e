"""Many registrations at once: all of them or none, without keeping the database from anybody else.

What is to come in is staged first, in slices, in a table that nobody else reads; a process that is killed
there has changed nothing. One mark then decides that all of it comes in. From there the rows move into the
register by statements inside the database: on PostgreSQL in the transaction of the mark itself, so that all
are visible at once; on SQLite, whose only writer must be free again within a moment, in slices that whoever
comes next finishes when the process is killed in between.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import Database, insert_many, metadata, one_of, refresh_statistics
from content.database.identity import new_salt
from content.register.registration import Sealed
from content.register.staged_moves import move_staged
from content.register.states import ImportState
from content.register.subscribers import address, preference, subscriber

# Rows that are staged in one transaction, and that SQLite moves in one.
SLICE = 2000
# A resident may register in the very moment in which an import decides that the address is new.
TRIES = 3
ABANDONED_AFTER = DAY

registration_import = Table(
    "registration_import",
    metadata,
    # Random: SQLite would give the number of one that was overtaken to the one that overtook it.
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("begun_at", BigInteger, nullable=False),
    Column("staged", Integer, nullable=False, server_default="0"),
    # What became of them: new registrations, and addresses that were known.
    Column("registered", Integer, nullable=False, server_default="0"),
    Column("known", Integer, nullable=False, server_default="0"),
    CheckConstraint(one_of("state", ImportState), name="state"),
)

staged_registration = Table(
    "staged_registration",
    metadata,
    Column(
        "import_id", BigInteger, ForeignKey("registration_import.id"), primary_key=True, autoincrement=False
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("lookup", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    # [[kind, value], …] as in `preference`.
    Column("choices", Text, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("salt", BigInteger, nullable=False),
    # Of the registration that it becomes; none when the address is known.
    Column("subscriber_id", BigInteger),
)


class ImportOvertaken(Exception):
    """Another import began meanwhile; nothing of this one came in."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`already` were registered before and keep what they chose themselves."""

    new: int
    already: int


async def import_registrations(
    database: Database,
    items: Sequence[Sealed],
    progress: Callable[[int], None],
    *,
    at: int,
    reason: str = "import",
    when_decided: Callable[[AsyncConnection], Awaitable[None]] | None = None,
) -> Imported:
    """Insert those whose address is unknown. `when_decided` runs in the transaction of the mark.

    Raises ImportOvertaken; then nothing came in.
    """
    await finish_decided(database)
    async with database.write() as connection:
        import_id = await begin(connection, reason=reason, at=at)
    for start in range(0, len(items), SLICE):
        rows = staged_rows(import_id, start, items[start : start + SLICE])
        async with database.write() as connection:
            await stage(connection, import_id, rows)
        progress(len(rows))
    await _retried(lambda: _decide(database, import_id, when_decided))
    await finish_decided(database)
    async with database.read() as connection:
        done = (
            await connection.execute(
                select(registration_import.c.registered, registration_import.c.known).where(
                    registration_import.c.id == import_id
                )
            )
        ).one()
    async with database.write() as connection:
        await refresh_statistics(connection, subscriber, preference, address)
    return Imported(new=done.registered, already=done.known)


async def finish_decided(database: Database) -> None:
    """Move what a killed process had decided and not moved any more."""
    while True:
        async with database.read() as connection:
            decided = await connection.scalar(
                select(registration_import.c.id).where(registration_import.c.state == ImportState.DECIDED)
            )
        if decided is None:
            return
        async with database.write() as connection:
            await move_slice(connection, decided)


async def begin(connection: AsyncConnection, *, reason: str, at: int) -> int:
    """The id of a new import. What others had staged and not decided is forgotten."""
    await forget_abandoned(connection, before=at + 1)
    import_id = new_salt()
    await connection.execute(
        insert(registration_import).values(
            id=import_id, state=ImportState.STAGING, reason=reason, begun_at=at
        )
    )
    return import_id


async def forget_abandoned(connection: AsyncConnection, *, before: int) -> None:
    """Imports that are over, and those that began before this moment and were never decided."""
    over = select(registration_import.c.id).where(
        registration_import.c.state != ImportState.DECIDED, registration_import.c.begun_at < before
    )
    await connection.execute(delete(staged_registration).where(staged_registration.c.import_id.in_(over)))
    await connection.execute(delete(registration_import).where(registration_import.c.id.in_(over)))


def staged_rows(import_id: int, start: int, items: Sequence[Sealed]) -> list[dict[str, Any]]:
    """Rows of `staged_registration`: work to do before a transaction begins."""
    return [
        {
            "import_id": import_id,
            "number": number,
            "account": item.registration.account,
            "lookup": item.lookup,
            "sealed": item.sealed,
            "language": item.registration.preferences.language,
            "choices": json.dumps(item.registration.preferences.choices()),
            "joined_at": item.registration.registered_at,
            "salt": new_salt(),
        }
        for number, item in enumerate(items, start)
    ]


async def stage(connection: AsyncConnection, import_id: int, rows: Sequence[dict[str, Any]]) -> None:
    """Raises ImportOvertaken."""
    changed = await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id, registration_import.c.state == ImportState.STAGING)
        .values(staged=registration_import.c.staged + len(rows))
    )
    if not changed.rowcount:
        raise ImportOvertaken
    await insert_many(connection, staged_registration, rows)


async def decide(connection: AsyncConnection, import_id: int) -> None:
    """The mark: all that was staged comes in. Raises ImportOvertaken."""
    changed = await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id, registration_import.c.state == ImportState.STAGING)
        .values(state=ImportState.DECIDED)
    )
    if not changed.rowcount:
        raise ImportOvertaken


async def move_slice(connection: AsyncConnection, import_id: int) -> bool:
    """Move the next rows of a decided import into the register; False when none was left."""
    # Whoever moves holds the row of the import.
    open_still = await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id, registration_import.c.state == ImportState.DECIDED)
        .values(known=registration_import.c.known)
    )
    if not open_still.rowcount:
        return False
    numbers = select(staged_registration.c.number).where(staged_registration.c.import_id == import_id)
    if connection.dialect.name == "sqlite":
        numbers = numbers.order_by(staged_registration.c.number).limit(SLICE)
    last = await connection.scalar(select(func.max(numbers.subquery().c.number)))
    if last is None:
        await connection.execute(
            update(registration_import)
            .where(registration_import.c.id == import_id)
            .values(state=ImportState.APPLIED)
        )
        return False
    fresh, moved = await move_staged(connection, import_id, last)
    await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id)
        .values(
            registered=registration_import.c.registered + fresh,
            known=registration_import.c.known + moved - fresh,
        )
    )
    return True


async def _decide(
    database: Database, import_id: int, when_decided: Callable[[AsyncConnection], Awaitable[None]] | None
) -> None:
    async with database.write() as connection:
        await decide(connection, import_id)
        if when_decided is not None:
            await when_decided(connection)
        if not database.is_sqlite:
            await refresh_statistics(connection, staged_registration)
            await move_slice(connection, import_id)


async def _retried(work: Callable[[], Awaitable[None]]) -> None:
    for left in reversed(range(TRIES)):
        try:
            return await work()
        except IntegrityError:
            if not left:
                raise
