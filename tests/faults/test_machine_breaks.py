"""What a send stands on breaks: the database server, the disk, the clock, the neighbour with the lease."""

from __future__ import annotations

import asyncio
import resource
import signal
import time
from collections.abc import Callable

import pytest
from sqlalchemy import text

from tests.faults.books import MAIL_IN_FLIGHT, FaultTown, check_the_books, fault_town
from tests.faults.fake_clock import FakeClock
from tests.faults.own_postgres import empty_database, own_server
from tests.faults.side_by_side import Place, SideBySide, Story
from tests.faults.small_disk import small_disk
from tests.journeys.deployment import Process, until

pytestmark = [pytest.mark.slow, pytest.mark.faults]

# One send, when nothing breaks.
SECONDS = 8.0
POSTGRES_AWAY = 20.0
FEW_FILES = 64


async def postgres_is_stopped_and_started(place: Place) -> None:
    async with (
        own_server() as server,
        fault_town(place.folder, KAIRANBAN_DATABASE_URL=server.url) as town,
    ):
        town.takes(SECONDS)
        await town.serve()
        await town.start("worker")
        await until(lambda: _listening(town, 2), "serve and the worker to be here")
        notice = await town.post()
        await town.under_way(notice)
        # Without a word to anybody, as when the machine loses power.
        await server.stop("immediate")
        await asyncio.sleep(POSTGRES_AWAY)
        assert all(process.running for process in town.processes)
        async with town.session.get(f"{town.web_url}/n/{'0' * 12}") as answer:
            assert answer.status == 500
            assert "少し待って" in await answer.text()
        await server.start()
        await town.look_anew()
        await town.settled(notice)
        await check_the_books(town, notice, mail_repeats=2 * MAIL_IN_FLIGHT)


async def postgres_is_away_and_few_files_may_be_open(place: Place) -> None:
    """How long the recovery may take stands in tests/scheduler/test_recovery_bound.py."""
    async with (
        own_server() as server,
        fault_town(place.folder, KAIRANBAN_DATABASE_URL=server.url) as town,
    ):
        town.takes(SECONDS)
        serve = await town.start("serve")
        resource.prlimit(serve.pid, resource.RLIMIT_NOFILE, (FEW_FILES, FEW_FILES))
        await town.answers(f"{town.web_url}/healthz", serve)
        notice = await town.post()
        await town.under_way(notice)
        await server.stop("immediate")
        await asyncio.sleep(POSTGRES_AWAY)
        await server.start()
        back = time.monotonic()
        await town.look_anew()
        await town.settled(notice)
        # Shown by pytest with a failure, and with -s.
        print(f"settled {time.monotonic() - back:.1f} s after PostgreSQL was back")
        await check_the_books(town, notice, mail_repeats=2 * MAIL_IN_FLIGHT)


async def the_disk_is_full(place: Place) -> None:
    async with (
        small_disk(place.folder, like=place.like) as disk,
        fault_town(place.folder, like=place.like, KAIRANBAN_DATABASE_URL=disk.url) as town,
    ):
        town.takes(SECONDS)
        serve = await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        disk.fill(serve.pid)
        await until(lambda: _says(town.logs, "machine_is_short", "OperationalError"), "the disk to be missed")
        stood = await _stands_still(town, notice)
        await asyncio.sleep(20)
        assert serve.running
        assert await town.open_of(notice) == stood, "something was written on a full disk"
        async with town.session.get(f"{town.web_url}/readyz") as answer:
            assert answer.status == 503 and "disk" in await answer.text()
        for path in ("/", "/healthz", await town.page_of(notice), "/console/login"):
            async with town.session.get(f"{town.web_url}{path}") as answer:
                assert answer.status == 200, path
        disk.free(serve.pid)
        await town.settled(notice)
        async with town.session.get(f"{town.web_url}/readyz") as answer:
            assert answer.status == 200, await answer.text()
        await check_the_books(town, notice, mail_repeats=MAIL_IN_FLIGHT)


async def the_clock_goes_three_hours_ahead_and_back(place: Place) -> None:
    await _clock_jumps(place, 3 * 3600)


async def the_clock_goes_an_hour_back_and_ahead(place: Place) -> None:
    await _clock_jumps(place, -3600)


