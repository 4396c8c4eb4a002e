"""The process of an import is killed at any moment: afterwards all of it is there, or nothing."""

from __future__ import annotations

import asyncio
import random
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import func, select

from content.clock import now_ms, today_jst
from content.database import Database
from content.figures import counts
from content.notices.audience_counts import count_audience
from content.notices.segments import Target
from content.register import importing, staging
from content.town import load_town
from tests.factories import SHIBATA
from tests.faults.own_postgres import empty_database
from tests.journeys.deployment import Deployment, deployed, write_register

pytestmark = [pytest.mark.slow, pytest.mark.faults]

PEOPLE = 12_000
KILLS = 5


@pytest_asyncio.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Deployment]:
    if request.param == "sqlite":
        async with deployed(tmp_path) as deployment:
            yield deployment
        return
    async with empty_database() as url, deployed(tmp_path, KAIRANBAN_DATABASE_URL=url) as deployment:
        yield deployment


async def seen(database: Database) -> set[int]:
    """How many are registered, by every way in which many are read."""
    today, target = today_jst(now_ms()), Target("subscribed")
    counted = await count_audience(database, load_town(SHIBATA), target, "saigai", ["line"], today)
    async with database.read() as connection:
        active = await counts.active_now(connection)
        events = counts.count_at(await counts.movements(connection), {"line"}, today)
    return {counted["line"], active.get("line", 0), events}


async def staged(database: Database) -> int:
    async with database.read() as connection:
        return int(
            await connection.scalar(select(func.count()).select_from(staging.staged_registration)) or 0
        )


async def test_an_import_that_is_killed_at_any_moment_is_there_as_a_whole_or_not_at_all(
    place: Deployment,
) -> None:
    await place.found()
    register = place.folder / "register.csv"
    write_register(register, PEOPLE, 0)
    database = Database(place.environment["KAIRANBAN_DATABASE_URL"])
    in_the_middle = 0
    try:
        # The first is surely met on its way, the others anywhere.
        for part in (0.1, *(random.uniform(0.1, 2.0) for _ in range(KILLS - 1))):
            process = await place.start("subscribers", "import", str(register))
            while process.running and await staged(database) < min(part, 1.0) * PEOPLE:
                assert part == 0.1 or await seen(database) <= {0, PEOPLE}
                await asyncio.sleep(0.01)
            # Some are killed while they are staged, some while they move into the register.
            await asyncio.sleep(max(0.0, part - 1.0))
            await process.end(signal.SIGKILL)
            in_the_middle += await staged(database) > 0
            assert await seen(database) in ({0}, {PEOPLE})
        await importing.finish_decided(database)
        assert await seen(database) in ({0}, {PEOPLE})
        code, _, err = await place.run("subscribers", "import", str(register))
        assert code == 0, err
        assert await seen(database) == {PEOPLE}
        assert await staged(database) == 0
        assert in_the_middle, "no import was killed on its way"
    finally:
        await database.close()
