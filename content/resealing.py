"""Every seal of one key made anew with the key in force, a few rows at a time, while the service goes on.

A seal names its key, so nothing has to be remembered: cut off, it finds what is left. Addresses move to their new look-ups
in the same statement.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    Column,
    ColumnElement,
    LargeBinary,
    Row,
    Table,
    and_,
    delete,
    func,
    literal,
    or_,
    select,
    tuple_,
    update,
)
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database
from content.database.secret_keys import purpose_key
from content.database.secret_keys import seal_place as purpose_place
from content.keys import BOUND, Keys, SealMisplaced
from content.register import children, inbound_events, mail_requests, subscribers, trial_addresses
from content.register.addresses import lookup_part
from content.register.staging import staged_registration
from content.register.subscribers import address, child_word
from content.register.trial_requests import trial_request
from content.staff import second_factor

# Rows of one transaction: some hundredths of a second.
SLICE = 200
# After each, as a part of the time that it took: others want to write too.
PAUSE = 1.0

Place = Callable[[Row[Any]], str]
# The look-up of what was opened, with the key in force.
Lookup = Callable[[Keys, Row[Any], str], bytes]


@dataclass(frozen=True, slots=True)
class Sealed:
    """A column of seals: for which place each is, and the look-up that goes with it."""

    column: Column[bytes]
    place: Place
    lookup: Lookup | None = None

    @property
    def table(self) -> Table:
        return self.column.table


@dataclass(slots=True)
class Resealed:
    """Rows of one slice: made anew, not to be opened by any key, and addresses that are registered twice."""

    done: int = 0
    unreadable: int = 0
    doubles: int = 0


def _address_lookup(keys: Keys, row: Row[Any], plain: str) -> bytes:
    # The row does not say its channel. Only a webhook's look-up is not that of the whole, and only it is an address of the web.
    return keys.lookup(row.account, lookup_part("webhook" if "://" in plain else "", plain))


SEALED = (
    Sealed(purpose_key.c.sealed, lambda row: purpose_place(row.purpose, row.generation)),
    Sealed(
        address.c.sealed,
        lambda row: subscribers.seal_place(row.subscriber_id, row.account),
        _address_lookup,
    ),
    Sealed(child_word.c.sealed, lambda row: children.seal_place(row.subscriber_id, row.birth_month)),
    Sealed(
        mail_requests.mail_request.c.sealed,
        lambda row: mail_requests.seal_place(row.id),
        lambda keys, row, plain: keys.lookup(row.account, plain),
    ),
    Sealed(
        trial_addresses.trial_address.c.sealed,
        lambda row: trial_addresses.seal_place(row.id, row.account),
        lambda keys, row, plain: trial_addresses.lookups_of(keys, row.account, row.channel, plain)[0],
    ),
    Sealed(inbound_events.inbound_event.c.sealed, lambda row: inbound_events.seal_place(row.id)),
    Sealed(second_factor.staff_totp.c.sealed_secret, lambda row: second_factor.seal_place(row.staff_id)),
)
# What only a code opens that nobody keeps; whoever holds one asks again.
NOT_RESEALED = (trial_request,)
# No import is under way while keys change.
NOT_THERE = (staged_registration,)


async def count_sealed(connection: AsyncConnection, number: int) -> int:
    """How many seals of this key there are, of those that can be made anew."""
    return sum([await _count(connection, item.column, number) for item in SEALED])


async def reseal(database: Database, keys: Keys, number: int) -> AsyncIterator[Resealed]:
    """All seals of this key that there are now, slice by slice."""
    for item in SEALED:
        after: tuple[Any, ...] | None = None
        while True:
            begun = time.monotonic()
            async with database.read() as connection:
                rows = await _rows(connection, item, number, after)
            if not rows:
                break
            yield await _renew(database, keys, item, rows)
            after = tuple(rows[-1]._mapping[column] for column in item.table.primary_key)
            await asyncio.sleep(PAUSE * (time.monotonic() - begun))


async def forget_codes(connection: AsyncConnection, number: int) -> None:
    """Requests that only their code opens, sealed with this key."""
    for table in NOT_RESEALED:
        await connection.execute(
            delete(table).where(_sealed_with(connection.dialect.name, table.c.sealed, number))
        )


async def _rows(
    connection: AsyncConnection, item: Sealed, number: int, after: tuple[Any, ...] | None
) -> Sequence[Row[Any]]:
    key = list(item.table.primary_key)
    chosen = select(item.table).where(_sealed_with(connection.dialect.name, item.column, number))
    if after is not None:
        chosen = chosen.where(
            key[0] > after[0] if len(key) == 1 else tuple_(*key) > tuple_(*map(literal, after))
        )
    return (await connection.execute(chosen.order_by(*key).limit(SLICE))).all()


async def _renew(database: Database, keys: Keys, item: Sealed, rows: Sequence[Row[Any]]) -> Resealed:
    result = Resealed()
    changes = []
    for row in rows:
        sealed, place = bytes(row._mapping[item.column]), item.place(row)
        try:
            plain = keys.open(sealed, place)
        except SealMisplaced:
            # It stays unreadable, and must not look as if the retired key were to blame.
            changes.append((row, {item.column.name: bytes([BOUND, keys.sealing]) + sealed[2:]}))
            result.unreadable += 1
            continue
        values = {item.column.name: keys.seal(plain, place)}
        if item.lookup is not None:
            values["lookup"] = item.lookup(keys, row, plain)
        changes.append((row, values))
        result.done += 1
    try:
        async with database.write() as connection:
            for row, values in changes:
                await _write(connection, item, row, values)
    except IntegrityError:
        result.doubles = await _write_one_by_one(database, item, changes)
    return result


async def _write_one_by_one(
    database: Database, item: Sealed, changes: Sequence[tuple[Row[Any], dict[str, bytes]]]
) -> int:
    """An address that was registered twice in the moment of the change keeps its look-up; how many there are."""
    doubles = 0
    for row, values in changes:
        try:
            async with database.write() as connection:
                await _write(connection, item, row, values)
        except IntegrityError:
            doubles += 1
            async with database.write() as connection:
                await _write(connection, item, row, {item.column.name: values[item.column.name]})
    return doubles


async def _write(connection: AsyncConnection, item: Sealed, row: Row[Any], values: dict[str, bytes]) -> None:
    """Unless somebody has written it meanwhile: then it is found again."""
    same = [column == row._mapping[column] for column in (*item.table.primary_key, item.column)]
    await connection.execute(update(item.table).where(and_(*same)).values(values))


async def _count(connection: AsyncConnection, column: Column[bytes], number: int) -> int:
    chosen = select(func.count()).where(_sealed_with(connection.dialect.name, column, number))
    return int(await connection.scalar(chosen) or 0)


def _sealed_with(dialect: str, column: ColumnElement[bytes], number: int) -> ColumnElement[bool]:
    """Also those of before that are bound to no place, which begin with the number itself."""

    def begins_with(*beginning: int) -> ColumnElement[bool]:
        part = func.substr if dialect == "sqlite" else func.substring
        return part(column, 1, len(beginning)) == literal(bytes(beginning), LargeBinary)

    return or_(begins_with(BOUND, number), begins_with(number))