async def _clock_jumps(place: Place, ahead: int) -> None:
    """There and back, with some tries to be repeated a moment later: nothing waits an hour, nothing is late."""
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(2 * SECONDS)
        clock = FakeClock(place.folder)
        await town.serve(**clock.environment)
        notice = await town.post()
        await town.under_way(notice)
        town.line.fault({"type": "status", "code": 503})
        clock.set_ahead(ahead)
        await until(lambda: _says(town.logs, "clock_is_far_off"), "the clock to be found wrong")
        await until(lambda: _deferred(town), "retries to be put off by seconds")
        clock.set_ahead(0)
        await asyncio.sleep(2)
        town.line.mend()
        await town.settled(notice)
        # No lease ran out, so nothing was taken up anew.
        await check_the_books(town, notice)


async def a_worker_sleeps_longer_than_its_lease(place: Place) -> None:
    async with (
        empty_database() as url,
        # So many that one process cannot take all batches of mail.
        fault_town(place.folder, line=20_000, mail=6_000, KAIRANBAN_DATABASE_URL=url) as town,
    ):
        town.takes(SECONDS, processes=3)
        await town.serve()
        workers = [await town.start("worker"), await town.start("worker")]
        await until(lambda: _listening(town, 3), "serve and both workers to be here")
        notice = await town.post()
        busy: list[Process] = []
        await until(lambda: _sending_mail(town, workers, busy), "a worker to be sending mail")
        sleeper = busy[0]
        sleeper.send(signal.SIGSTOP)
        await town.settled(notice)
        sleeper.send(signal.SIGCONT)
        # Stopped in the middle of a transaction it finds that PostgreSQL has ended that meanwhile.
        await until(
            lambda: _says(sleeper.log.read_text, "lease_lost", "batch_failed"), "the late owner to notice", 90
        )
        await check_the_books(town, notice, mail_repeats=MAIL_IN_FLIGHT)


async def a_second_service_on_one_file(place: Place) -> None:
    async with fault_town(place.folder, like=place.like) as town:
        town.takes(SECONDS)
        await town.serve()
        notice = await town.post()
        await town.under_way(notice)
        code, _, err = await town.run("serve")
        assert code == 1
        assert "another kairanban service" in err
        assert "kairanban.db.lock" in err.replace("\n", "")
        await town.settled(notice)
        await check_the_books(town, notice, usual=("line", "mail"))


STORIES = [
    pytest.param(a_worker_sleeps_longer_than_its_lease, marks=pytest.mark.services),
    pytest.param(postgres_is_stopped_and_started, marks=pytest.mark.services),
    pytest.param(postgres_is_away_and_few_files_may_be_open, marks=pytest.mark.services),
    the_disk_is_full,
    pytest.param(the_clock_goes_three_hours_ahead_and_back, marks=pytest.mark.services),
    pytest.param(the_clock_goes_an_hour_back_and_ahead, marks=pytest.mark.services),
    a_second_service_on_one_file,
]


async def _says(read: Callable[[], str], *words: str) -> bool:
    return any(word in read() for word in words)


async def _listening(town: FaultTown, number: int) -> bool:
    async with town.database.read() as connection:
        question = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
        return int(await connection.scalar(text(question)) or 0) >= number


async def _sending_mail(town: FaultTown, workers: list[Process], busy: list[Process]) -> bool:
    """Whether any of them has batches of mail in flight; `busy` then names it."""
    question = (
        "SELECT count(*) FROM batch WHERE state = 'claimed' AND account = 'mail' AND lease_owner LIKE :owner"
    )
    async with town.database.read() as connection:
        for worker in workers:
            if await connection.scalar(text(question), {"owner": f"%:{worker.pid}%"}):
                busy.append(worker)
                return True
    return False


async def _deferred(town: FaultTown) -> bool:
    """Whether batches wait for a moment that is near by a clock that nobody has set, some of them for a while."""
    async with town.database.read() as connection:
        question = "SELECT not_before FROM batch WHERE state IN ('ready', 'unknown') AND attempt >= 3"
        waiting = (await connection.scalars(text(question))).all()
    return [abs(at / 1000 - time.time()) < 600 for at in waiting].count(True) >= 3


async def _stands_still(town: FaultTown, notice: int) -> int:
    """What is open once nothing has changed for a while."""
    while True:
        before = await town.open_of(notice)
        await asyncio.sleep(3)
        if await town.open_of(notice) == before:
            return before


@pytest.mark.parametrize("story", STORIES)
def test_the_send_goes_on_and_the_books_agree(story: Story, side_by_side: SideBySide) -> None:
    side_by_side.outcome(story)
