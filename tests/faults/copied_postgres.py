"""Copies of a town on PostgreSQL, made by PostgreSQL's own means, each with a process of its own on it.

A dump is taken while the original sends, and read back into a second database; or the database is copied as a
template in the moment after its process died, and both go on.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Literal
from uuid import uuid4

from pydantic import SecretStr
from sqlalchemy.engine import make_url

from bot.belonging import bind
from bot.commands.postgres_tools import run_postgres_tool
from bot.heartbeat import MOVED, OLDER
from bot.settings import Settings
from content import schema
from content.database import Database
from content.key_file import create_key_file
from content.keys import load_keys
from content.town import load_town
from tests.factories import SHIBATA
from tests.faults.copied_towns import LONG_ENOUGH, Outside, Running, fill, outside, start
from tests.faults.own_postgres import empty_database
from tests.services import POSTGRES, on_postgres

Way = Literal["dump", "template"]
WAYS: tuple[Way, ...] = ("dump", "template")
# A server has a hundred connections as a rule, and each process of a trial some of them.
SIDE_BY_SIDE = 2


def name_of(url: str) -> str:
    return str(make_url(url).database)


@asynccontextmanager
async def prepared_town(folder: Path) -> AsyncIterator[str]:
    """The URL of a town that was never served; its key lies in the folder."""
    async with empty_database() as url:
        key = folder / "secret.key"
        create_key_file(key)
        database = Database(url)
        await schema.upgrade(database)
        await bind(database, load_town(SHIBATA), load_keys(key))
        await database.close()
        await fill(Settings(town=SHIBATA, secret_key_file=key, database_url=SecretStr(url)))
        yield url


@asynccontextmanager
async def copy_by_template(url: str) -> AsyncIterator[str]:
    """`createdb -T`: nobody may be connected to the database meanwhile."""
    name = f"kairanban_copy_{uuid4().hex[:12]}"
    await on_postgres(f"CREATE DATABASE {name} TEMPLATE {name_of(url)}")
    try:
        yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    finally:
        await on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


async def trial(folder: Path, prepared: str, seed: int, way: Way) -> None:
    """Everybody gets the notice once, and the copy says why it sends nothing."""
    chance = random.Random(seed)
    with_file = chance.random() < 0.5
    home, elsewhere = folder / "home", folder / "copy"
    for place in (home, elsewhere):
        place.mkdir(parents=True)
        shutil.copy2(folder.parent / "secret.key", place)
    async with outside() as world, copy_by_template(prepared) as url:
        original = await start(world.settings(home, url))
        try:
            notice_id = await original.post()
            await asyncio.sleep(chance.uniform(0, 1.2))
            if way == "dump":
                async with empty_database() as copy:
                    await dump_and_read_back(url, copy, folder / "town.dump")
                    await _beside(world, original, notice_id, elsewhere, copy, with_file=with_file)
            else:
                await original.die()
                async with copy_by_template(url) as copy:
                    original = await start(world.settings(home, url))
                    await _beside(world, original, notice_id, elsewhere, copy, with_file=with_file)
        finally:
            await original.die()
        world.everybody_got_it_once(seed)


async def dump_and_read_back(url: str, copy: str, file: Path) -> None:
    await run_postgres_tool("pg_dump", make_url(url), "--format=custom", "--file", str(file))
    await run_postgres_tool("pg_restore", make_url(copy), "--no-owner", str(file))


async def _beside(
    world: Outside, original: Running, notice_id: int, folder: Path, copy: str, *, with_file: bool
) -> None:
    """`with_file`: with the file beside the original's key, as somebody copies who takes the whole folder."""
    for pulse in (
        original.service.settings.secret_key_file.parent.glob("heartbeat-*.json") if with_file else ()
    ):
        shutil.copy2(pulse, folder)
    second = await start(world.settings(folder, copy))
    try:
        await original.finished(notice_id)
        await asyncio.sleep(LONG_ENOUGH)
        assert await second.held_reason() in ((MOVED, OLDER) if with_file else (MOVED,))
        assert await original.held_reason() == ""
    finally:
        await second.die()


async def trials(folder: Path, number: int, seed: int) -> None:
    """So many, half by each way, a few at a time."""
    async with prepared_town(folder) as prepared:
        for first in range(0, number, SIDE_BY_SIDE):
            some = range(first, min(number, first + SIDE_BY_SIDE))
            await asyncio.gather(
                *(trial(folder / str(one), prepared, seed + one, WAYS[one % len(WAYS)]) for one in some)
            )
