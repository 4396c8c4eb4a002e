"""Several sender processes share what an account may be asked in a second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from structlog.testing import capture_logs

from content.clock import HOUR, now_ms
from content.database import Database
from content.database.shared_clock import SharedClock
from content.keys import Keys
from content.ledger import presence as presence_rows
from content.town import Town
from scheduler import notice_service, presence, runner
from scheduler.clock_watch import ClockWatch
from scheduler.presence import Presence
from scheduler.runner import Runner
from scheduler.sweeps import sweep
from tests.factories import line_id
from tests.scheduler.outside import Outside, register
from tests.scheduler.scripted import Stage, eventually, make_stage, run_sql

# The next beat comes after a minute.
SOON = 30.0


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def present(database: Database, owner: str) -> AsyncIterator[list[int]]:
    """A process that is alive; yields what it was told, the newest last."""
    told: list[int] = []
    one = Presence(database, owner, told.append, Keys({1: b"k" * 32}))
    await one.start()
    try:
        yield told
    finally:
        await one.stop()


def says(told: list[int], number: int) -> Callable[[], Awaitable[Any]]:
    async def asked() -> bool:
        return told[-1] == number

    return asked


async def test_a_process_begins_with_its_part(database: Database) -> None:
    async with present(database, "a") as first, present(database, "b") as second:
        assert (first[0], second[0]) == (1, 2)


@pytest.mark.services
async def test_the_others_hear_at_once_who_comes_and_who_leaves(
    postgres_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "BEAT", 60.0)
    other = Database(postgres_database.url)
    hearing = asyncio.create_task(postgres_database.hear_others())
    async with present(postgres_database, "a") as told:
        await asyncio.sleep(0.2)
        async with present(other, "b"):
            await eventually(says(told, 2), within=SOON)
        await eventually(says(told, 1), within=SOON)
    await _end(hearing)
    await other.close()


async def test_the_part_of_a_process_that_died_goes_to_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "BEAT", 0.05)
    async with stage.database.write() as connection:
        await presence_rows.renew(connection, "dead", now_ms() - presence_rows.ALIVE + 500)
    async with present(stage.database, "a") as told:
        assert told == [2]
        await eventually(says(told, 1))
        await sweep(stage.context)
    async with stage.database.write() as connection:
        assert await presence_rows.forget_dead(connection, now_ms() + presence_rows.ALIVE) == 0


def test_nobody_waits_longer_than_twenty_seconds_for_the_part_of_a_dead_process() -> None:
    assert presence_rows.ALIVE / 1000 + presence.BEAT < 20
    assert presence_rows.ALIVE / 1000 > 3 * presence.BEAT, "two beats that come late are no death"


@pytest.mark.services
@pytest.mark.faults
@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
async def test_a_machine_whose_clock_is_wrong_takes_nobody_for_dead_and_is_not_taken_for_it(
    town: Town, postgres_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch, ahead: int
) -> None:
    """Rows are written and judged by the database's clock, whatever a machine's own says before and after."""
    monkeypatch.setattr(presence, "BEAT", 0.05)
    async with AsyncExitStack() as stack:
        wrong = Database(postgres_database.url)
        stack.push_async_callback(wrong.close)
        # As if the machine's clock had been wrong when the process was started.
        monkeypatch.setattr(wrong, "clock", SharedClock(lambda: now_ms() + ahead))
        stages = [make_stage(town, each, keys) for each in (postgres_database, wrong)]
        with capture_logs() as lines:
            told: list[list[int]] = []
            for stage in stages:
                await ClockWatch(stage.context).look()
                told.append(await stack.enter_async_context(present(stage.database, f"sender {len(told)}")))
            for _ in range(3):
                for stage in stages:
                    await sweep(stage.context)
                await asyncio.sleep(0.1)
    assert wrong.stands_aside and not postgres_database.stands_aside
    assert [line["event"] for line in lines if line["event"] == "senders_gone"] == []
    assert [each[-1] for each in told] == [2, 2]
    assert len(told[0]) > 3 and told[0] == sorted(told[0]), "who was counted stays counted"


@pytest.mark.faults
async def test_the_heart_goes_on_beating_after_a_database_that_was_away(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(presence, "BEAT", 0.05)
    async with present(database, "a") as told:
        await run_sql(database, "ALTER TABLE sender_presence RENAME TO presence_away")
        await asyncio.sleep(0.2)
        await run_sql(database, "ALTER TABLE presence_away RENAME TO sender_presence")
        beats = len(told)

        async def beating() -> bool:
            return len(told) > beats

        await eventually(beating)


@pytest.mark.services
async def test_two_processes_together_keep_the_rate_of_the_account(
    town: Town, postgres_database: Database, keys: Keys, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runners on one PostgreSQL, LINE's stand-in writing down when it was asked."""
    monkeypatch.setattr(runner, "POLL", 0.05)
    rate, friends = 50.0, 250
    shared = replace(outside, line_batch=1, line_rate=rate)
    outside.line_friends(friends)
    async with AsyncExitStack() as stack:
        databases = [Database(postgres_database.url) for _ in range(2)]
        for one in databases:
            stack.push_async_callback(one.close)
        runners = [Runner(shared.context(town, one, keys)) for one in databases]
        stage = Stage(shared.context(town, postgres_database, keys), {})
        await register(postgres_database, keys, "line", [line_id(n + 1) for n in range(friends)])
        for each in runners:
            await each.start()
            stack.push_async_callback(each.stop)
        notice_id = await stage.notice(category="saigai")

        async def finished() -> bool:
            return (await notice_service.status(stage.context, notice_id)).state == "finished"

        await eventually(finished, within=60)
    asked = [row["at"] for row in outside.line.requests if "multicast" in row["endpoint"]]
    seconds = (max(asked) - min(asked)) / 1000
    burst = 2 * rate / 2 * 0.1
    assert friends <= len(asked) <= rate * 1.1 * seconds + burst
    # And between them they use what the account may be used: one alone with its half never comes to so many.
    most = max(sum(first <= at < first + 1000 for at in asked) for first in asked)
    assert most > 0.6 * rate
