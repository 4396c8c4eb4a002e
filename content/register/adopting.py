"""Friends that an account had before anybody registered: taken in as registrations that have chosen nothing yet."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import addresses
from content.register.registration import Registration, register_many
from content.register.states import Route
from content.register.subscribers import Preferences, address

REASON = "adopted"


async def adopt(
    connection: AsyncConnection,
    keys: Keys,
    *,
    account: str,
    channel: str,
    plain: Sequence[str],
    preferences: Preferences,
    at: int,
) -> list[str]:
    """Register those of these addresses that are unknown, and return them. Whoever is known stays as she is: who has
    left is not brought back, for a list does not say when it was true. Raises BadAddress."""
    wanted: dict[tuple[bytes, ...], str] = {}
    for item in plain:
        normal = addresses.normalise(channel, item)
        wanted[keys.lookups(account, addresses.lookup_part(channel, normal))] = normal
    known = set(
        await connection.scalars(
            select(address.c.lookup).where(
                address.c.account == account, address.c.lookup.in_(list(chain.from_iterable(wanted)))
            )
        )
    )
    new = [
        Registration(channel, account, normal, preferences, at)
        for lookups, normal in wanted.items()
        if known.isdisjoint(lookups)
    ]
    await register_many(connection, keys, new, reason=REASON, route=Route.SERVICE)
    return [item.address for item in new]
