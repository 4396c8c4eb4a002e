"""The addresses of subscribers: opened for a batch that goes out, or asked for by their keyed hashes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import repeat
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    LargeBinary,
    Select,
    and_,
    exists,
    func,
    literal,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, all_rows, among, as_list, as_one_row, hexadecimal
from content.keys import BOUND, Keys
from content.register import trial_addresses
from content.register.bounces import suppressed_among, suppression
from content.register.states import SubscriberState
from content.register.subscribers import address, seal_place, subscriber

# Seals that are renewed in one transaction.
SLICE = 1000


@dataclass(frozen=True, slots=True)
class Opened:
    """(address, salt of the registration) by subscriber; `unreadable` have a seal that does not open in its place.

    `suppressed` get no mail, for what went to them came back.
    """

    clear: dict[int, tuple[str, int]] = field(repr=False)
    unreadable: frozenset[int] = frozenset()
    suppressed: frozenset[int] = frozenset()


def open_addresses(
    connection: Connection,
    keys: Keys,
    account: str,
    subscriber_ids: Sequence[int],
    *,
    with_left: bool = False,
) -> Opened:
    """Addresses in clear, with the salts of their registrations, of those among the ids that are active now.

    All are of this account. `with_left` also of those who left or are suppressed, and without salts: these are for
    links in mails.
    Whoever was erased has none, and a trial address (content.register.trial_addresses) no salt: no link of a trial
    ends a registration. Raises KeyFileError when a key is missing.
    """
    registered = _open_registered(connection, keys, account, subscriber_ids, with_left)
    if len(registered.clear) == len(subscriber_ids):
        return registered
    # Batches of residents and of staff are opened side by side.
    of_staff = _open_trial(connection, keys, account, subscriber_ids)
    return Opened(
        registered.clear | of_staff.clear,
        registered.unreadable | of_staff.unreadable,
        frozenset() if with_left else suppressed_among(connection, subscriber_ids),
    )


def _open_registered(
    connection: Connection, keys: Keys, account: str, subscriber_ids: Sequence[int], with_left: bool
) -> Opened:
    dialect = connection.dialect.name
    values = {"ids": as_list(dialect, subscriber_ids)}
    rows = all_rows(connection, _sealed_addresses(dialect, with_left), values)
    found = keys.open_many((bytes.fromhex(row[1]), seal_place(row[0], account)) for row in rows)
    # One column less to fetch, where nobody asks for salts: this runs for each batch of LINE.
    salts = repeat(0, len(rows)) if with_left else (row[2] for row in rows)
    clear = dict(zip((row[0] for row in rows), zip(found, salts, strict=True), strict=True))
    if None not in found:
        return Opened(clear)
    closed = {row[0]: row[1] for row, plain in zip(rows, found, strict=True) if plain is None}
    # Of somebody who left before joining nothing was ever sealed.
    unreadable = frozenset(one for one, sealed in closed.items() if sealed)
    return Opened({one: known for one, known in clear.items() if one not in closed}, unreadable)


def _open_trial(connection: Connection, keys: Keys, account: str, numbers: Sequence[int]) -> Opened:
    rows = trial_addresses.sealed_among(connection, account, numbers)
    opened = keys.open_many((sealed, place) for _, sealed, place in rows)
    clear = {row[0]: (plain, 0) for row, plain in zip(rows, opened, strict=True) if plain is not None}
    return Opened(clear, frozenset(row[0] for row in rows) - clear.keys())


# Asked for every batch, and to compose it costs as much as to run it.
@cache
def _sealed_addresses(dialect: str, with_left: bool) -> Select[Any]:
    columns = (address.c.subscriber_id, hexadecimal(dialect, address.c.sealed))
    chosen = among(dialect, address.c.subscriber_id, "ids")
    if with_left:
        return as_one_row(dialect, select(*columns).where(chosen))
    active = select(*columns, subscriber.c.salt).join(subscriber, subscriber.c.id == address.c.subscriber_id)
    gets_mail = ~exists().where(suppression.c.subscriber_id == address.c.subscriber_id)
    return as_one_row(dialect, active.where(chosen, subscriber.c.state == SubscriberState.ACTIVE, gets_mail))


async def any_sealed_address(connection: AsyncConnection) -> tuple[bytes, str] | None:
    """One sealed address and its place, to see whether a key opens it; None while there is none."""
    sealed = (
        select(address.c.sealed, address.c.subscriber_id, address.c.account)
        .where(func.length(address.c.sealed) > 0)
        .limit(1)
    )
    found = (await connection.execute(sealed)).one_or_none()
    return None if found is None else (bytes(found.sealed), seal_place(found.subscriber_id, found.account))


async def bind_seals(database: Database, keys: Keys) -> int:
    """Seal anew, for their rows, the addresses that an earlier version sealed for none; how many there were."""
    bound = after = 0
    while True:
        async with database.read() as connection:
            rows = (
                await connection.execute(
                    select(address)
                    .where(address.c.subscriber_id > after, _is_unbound(connection.dialect.name))
                    .order_by(address.c.subscriber_id)
                    .limit(SLICE)
                )
            ).all()
        if not rows:
            return bound
        sealed_anew = [(row, _bound(keys, row)) for row in rows]
        async with database.write() as connection:
            for row, sealed in sealed_anew:
                # Whoever wrote it meanwhile has bound it.
                same = (address.c.subscriber_id == row.subscriber_id, address.c.sealed == row.sealed)
                await connection.execute(update(address).where(*same).values(sealed=sealed))
        bound, after = bound + len(rows), rows[-1].subscriber_id


def _is_unbound(dialect: str) -> ColumnElement[bool]:
    first = (
        func.substr(address.c.sealed, 1, 1) if dialect == "sqlite" else func.substring(address.c.sealed, 1, 1)
    )
    return and_(func.length(address.c.sealed) > 0, first != literal(bytes([BOUND]), LargeBinary))


def _bound(keys: Keys, row: Any) -> bytes:
    place = seal_place(row.subscriber_id, row.account)
    return keys.seal(keys.open(row.sealed, place), place)
