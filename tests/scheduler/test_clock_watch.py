"""A clock that is set forward or back harms nothing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from channels.channel import TemporaryFailure
from channels.reasons import Reason
from content.clock import HOUR, MINUTE, SECOND, now_ms
from content.ledger import leases
from scheduler.clock_watch import WORTH_NOTING, ClockWatch
from tests.scheduler.scripted import Stage, eventually, rows_of, run_sql, sending, settled


class Clocks:
    """A wall clock that can be set, and one that only runs."""

    def __init__(self) -> None:
        self.set_by, self.run = 0, 0.0

    def wall(self) -> int:
        return self.set_by + round(self.run * SECOND)

    def steady(self) -> float:
        return self.run


@given(st.lists(st.tuples(st.floats(0, 3600), st.integers(-2 * HOUR, 2 * HOUR)), max_size=10))
def test_every_setting_back_is_noticed_once_and_nothing_else(steps: list[tuple[float, int]]) -> None:
    clocks = Clocks()
    watch = ClockWatch(clocks.wall, clocks.steady)
    for passed, set_by in steps:
        clocks.run += passed
        clocks.set_by += set_by
        if abs(set_by + WORTH_NOTING) > 2:  # on the very edge rounding decides
            assert watch.was_set_back() == (set_by < -WORTH_NOTING)
        else:
            watch.was_set_back()
        assert not watch.was_set_back()


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
