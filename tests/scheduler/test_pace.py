"""How often an account may be used, and who goes first. In virtual time, so that hours cost nothing."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Awaitable, Callable, Coroutine
from functools import wraps
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from virtual_time import run_virtually

from scheduler.pace import BURST, FLOOR, LESSON, LONGEST_PAUSE, RECOVERY, TICK, Pace

RATE = 100.0


def virtually(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **values: Any) -> None:
        run_virtually(test(*args, **values))

    return run


def clock() -> float:
    return asyncio.get_running_loop().time()


async def seconds_of(turns: int, take: Callable[[], Awaitable[None]]) -> float:
    started = clock()
    for _ in range(turns):
        await take()
    return clock() - started


async def turns_within(seconds: float, pace: Pace, lane: str = "routine") -> int:
    """How many turns somebody gets who asks for the next one at once."""
    taken = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                await pace.turn(lane)
                taken += 1
    except TimeoutError:
        return taken


@virtually
async def test_without_a_rate_nobody_waits() -> None:
    pace = Pace(None)
    assert await seconds_of(1_000, lambda: pace.turn("routine")) == 0


@pytest.mark.parametrize("lane", ["urgent", "routine", "digest"])
@virtually
async def test_in_the_long_run_there_are_as_many_turns_as_the_rate_says(lane: str) -> None:
    pace = Pace(RATE)
    # A tenth of a second's worth may go at once.
    assert await seconds_of(110, lambda: pace.turn(lane)) == pytest.approx(1.0, abs=0.02)


@virtually
async def test_an_idle_account_saves_up_no_more_than_a_tenth_of_a_second() -> None:
    pace = Pace(RATE)
    await pace.turn("routine")
    await asyncio.sleep(3600)
    assert await seconds_of(30, lambda: pace.turn("routine")) == pytest.approx(0.2, abs=0.02)


@virtually
async def test_an_account_of_less_than_ten_turns_a_second_gets_every_one_of_them() -> None:
    # 60 an hour, as LINE allows broadcasts.
    pace = Pace(60 / 3600)
    assert await seconds_of(3, lambda: pace.turn("urgent")) == pytest.approx(120)


@virtually
async def test_lanes_together_keep_the_rate_of_the_account() -> None:
    pace = Pace(RATE)
    started = clock()
    await asyncio.gather(*(pace.turn(lane) for lane in ("urgent", "routine", "digest") for _ in range(20)))
    assert clock() - started == pytest.approx(0.5, abs=0.02)


@virtually
async def test_turns_that_fall_due_together_are_given_together_and_none_is_lost() -> None:
    pace = Pace(RATE)
    given_at: list[float] = []

    async def take() -> None:
        await pace.turn("routine")
        given_at.append(clock())

    started = clock()
    await asyncio.gather(*(take() for _ in range(210)))
    assert clock() - started == pytest.approx(2.0, abs=TICK)
    assert len(set(given_at)) <= 1 + 2.0 / TICK


@virtually
async def test_urgent_turns_come_before_others_that_have_waited_longer() -> None:
    pace = Pace(10)
    order: list[str] = []

    async def turn(lane: str) -> None:
        await pace.turn(lane)
        order.append(lane)

    waiting = [asyncio.create_task(turn(lane)) for lane in ["routine"] + ["digest"] * 3 + ["routine"] * 3]
    await asyncio.sleep(0.05)
    assert order == ["routine"]
    waiting += [asyncio.create_task(turn("urgent")) for _ in range(3)]
    await asyncio.gather(*waiting)
    assert order[1:] == ["urgent"] * 3 + ["routine"] * 3 + ["digest"] * 3


@virtually
async def test_turns_that_were_given_up_hold_nobody_back() -> None:
    pace = Pace(1)
    await pace.turn("routine")
    given_up = [asyncio.create_task(pace.turn("urgent")) for _ in range(50)]
    await asyncio.sleep(0.01)
    for task in given_up:
        task.cancel()
    assert await seconds_of(1, lambda: pace.turn("routine")) == pytest.approx(1.0, abs=0.02)


@virtually
async def test_a_turn_that_came_to_somebody_who_gave_up_goes_to_the_next() -> None:
    pace = Pace(1)
    await pace.turn("routine")
    loop = asyncio.get_running_loop()
    given_up = asyncio.create_task(pace.turn("urgent"))
    following = asyncio.create_task(pace.turn("urgent"))
    await asyncio.sleep(0)
    # At the very moment at which the turn is handed over, before the task hears of it.
    loop.call_at(1.0, given_up.cancel)
    async with asyncio.timeout(1.5):
        await following
    (outcome,) = await asyncio.gather(given_up, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)


@virtually
async def test_a_refusal_halves_the_rate_and_time_brings_it_back() -> None:
    pace = Pace(RATE)
    pace.slow_down()
    assert pace.rate == RATE / 2
    assert await turns_within(1.0, pace) == pytest.approx(RATE / 2, rel=0.05)
    await asyncio.sleep(RECOVERY / 4)
    assert pace.rate == pytest.approx(RATE * 0.75, rel=0.05)
    await asyncio.sleep(RECOVERY)
    assert pace.rate == RATE


@virtually
async def test_refusals_of_calls_that_were_in_flight_together_are_one_lesson() -> None:
    pace = Pace(RATE)
    for _ in range(8):
        pace.slow_down()
        await asyncio.sleep(LESSON / 100)
    assert pace.rate == pytest.approx(RATE / 2, rel=0.01)


@virtually
async def test_however_often_it_is_refused_the_account_is_still_used_a_little() -> None:
    pace = Pace(RATE)
    for _ in range(50):
        pace.slow_down()
        assert (pace.rate or 0) >= RATE * FLOOR
        await asyncio.sleep(LESSON)
    assert await turns_within(3.0, pace) >= 3 * RATE * FLOOR


@pytest.mark.parametrize("rate", [RATE, None])
@virtually
async def test_a_wait_that_was_asked_for_holds_the_whole_account(rate: float | None) -> None:
    pace = Pace(rate)
    pace.slow_down(retry_after=20)
    pace.slow_down(retry_after=5)
    started = clock()
    await asyncio.gather(*(pace.turn(lane) for lane in ("routine", "digest", "urgent")))
    assert 20 <= clock() - started <= 20.1


@virtually
async def test_who_was_waiting_before_the_refusal_waits_as_long() -> None:
    pace = Pace(2)
    await pace.turn("routine")
    waiting = asyncio.create_task(pace.turn("urgent"))
    await asyncio.sleep(0.1)
    pace.slow_down(retry_after=20)
    await waiting
    assert clock() >= 20.1


@virtually
async def test_a_service_cannot_keep_an_urgent_notice_back_for_an_hour() -> None:
    pace = Pace(RATE)
    pace.slow_down(retry_after=3600)
    assert await seconds_of(1, lambda: pace.turn("urgent")) <= LONGEST_PAUSE + 1


@virtually
async def test_several_processes_use_their_part_each_and_the_whole_when_the_others_are_gone() -> None:
    pace = Pace(RATE)
    pace.share(4)
    assert await turns_within(10, pace) == pytest.approx(RATE * 10 / 4, rel=0.05)
    pace.share(1)
    assert await turns_within(10, pace) == pytest.approx(RATE * 10, rel=0.05)


@virtually
async def test_who_is_waiting_profits_at_once_when_another_process_is_gone() -> None:
    pace = Pace(1 / 60)
    await pace.turn("routine")
    pace.share(60)
    waiting = asyncio.create_task(pace.turn("routine"))
    await asyncio.sleep(1)
    pace.share(1)
    await waiting
    assert clock() <= 61


STEPS = st.lists(
    st.tuples(
        st.sampled_from([0.0, 0.0, 0.001, 0.01, 0.1, 1.0, 30.0]),
        st.sampled_from(["urgent", "routine", "digest", "refused", "asked to wait", "share", "give up"]),
    ),
    max_size=120,
)


@given(rate=st.sampled_from([0.5, 7.0, 100.0, 2000.0]), steps=STEPS)
def test_in_no_stretch_of_time_are_there_more_turns_than_the_rate_and_one_burst(
    rate: float, steps: list[tuple[float, str]]
) -> None:
    run_virtually(_play(rate, steps))


async def _play(rate: float, steps: list[tuple[float, str]]) -> None:
    pace = Pace(rate)
    moments: list[float] = []

    async def turn(lane: str) -> None:
        await pace.turn(lane)
        moments.append(clock())

    tasks: list[asyncio.Task[None]] = []
    for number, (wait, what) in enumerate(steps):
        if what == "refused":
            pace.slow_down()
        elif what == "asked to wait":
            pace.slow_down(retry_after=3)
        elif what == "share":
            pace.share(1 + number % 3)
        elif what == "give up" and tasks:
            tasks[-1].cancel()
        elif what in ("urgent", "routine", "digest"):
            tasks += [asyncio.create_task(turn(what)) for _ in range(3)]
        await asyncio.sleep(wait)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
    burst = max(1.0, rate * BURST)
    for first, start in enumerate(moments):
        for seconds in (0.0, 0.1, 1.0, 10.0, 100.0):
            within = bisect_right(moments, start + seconds) - first
            assert within <= rate * seconds + burst + 1e-3
