"""How often an account may be used, and who goes first. Measured in the loop's own time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from scheduler.pace import Pace

RATE = 100.0


def clock() -> float:
    return asyncio.get_running_loop().time()


async def seconds_of(turns: int, take: Callable[[], object]) -> float:
    started = clock()
    for _ in range(turns):
        await take()  # type: ignore[misc]
    return clock() - started


async def test_without_a_rate_nobody_waits() -> None:
    assert await seconds_of(1_000, lambda: Pace(None).turn("routine")) < 0.5


@pytest.mark.parametrize("lane", ["urgent", "routine"])
async def test_in_the_long_run_there_are_no_more_turns_than_the_rate(lane: str) -> None:
    pace = Pace(RATE)
    turns = 40
    taken = await seconds_of(turns, lambda: pace.turn(lane))
    # A tenth of a second's worth may go at once, the first turn is free.
    assert taken >= (turns - 1) / RATE - 0.1 - 0.01
    assert taken < 3 * turns / RATE


async def test_an_idle_account_saves_up_no_more_than_a_tenth_of_a_second() -> None:
    pace = Pace(RATE)
    await pace.turn("routine")
    await asyncio.sleep(0.4)
    assert await seconds_of(30, lambda: pace.turn("routine")) >= 29 / RATE - 0.1 - 0.01


async def test_two_lanes_together_keep_the_rate_of_the_account() -> None:
    pace = Pace(RATE)
    started = clock()
    await asyncio.gather(*(pace.turn(lane) for lane in ("urgent", "routine") for _ in range(20)))
    assert clock() - started >= 39 / RATE - 0.1 - 0.01


async def test_urgent_turns_come_before_routine_ones_that_have_waited_longer() -> None:
    pace = Pace(40)
    order: list[str] = []

    async def turn(lane: str) -> None:
        await pace.turn(lane)
        order.append(lane)

    routine = [asyncio.create_task(turn("routine")) for _ in range(12)]
    await asyncio.sleep(0.05)
    urgent = [asyncio.create_task(turn("urgent")) for _ in range(4)]
    await asyncio.sleep(0)
    before = len(order)
    assert before < 12
    await asyncio.gather(*routine, *urgent)
    assert order[before : before + 4] == ["urgent"] * 4


async def test_an_urgent_turn_that_was_given_up_does_not_hold_the_others_back() -> None:
    pace = Pace(5)
    for _ in range(2):
        await pace.turn("routine")
    urgent = asyncio.create_task(pace.turn("urgent"))
    await asyncio.sleep(0.01)
    urgent.cancel()
    async with asyncio.timeout(3):
        await pace.turn("routine")
