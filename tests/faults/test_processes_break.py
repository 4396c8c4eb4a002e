"""The processes that send break: stopped in the middle, asleep, out of memory, with a wrong clock, in a crash loop."""

from __future__ import annotations

import asyncio
import resource
import signal
from pathlib import Path

import pytest

from content.database.step_thread import BROKEN
from tests.faults.books import MAIL_CONNECTIONS, MAIL_IN_FLIGHT, FaultTown, check_the_books, fault_town
from tests.faults.fake_clock import FakeClock
from tests.faults.own_postgres import empty_database
from tests.faults.side_by_side import Place, SideBySide, Story
from tests.journeys.deployment import Process, until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

SECONDS = 8.0
MEGABYTE = 2**20


async def it_is_stopped_and_started_again(place: Place) -> None:
    """As when a new version is installed. Nothing is in doubt, so nothing goes out twice."""
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(2 * SECONDS)
        serve = await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        for _ in range(3):
            assert await serve.end(signal.SIGTERM) == 0
            serve = await town.serve()
            await asyncio.sleep(1.5)
        await town.settled(notice)
        await check_the_books(town, notice)


async def the_only_process_stands_still_longer_than_its_leases(place: Place) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(2 * SECONDS)
        serve = await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        serve.send(signal.SIGSTOP)
        await asyncio.sleep(20)
        serve.send(signal.SIGCONT)
        await town.settled(notice)
        await check_the_books(town, notice)


async def a_slow_relay_and_a_process_that_is_killed_again_and_again(place: Place) -> None:
    """What was sent in the last second goes out again after each kill, and no more."""
    kills = 4
    async with fault_town(place.folder, like=place.like) as town:
        town.line.per_second = None
        town.mail.pause = 0.6
        serve = await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        for _ in range(kills):
            await asyncio.sleep(4)
            await serve.end(signal.SIGKILL)
            serve = await town.serve()
        town.mail.pause = 0.01
        await town.settled(notice)
        # Two or three mails in a second, and one that was on its way, for each connection.
        await check_the_books(town, notice, mail_repeats=kills * MAIL_CONNECTIONS * 4)


async def memory_is_short_for_a_while(place: Place) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(2 * SECONDS)
        serve = await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        _limit_memory(serve, spare=MEGABYTE)
        await asyncio.sleep(15)
        if serve.running:
            resource.prlimit(serve.pid, resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
        for _ in range(60):
            await asyncio.sleep(1)
            if not serve.running:
                # What whoever supervises it does.
                assert await serve.end() == BROKEN
                serve = await town.serve()
            if not await town.open_of(notice):
                break
        await town.settled(notice, max_wait=200)
        await check_the_books(town, notice, mail_repeats=2 * MAIL_IN_FLIGHT)


async def a_worker_whose_clock_is_an_hour_ahead_takes_part_in_nothing(place: Place) -> None:
    async with (
        empty_database() as url,
        fault_town(place.folder, KAIRANBAN_DATABASE_URL=url) as town,
    ):
        town.takes(SECONDS)
        await town.serve()
        clock = FakeClock(place.folder)
        clock.set_ahead(3600)
        await town.start("worker", **clock.environment)
        await until(lambda: _says(town, "clock_is_far_off"), "the worker to find its clock wrong")
        notice = await town.post()
        await town.settled(notice)
        assert "notice_held" not in town.logs()
        await check_the_books(town, notice)


STORIES = [
    it_is_stopped_and_started_again,
    the_only_process_stands_still_longer_than_its_leases,
    a_slow_relay_and_a_process_that_is_killed_again_and_again,
    memory_is_short_for_a_while,
    pytest.param(a_worker_whose_clock_is_an_hour_ahead_takes_part_in_nothing, marks=pytest.mark.services),
]


def _limit_memory(process: Process, spare: int) -> None:
    pages = int(Path(f"/proc/{process.pid}/statm").read_text().split()[0])
    most = pages * resource.getpagesize() + spare
    resource.prlimit(process.pid, resource.RLIMIT_AS, (most, resource.RLIM_INFINITY))


async def _says(town: FaultTown, word: str) -> bool:
    return word in town.logs()


@pytest.mark.parametrize("story", STORIES)
def test_the_send_goes_on_and_the_books_agree(story: Story, side_by_side: SideBySide) -> None:
    side_by_side.outcome(story)
