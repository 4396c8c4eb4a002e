"""`kill -9` while a correction is on its way: it goes to those whom the notice reached, to each once, to its end."""

from __future__ import annotations

import json
import signal

import pytest

from tests.faults.books import MAIL_IN_FLIGHT, FaultTown, check_the_books, fault_town
from tests.faults.own_postgres import empty_database
from tests.faults.side_by_side import Place, SideBySide, Story
from tests.journeys.deployment import line_id
from tests.journeys.founding import register

pytestmark = [pytest.mark.slow, pytest.mark.faults]

LINE, MAIL = 4_000, 600
SECONDS = 6.0
# Mail is so slow that a busy machine does not see its end before the kill; afterwards the world hurries.
MAIL_PAUSE = 0.6


async def on_sqlite(place: Place) -> None:
    async with fault_town(place.folder, line=LINE, mail=MAIL) as town:
        await _correct_and_kill(town)


async def on_postgres(place: Place) -> None:
    async with (
        empty_database() as url,
        fault_town(place.folder, line=LINE, mail=MAIL, KAIRANBAN_DATABASE_URL=url) as town,
    ):
        await _correct_and_kill(town)


STORIES = [on_sqlite, pytest.param(on_postgres, marks=pytest.mark.services)]


@pytest.mark.parametrize("story", STORIES)
def test_a_correction_reaches_whom_the_notice_reached_and_each_once(
    story: Story, side_by_side: SideBySide
) -> None:
    side_by_side.outcome(story)


async def _correct_and_kill(town: FaultTown) -> None:
    serve = await town.serve()
    original = await town.post()
    await town.settled(original)
    await _newcomers(town)
    town.takes(SECONDS)
    town.mail.pause = MAIL_PAUSE
    correction = await _correct(town, original)
    # In the middle of its planning or right behind it, and again while it is being sent.
    await serve.end(signal.SIGKILL)
    serve = await town.serve()
    await town.under_way(correction)
    left = await town.open_of(correction)
    await serve.end(signal.SIGKILL)
    assert left, "killed when all was over"
    town.line.per_second, town.mail.pause = None, 0.0
    await town.serve()
    await town.settled(correction)
    # The books know those who were there before alone: whoever else is sent to does not fit them.
    await check_the_books(town, original)
    await check_the_books(town, correction, mail_repeats=2 * MAIL_IN_FLIGHT)


async def _newcomers(town: FaultTown) -> None:
    """They come after the notice, so they hear of no correction."""
    await register(town.environment, (line_id(LINE + number) for number in range(20)), ())


async def _correct(town: FaultTown, original: int) -> int:
    code, out, err = await town.run(
        *("notice", "correct", str(original), "--title", "避難指示 訂正"),
        *("--body", "避難する場所が変わりました。船岡小学校へ避難してください。", "--json"),
    )
    assert code == 0, err
    town.posted.append(int(json.loads(out)["id"]))
    return town.posted[-1]
