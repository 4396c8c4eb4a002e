"""Copies of a town at random moments of a send: restored in its place, or cloned and running beside it.

The copy never sends by itself what the original has sent or will send: everybody gets every mail once.
"""

from __future__ import annotations

import asyncio
import random
import shutil
from pathlib import Path

import pytest

from content.database.files import copy_sqlite
from tests.bot.test_belonging import made
from tests.faults.copied_towns import LONG_ENOUGH, fill, outside, start

TRIALS, SIDE_BY_SIDE = 12, 6
# From before its planning to behind its end.
LASTS = 1.2

pytestmark = [pytest.mark.faults, pytest.mark.slow]


def url_of(folder: Path) -> str:
    return f"sqlite:///{folder}/kairanban.db"


async def trial(folder: Path, number: int, *, clone: bool) -> None:
    shutil.copytree(folder.parent / "prepared", folder)
    async with outside() as world:
        original = await start(world.settings(folder, url_of(folder)))
        try:
            notice_id = await original.post()
            # Spread over the send, each within a stretch of its own.
            await asyncio.sleep((number + random.random()) / TRIALS * LASTS)
            copy = folder.with_name(f"{folder.name}-copy")
            copy.mkdir()
            await asyncio.to_thread(copy_sqlite, folder / "kairanban.db", copy / "kairanban.db")
            if clone:
                for path in (folder / "secret.key", *folder.glob("heartbeat-*.json")):
                    shutil.copy2(path, copy)
                second = await start(world.settings(copy, url_of(copy)))
                await original.finished(notice_id)
            else:
                await original.finished(notice_id)
                await original.die()
                for path in folder.glob("kairanban.db*"):
                    path.unlink()
                shutil.copyfile(copy / "kairanban.db", folder / "kairanban.db")
                second = await start(world.settings(folder, url_of(folder)))
            await asyncio.sleep(LONG_ENOUGH)
            await second.die()
            world.everybody_got_it_once(number)
        finally:
            if clone:
                await original.die()


@pytest.mark.parametrize("clone", [False, True], ids=["restored", "cloned"])
async def test_a_copy_never_sends_by_itself_what_the_original_sends(tmp_path: Path, clone: bool) -> None:
    prepared = tmp_path / "prepared"
    prepared.mkdir()
    await fill(await made(prepared))
    for first in range(0, TRIALS, SIDE_BY_SIDE):
        numbers = range(first, first + SIDE_BY_SIDE)
        await asyncio.gather(*(trial(tmp_path / str(number), number, clone=clone) for number in numbers))
