"""A clock that is set forward or back harms nothing."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.channel import TemporaryFailure
from channels.reasons import Reason
from content.clock import DAY, HOUR, MINUTE, SECOND, now_ms
from content.database.shared_clock import WORTH_NOTING, SharedClock
from content.ledger import leases
from scheduler.clock_watch import ClockWatch
from scheduler.sweeps import sweep
from scheduler.triggers import fire_due
from tests.scheduler.scripted import Stage, eventually, rows_of, run_sql, sending, settled, states


class Clocks:
    """A wall clock that can be set, and one that only runs."""

    def __init__(self) -> None:
        self.set_by, self.run = 0, 0.0

    def wall(self) -> int:
        return self.set_by + round(self.run * SECOND)

    def monotonic(self) -> float:
        return self.run


@given(st.lists(st.tuples(st.floats(0, 3600), st.integers(-2 * HOUR, 2 * HOUR)), max_size=10))
def test_whatever_is_done_to_the_machines_clock_the_shared_one_runs_on(
    steps: list[tuple[float, int]],
) -> None:
    clocks = Clocks()
    shared = SharedClock(clocks.wall, clocks.monotonic)
    for passed, set_by in steps:
        clocks.run += passed
        clocks.set_by += set_by
        assert abs(shared.now() - clocks.run * SECOND) <= 1
        assert abs(shared.own_is_ahead - clocks.set_by) <= 1


@given(st.integers(-DAY, DAY), st.integers(-DAY, DAY))
def test_the_database_is_believed_and_its_being_set_back_is_noticed_once(first: int, second: int) -> None:
    clocks = Clocks()
    shared = SharedClock(clocks.wall, clocks.monotonic)
    assert not shared.hear(first, 0.0, 0.2)
    assert abs(shared.now() - (first - 100)) <= 1
    if abs(second - first + WORTH_NOTING) > 2:  # on the very edge rounding decides
        assert shared.hear(second, 0.0, 0.2) == (second - first < -WORTH_NOTING)
    assert not shared.hear(second, 0.0, 0.2)


def test_an_answer_that_took_long_says_nothing_about_the_time() -> None:
    clocks = Clocks()
    shared = SharedClock(clocks.wall, clocks.monotonic)
    shared.hear(1000, 0.0, 0.0)
    assert not shared.hear(-HOUR, 0.0, 30.0)
    assert shared.now() == 1000


def machine_clock(stage: Stage, monkeypatch: pytest.MonkeyPatch, ahead: int) -> None:
    """The clock of this machine is set, the one of the database is not."""
    monkeypatch.setattr(stage.database.clock, "_wall", lambda: now_ms() + ahead)


async def test_three_hours_that_only_the_clock_has_seen_make_nothing_too_late(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids[:2], ids[2:]], lane="urgent")
    await run_sql(
        stage.database,
        "UPDATE batch SET state = 'claimed', lease_until = :until WHERE seq = 0",
        until=stage.database.now() + MINUTE,
    )
    machine_clock(stage, monkeypatch, 3 * HOUR)
    watch = ClockWatch(stage.context)
    await watch.look()
    assert stage.database.clock.own_is_far_off
    await sweep(stage.context)
    assert await states(stage.database, delivery_id) == ["claimed", "ready"]
    if stage.database.is_sqlite:
        async with sending(stage.context):
            await eventually(lambda: _accepted(stage, ids[2:]))


async def test_a_process_with_a_wrong_clock_leaves_firing_and_claiming_to_the_others(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids])
    await stage.notice(category="saigai")
    await stage.database.ask_time()
    for ahead in (-HOUR, 6 * SECOND):
        machine_clock(stage, monkeypatch, ahead)
        if stage.database.is_sqlite:
            # It is alone: nobody else could.
            assert not stage.database.stands_aside
            continue
        assert stage.database.stands_aside
        assert await fire_due(stage.context) == 0
        async with sending(stage.context):
            await asyncio.sleep(0.2)
        assert await states(stage.database, delivery_id) == ["ready"]
    machine_clock(stage, monkeypatch, 4 * SECOND)
    assert await fire_due(stage.context) == 1
    async with sending(stage.context):
        await eventually(lambda: _accepted(stage, ids))


async def test_with_nothing_open_a_process_alone_follows_its_clock(
    small_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine_clock(small_stage, monkeypatch, 3 * HOUR)
    await ClockWatch(small_stage.context).look()
    assert abs(small_stage.database.now() - now_ms() - 3 * HOUR) < MINUTE


async def _accepted(stage: Stage, ids: list[int]) -> bool:
    return sorted(stage.line.accepted) == ids


async def test_a_retry_does_not_wait_for_the_hour_that_the_clock_was_set_back(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids])
    stage.line.then(TemporaryFailure(Reason.SERVER_BUSY, "混雑"))
    async with sending(stage.context):
        await eventually(lambda: _tried(stage, delivery_id))
        await run_sql(stage.database, "UPDATE batch SET not_before = :ahead", ahead=now_ms() + HOUR)
        async with stage.database.write(wake="batches") as connection:
            assert await leases.forget_times_ahead(connection, now_ms(), lease=MINUTE) == 1
        await eventually(lambda: settled(stage.database, delivery_id))
    assert sorted(stage.line.accepted) == ids


async def test_the_lease_of_a_dead_owner_does_not_outlive_the_setting_back(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    await run_sql(
        stage.database,
        "UPDATE batch SET state = 'claimed', lease_owner = 'dead', lease_until = :ahead",
        ahead=now_ms() + HOUR,
    )
    async with stage.database.write() as connection:
        now = now_ms()
        assert await leases.forget_times_ahead(connection, now, lease=MINUTE) == 1
        assert await leases.release_expired(connection, now + MINUTE + 1) == 1
    [row] = await rows_of(stage.database, delivery_id)
    assert row.state == "unknown"


async def test_a_first_attempt_waits_for_no_clock(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)], at=now_ms() + HOUR)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))


async def _tried(stage: Stage, delivery_id: int) -> bool:
    return all(row.attempt and row.state == "ready" for row in await rows_of(stage.database, delivery_id))
