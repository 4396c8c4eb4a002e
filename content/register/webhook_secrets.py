"""A webhook changes its secret by being imported again: same URL, same registration, another secret."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register.registration import Registration
from content.register.subscribers import address, find, seal_place


async def renew_secrets(
    connection: AsyncConnection, keys: Keys, registrations: Sequence[Registration]
) -> int:
    """Give known webhooks the secrets that the file says; how many changed. Nothing else of them does."""
    changed = 0
    for item in registrations:
        if item.channel != "webhook":
            continue
        known = await find(connection, keys, item.account, item.channel, item.address)
        changed += known is not None and await _renew(connection, keys, known, item)
    return changed


async def _renew(connection: AsyncConnection, keys: Keys, known: int, item: Registration) -> bool:
    place = seal_place(known, item.account)
    sealed = await connection.scalar(select(address.c.sealed).where(address.c.subscriber_id == known))
    # One that does not open is replaced as well: that is the remedy for it.
    if sealed and keys.open_many([(sealed, place)]) == [item.address]:
        return False
    await connection.execute(
        update(address).where(address.c.subscriber_id == known).values(sealed=keys.seal(item.address, place))
    )
    return True
