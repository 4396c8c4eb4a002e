"""The addresses of subscribers: opened for a batch that goes out, or asked for by their keyed hashes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from itertools import repeat
from typing import Any

from sqlalchemy import Connection, Select, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import all_rows, among, as_list, as_one_row, hexadecimal
from content.keys import Keys
from content.register.states import SubscriberState
from content.register.subscribers import address, subscriber


def open_addresses(
    connection: Connection, keys: Keys, subscriber_ids: Sequence[int], *, with_left: bool = False
) -> dict[int, tuple[str, int]]:
    """Addresses in clear, with the salts of their registrations, of those among the ids that are active now.

    `with_left` also of those who left, and without salts: these are for links in mails.

    Whoever was erased has none.
    """
    dialect = connection.dialect.name
    values = {"ids": as_list(dialect, subscriber_ids)}
    rows = all_rows(connection, _sealed_addresses(dialect, with_left), values)
    addresses = keys.open_all(bytes.fromhex(row[1]) for row in rows)
    # One column less to fetch, where nobody asks for salts: this runs for each batch of LINE.
    salts = repeat(0, len(rows)) if with_left else (row[2] for row in rows)
    return dict(zip((row[0] for row in rows), zip(addresses, salts, strict=True), strict=True))


# Asked for every batch, and to compose it costs as much as to run it.
@cache
def _sealed_addresses(dialect: str, with_left: bool) -> Select[Any]:
    columns = (address.c.subscriber_id, hexadecimal(dialect, address.c.sealed))
    chosen = among(dialect, address.c.subscriber_id, "ids")
    if with_left:
        return as_one_row(dialect, select(*columns).where(chosen))
    active = select(*columns, subscriber.c.salt).join(subscriber, subscriber.c.id == address.c.subscriber_id)
    return as_one_row(dialect, active.where(chosen, subscriber.c.state == SubscriberState.ACTIVE))


async def any_sealed_address(connection: AsyncConnection) -> bytes | None:
    """One sealed address, to see whether a key opens it; None while there is none."""
    sealed = select(address.c.sealed).where(func.length(address.c.sealed) > 0).limit(1)
    found = await connection.scalar(sealed)
    return None if found is None else bytes(found)
