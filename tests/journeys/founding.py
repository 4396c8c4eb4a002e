"""A town as `kairanban init` and `subscribers import` leave it, without a process: either is a second of a processor."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Coroutine, Iterable, Mapping
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

from argon2 import PasswordHasher

from bot.belonging import bind, bind_within
from content.clock import now_ms
from content.database import Database
from content.key_file import create_key_file
from content.keys import load_keys
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from content.schema import upgrade
from content.staff import member_changes
from content.staff.passwords import PasswordHash
from content.town import load_town
from tests.conftest import migrated_file
from tests.factories import APRIL_TUESDAY

CHOSEN = Preferences(categories=frozenset({"saigai"}), areas=frozenset({"funaoka"}))

# Migrations know one database at a time; stories may run side by side.
_one_at_a_time = Lock()


async def found(environment: Mapping[str, str], password: str) -> None:
    """Key, schema and the first administrator, by the settings of a process."""
    await _apart(_found(environment, password))


async def register(environment: Mapping[str, str], line: Iterable[str], mail: Iterable[str]) -> None:
    """Addresses that chose 災害 in 船岡."""
    people = [
        Registration(channel, channel, address, CHOSEN, APRIL_TUESDAY)
        for channel, addresses in (("line", line), ("mail", mail))
        for address in addresses
    ]
    await _apart(_register(environment, people))


async def _apart(work: Coroutine[Any, Any, None]) -> None:
    """In a thread, so that whoever else is in this loop goes on."""

    def alone() -> None:
        with _one_at_a_time:
            asyncio.run(work)

    await asyncio.to_thread(alone)


async def _found(environment: Mapping[str, str], password: str) -> None:
    key_file = Path(environment["KAIRANBAN_SECRET_KEY_FILE"])
    create_key_file(key_file)
    town = load_town(Path(environment["KAIRANBAN_TOWN"]))
    database = Database(environment["KAIRANBAN_DATABASE_URL"])
    if database.is_sqlite:
        shutil.copyfile(migrated_file(), database.path)
        database.path.chmod(0o600)
    try:
        await upgrade(database, then=partial(bind_within, town=town, keys=load_keys(key_file)))
        # At its full cost, whatever tests of this process do: how long a process needs for it is measured.
        password_hash = PasswordHash(PasswordHasher().hash(password))
        async with database.write() as connection:
            await member_changes.add(
                connection, login="admin", password_hash=password_hash, role="administrator", at=now_ms()
            )
    finally:
        await database.close()


async def _register(environment: Mapping[str, str], people: list[Registration]) -> None:
    keys = load_keys(Path(environment["KAIRANBAN_SECRET_KEY_FILE"]))
    town = load_town(Path(environment["KAIRANBAN_TOWN"]))
    database = Database(environment["KAIRANBAN_DATABASE_URL"])
    try:
        own_keys = await bind(database, town, keys)
        async with database.write() as connection:
            await register_many(connection, own_keys, people, reason="import")
    finally:
        await database.close()
