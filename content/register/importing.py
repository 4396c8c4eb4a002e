"""Many registrations at once: all of them or none, without keeping the database from anybody else.

What is to come in is sealed and staged first, in slices, in a table that nobody else reads; a process that is
killed there has changed nothing. One mark then decides that all of it comes in. From there the rows move into the
register by statements inside the database: on PostgreSQL in the transaction of the mark itself; on SQLite, whose
only writer must be free again within a moment, in slices that nobody sees (`has_come_in`) until the last is there,
and that whoever comes next finishes when the process is killed in between.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import delete, func, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.database import Database, insert_many, refresh_statistics
from content.database.identity import new_salt
from content.database.secret_keys import is_changing
from content.keys import Keys
from content.register.history import erased_histories
from content.register.imports import registration_import
from content.register.registration import Registration
from content.register.registration_events import IMPORTED
from content.register.staged_moves import move_staged
from content.register.staging import Begun, staged_registration, staged_rows
from content.register.states import ImportState, SubscriberState
from content.register.subscriber_ids import range_for_import
from content.register.subscribers import address, preference, subscriber

# Rows that are staged in one transaction, and that SQLite moves in one.
SLICE = 2000
# A resident may register in the very moment in which an import decides that the address is new.
TRIES = 3
# After a slice, as a part of the time that it took.
PAUSE = 0.5
ABANDONED_AFTER = DAY


class ImportOvertaken(Exception):
    """Another import began meanwhile; nothing of this one came in."""


class KeysChanging(Exception):
    """A key is being exchanged; nothing came in."""


@dataclass(frozen=True, slots=True)
class Imported:
    """`already` were registered before and keep what they chose themselves."""

    new: int
    already: int


async def import_registrations(
    database: Database,
    keys: Keys,
    registrations: Sequence[Registration],
    progress: Callable[[int], None],
    *,
    at: int,
    reason: str = IMPORTED,
    when_decided: Callable[[AsyncConnection], Awaitable[None]] | None = None,
) -> Imported:
    """Insert those whose address is unknown. `when_decided` runs in the transaction of the mark.

    Raises ImportOvertaken and KeysChanging; then nothing came in.
    """
    registrations, erased = await _without_known_erased(database, registrations)
    async with database.write() as connection:
        begun = await begin(connection, reason=reason, at=at, number=len(registrations))
    await clear_away(database)
    for start in range(0, len(registrations), SLICE):
        rows = staged_rows(keys, begun, start, registrations[start : start + SLICE])
        await _slice(database, partial(stage, import_id=begun.id, rows=rows))
        progress(len(rows))
    await _retried(lambda: _decide(database, begun.id, when_decided))
    await finish_decided(database)
    async with database.read() as connection:
        done = (
            await connection.execute(
                select(registration_import.c.registered, registration_import.c.known).where(
                    registration_import.c.id == begun.id
                )
            )
        ).one()
    async with database.write() as connection:
        await refresh_statistics(connection, subscriber, preference, address)
    return Imported(new=done.registered, already=done.known + erased)


async def finish_decided(database: Database) -> None:
    """Move what a killed process had decided and not moved any more."""
    while True:
        async with database.read() as connection:
            decided = await _in_state(connection, ImportState.DECIDED)
        if decided is None:
            return
        await _slice(database, partial(move_slice, import_id=decided))


async def clear_away(database: Database) -> None:
    """Delete what was staged by imports that were given up, slice by slice."""
    while True:
        async with database.write() as connection:
            given_up = await _in_state(connection, ImportState.GIVEN_UP)
            if given_up is None:
                return
            numbers = select(staged_registration.c.number).where(staged_registration.c.import_id == given_up)
            gone = await connection.execute(
                delete(staged_registration).where(
                    staged_registration.c.import_id == given_up,
                    staged_registration.c.number.in_(numbers.limit(SLICE)),
                )
            )
            if not gone.rowcount:
                await connection.execute(
                    delete(registration_import).where(registration_import.c.id == given_up)
                )


async def begin(connection: AsyncConnection, *, reason: str, at: int, number: int) -> Begun:
    """A new import of so many registrations. What others had staged and not decided is given up.

    Raises KeysChanging: known addresses are told by one look-up each.
    """
    if await is_changing(connection):
        raise KeysChanging
    await give_up(connection, before=at + 1)
    first, last = await range_for_import(connection, number)
    import_id = new_salt()
    await connection.execute(
        insert(registration_import).values(
            id=import_id, state=ImportState.STAGING, reason=reason, begun_at=at, first_id=first, last_id=last
        )
    )
    return Begun(import_id, first, reason)


async def give_up(connection: AsyncConnection, *, before: int) -> None:
    """Imports that began before this moment and were never decided; those that are over are forgotten."""
    earlier = registration_import.c.begun_at < before
    await connection.execute(
        update(registration_import)
        .where(registration_import.c.state == ImportState.STAGING, earlier)
        .values(state=ImportState.GIVEN_UP)
    )
    await connection.execute(
        delete(registration_import).where(registration_import.c.state == ImportState.APPLIED, earlier)
    )


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


async def decide(connection: AsyncConnection, import_id: int) -> bool:
    """The mark: all that was staged comes in. False while another is on its way. Raises ImportOvertaken."""
    if await _in_state(connection, ImportState.DECIDED) is not None:
        return False
    changed = await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id, registration_import.c.state == ImportState.STAGING)
        .values(state=ImportState.DECIDED)
    )
    if not changed.rowcount:
        raise ImportOvertaken
    return True


async def move_slice(connection: AsyncConnection, import_id: int) -> None:
    """Move the next rows of a decided import into the register; with the last of them it can be seen."""
    # Whoever moves holds the row of the import.
    open_still = await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id, registration_import.c.state == ImportState.DECIDED)
        .values(known=registration_import.c.known)
    )
    if not open_still.rowcount:
        return
    numbers = select(staged_registration.c.number).where(staged_registration.c.import_id == import_id)
    part = numbers
    if connection.dialect.name == "sqlite":
        part = numbers.order_by(staged_registration.c.number).limit(SLICE)
    last = await connection.scalar(select(func.max(part.subquery().c.number)))
    fresh, known = (0, 0) if last is None else await move_staged(connection, import_id, last)
    left = await connection.scalar(numbers.limit(1))
    await connection.execute(
        update(registration_import)
        .where(registration_import.c.id == import_id)
        .values(
            registered=registration_import.c.registered + fresh,
            known=registration_import.c.known + known,
            state=ImportState.APPLIED if left is None else ImportState.DECIDED,
        )
    )


async def _without_known_erased(
    database: Database, registrations: Sequence[Registration]
) -> tuple[Sequence[Registration], int]:
    """Those that are not here yet, and how many bare numbers are: they have no address to be known by."""
    accounts = {item.account for item in registrations if item.state == SubscriberState.ERASED}
    if not accounts:
        return registrations, 0
    async with database.read() as connection:
        known = await erased_histories(connection, accounts)
    fresh = [
        item
        for item in registrations
        if item.state != SubscriberState.ERASED or (item.account, item.history) not in known
    ]
    return fresh, len(registrations) - len(fresh)


async def _decide(
    database: Database, import_id: int, when_decided: Callable[[AsyncConnection], Awaitable[None]] | None
) -> None:
    while True:
        await finish_decided(database)
        async with database.write() as connection:
            if not await decide(connection, import_id):
                continue
            if when_decided is not None:
                await when_decided(connection)
            if not database.is_sqlite:
                await refresh_statistics(connection, staged_registration)
                await move_slice(connection, import_id)
            return


async def _slice(database: Database, work: Callable[[AsyncConnection], Awaitable[None]]) -> None:
    begun = time.monotonic()
    async with database.write() as connection:
        await work(connection)
    if database.is_sqlite:
        # Other processes ask for the lock every tenth of a second: it must be free for a good part of the time.
        await asyncio.sleep(PAUSE * (time.monotonic() - begun))


async def _in_state(connection: AsyncConnection, state: ImportState) -> int | None:
    found = await connection.scalar(
        select(registration_import.c.id).where(registration_import.c.state == state).limit(1)
    )
    return None if found is None else int(found)


async def _retried(work: Callable[[], Awaitable[None]]) -> None:
    for left in reversed(range(TRIES)):
        try:
            return await work()
        except IntegrityError:
            if not left:
                raise
