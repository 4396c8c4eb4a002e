"""`kill -9` again and again on each database, at random moments of large sends: the books agree every time.

Every round costs some seconds of a processor, so here are few, to 40,000; `make drill-faults` plays hundreds to 100,000.
"""

from __future__ import annotations

import os
import random

import pytest

from tests.faults.books import fault_town
from tests.faults.kill_rounds import SECONDS, Drill
from tests.faults.own_postgres import empty_database
from tests.faults.side_by_side import Place, SideBySide, Story

ROUNDS = int(os.environ.get("KAIRANBAN_KILL_ROUNDS", "5"))
LINE, MAIL = 38_000, 2_000

pytestmark = [pytest.mark.slow, pytest.mark.faults]


async def sqlite_serve_alone(place: Place) -> None:
    async with fault_town(place.folder, line=LINE, mail=MAIL) as town:
        town.takes(SECONDS)
        await _play(Drill(town, _chance(), workers=0))


async def postgres_serve_and_two_workers(place: Place) -> None:
    async with (
        empty_database() as url,
        fault_town(place.folder, line=LINE, mail=MAIL, KAIRANBAN_DATABASE_URL=url) as town,
    ):
        town.takes(SECONDS, processes=3)
        await _play(Drill(town, _chance(), workers=2))


STORIES = [sqlite_serve_alone, pytest.param(postgres_serve_and_two_workers, marks=pytest.mark.services)]


@pytest.mark.parametrize("story", STORIES)
def test_killed_again_and_again_nobody_is_lost_and_nobody_on_line_gets_it_twice(
    story: Story, side_by_side: SideBySide
) -> None:
    side_by_side.outcome(story)


def _chance() -> random.Random:
    seed = int(os.environ.get("KAIRANBAN_KILL_SEED", "0")) or random.randrange(1 << 32)
    # Shown by pytest with a failure.
    print(f"KAIRANBAN_KILL_SEED={seed}")
    return random.Random(seed)


async def _play(drill: Drill) -> None:
    await drill.run(ROUNDS)
    assert len(drill.rounds) == ROUNDS
    assert sum(1 for item in drill.rounds if item.open < LINE + MAIL) > ROUNDS // 3, "killed before the sends"
