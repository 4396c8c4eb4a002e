"""PostgreSQL has no space left while residents write: LINE is told to send again, and no event is lost."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from sqlalchemy.exc import DBAPIError
from structlog.testing import capture_logs

from bot.line.handling import handle_waiting
from content.database import Database, is_infrastructure
from content.register.inbound_events import GIVE_UP_AFTER
from content.schema import upgrade
from tests.bot.line.conftest import MakeVillage
from tests.bot.line.village import Json, Village, follow
from tests.faults.own_postgres import own_server
from tests.faults.small_disk import fill_up, mount_small
from tests.journeys.deployment import line_id

pytestmark = [pytest.mark.slow, pytest.mark.faults, pytest.mark.services]

SOME = 300
# So many do not fit into what pages that are there have left.
MOST = 60


@asynccontextmanager
async def database_on_a_small_disk() -> AsyncIterator[tuple[Database, Path]]:
    """And the file that fills the disk."""
    place = Path(tempfile.mkdtemp(prefix="kairanban-small-"))
    if not mount_small(place):
        place.rmdir()
        pytest.skip("a small disk for PostgreSQL is mounted by root alone")
    tables = place / "tables"
    tables.mkdir()
    place.chmod(0o755)
    try:
        async with own_server() as server:
            database = Database(await server.tablespace(tables, "small"))
            await upgrade(database)
            yield database, place / "ballast"
            await database.close()
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)
        shutil.rmtree(place)


def joining(start: int) -> list[Json]:
    return [follow(number, line_id(number)) for number in range(start, start + SOME)]


async def post_until_refused(village: Village, start: int) -> list[list[Json]]:
    """The webhooks that went out; the last one was answered 500."""
    sent = []
    for number in range(MOST):
        sent.append(joining(start + number * SOME))
        if await village.post(*sent[-1]) == 500:
            return sent
    raise AssertionError("the disk never was full")


async def handle_until_refused(village: Village) -> None:
    with pytest.raises(DBAPIError) as raised:
        while await handle_waiting(village.service, village.api):
            pass
    assert is_infrastructure(raised.value)
    # The class of what a server is short of.
    assert str(getattr(raised.value.orig, "sqlstate", "")).startswith("53")


async def test_what_comes_in_while_postgres_is_full_is_refused_and_handled_later(
    make_village: MakeVillage,
) -> None:
    async with database_on_a_small_disk() as (database, ballast):
        village = await make_village(database)
        assert await village.post(*joining(1)) == 200
        fill_up(ballast)
        with capture_logs():
            sent = await post_until_refused(village, 1 + SOME)
            for _ in range(2 * GIVE_UP_AFTER):
                await handle_until_refused(village)
            assert await village.stored("failed") == 0
            ballast.unlink()
            # As LINE does it.
            assert [await village.post(*events) for events in sent] == [200] * len(sent)
            await village.handle()
        assert await village.stored("handled") == await village.stored() == SOME * (1 + len(sent))
