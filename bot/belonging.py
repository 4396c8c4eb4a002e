"""Whether a database belongs to this town and this key: asked before anything is read from it or written to it."""

from __future__ import annotations

from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Database, identity
from content.database.identity import Identity, WrongDatabase
from content.database.secret_keys import read_ring
from content.key_file import KeyFileError
from content.keys import Keys
from content.register.address_book import any_sealed_address
from content.town import Town

WRONG_KEY = (
    "the secret key file does not belong to this database, nothing was changed: point "
    "KAIRANBAN_SECRET_KEY_FILE to the file that was made with it, or bring that file back from its backup. For a copy "
    "from before a key was retired that is the file of then"
)


async def bind(database: Database, town: Town, keys: Keys) -> Keys:
    """The keys for this database; one that is still unbound becomes this town's.

    Raises WrongDatabase or KeyFileError, with the remedy.
    """
    async with database.read() as connection:
        found = await identity.read(connection)
    if found is None or not found.town:
        async with database.write() as connection:
            found = await bind_within(connection, town, keys)
    refuse_strange(found, town, keys)
    return await bound_keys(database, keys, found)


async def bound_keys(database: Database, keys: Keys, own: Identity) -> Keys:
    """The keys for a database that is ours, with those of single purposes that lie in it. Raises KeyFileError."""
    bound = keys.bound_to(own.identity)
    async with database.read() as connection:
        bound.renew(keys.roots, await read_ring(connection, bound), database.now())
    return bound


async def bind_within(connection: AsyncConnection, town: Town, keys: Keys) -> Identity:
    """The same inside a transaction of the caller, which is given up when the database is another's."""
    before = await identity.read(connection)
    sealed = await any_sealed_address(connection) if before is None or not before.town else None
    if sealed is not None:
        _prove(keys, *sealed)
    found = await identity.bind(connection, town=town.code, key_check=keys.check)
    refuse_strange(found, town, keys)
    return found


def refuse_strange(found: Identity, town: Town, keys: Keys) -> None:
    """Raises WrongDatabase or KeyFileError."""
    if not keys.holds(found.key_check):
        raise KeyFileError(WRONG_KEY)
    if found.town != town.code:
        raise WrongDatabase(
            f"this database belongs to the town with the code {found.town}, the profile is that of {town.name} "
            f"({town.code}), nothing was changed: check KAIRANBAN_TOWN and KAIRANBAN_DATABASE_URL"
        )


def _prove(keys: Keys, sealed: bytes, place: str) -> None:
    # A database from before key checks: what it holds already tells whose it is.
    try:
        keys.open(sealed, place)
    except KeyFileError as error:
        raise KeyFileError(WRONG_KEY) from error
