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

from scheduler.rate_limiter import (
    BURST,
    FLOOR,
    LESSON,
    LONGEST_PAUSE,
    RECOVERY,
    REPEATED,
    TICK,
    WINDOW,
    RateLimiter,
)
from tests.virtual_time import run_virtually

RATE = 100.0


def virtually(test: Callable[..., Coroutine[Any, Any, None]]) -> Callable[..., None]:
    @wraps(test)
    def run(*args: Any, **values: Any) -> None:
        run_virtually(test(*args, **values))

    return run


def clock() -> float:
    return asyncio.get_running_loop().time()


def refuse(limiter: RateLimiter, retry_after: float | None = None) -> None:
    """Nothing but refusals: more than one, so that they mean the account."""
    for _ in range(REPEATED):
        limiter.refused(retry_after)


async def seconds_of(permits: int, take: Callable[[], Awaitable[None]]) -> float:
    started = clock()
    for _ in range(permits):
        await take()
    return clock() - started


async def turns_within(seconds: float, limiter: RateLimiter, lane: str = "routine") -> int:
    """How many permits somebody gets who asks for the next one at once."""
    taken = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                await limiter.acquire(lane)
                taken += 1
    except TimeoutError:
        return taken


@virtually
async def test_without_a_rate_nobody_waits() -> None:
    limiter = RateLimiter(None)
    assert await seconds_of(1_000, lambda: limiter.acquire("routine")) == 0


@pytest.mark.parametrize("lane", ["urgent", "routine", "digest"])
@virtually
async def test_in_the_long_run_there_are_as_many_permits_as_the_rate_says(lane: str) -> None:
    limiter = RateLimiter(RATE)
    # A tenth of a second's worth may go at once.
    assert await seconds_of(110, lambda: limiter.acquire(lane)) == pytest.approx(1.0, abs=0.02)


@virtually
async def test_an_idle_account_saves_up_no_more_than_a_tenth_of_a_second() -> None:
    limiter = RateLimiter(RATE)
    await limiter.acquire("routine")
    await asyncio.sleep(3600)
    assert await seconds_of(30, lambda: limiter.acquire("routine")) == pytest.approx(0.2, abs=0.02)


@virtually
async def test_an_account_of_less_than_ten_permits_a_second_gets_every_one_of_them() -> None:
    # 60 an hour, as LINE allows broadcasts.
    limiter = RateLimiter(60 / 3600)
    assert await seconds_of(3, lambda: limiter.acquire("urgent")) == pytest.approx(120)


@virtually
async def test_lanes_together_keep_the_rate_of_the_account() -> None:
    limiter = RateLimiter(RATE)
    started = clock()
    await asyncio.gather(
        *(limiter.acquire(lane) for lane in ("urgent", "routine", "digest") for _ in range(20))
    )
    assert clock() - started == pytest.approx(0.5, abs=0.02)


@virtually
async def test_permits_that_fall_due_together_are_given_together_and_none_is_lost() -> None:
    limiter = RateLimiter(RATE)
    given_at: list[float] = []

    async def take() -> None:
        await limiter.acquire("routine")
        given_at.append(clock())

    started = clock()
    await asyncio.gather(*(take() for _ in range(210)))
    assert clock() - started == pytest.approx(2.0, abs=TICK)
    assert len(set(given_at)) <= 1 + 2.0 / TICK


@virtually
async def test_urgent_permits_come_before_others_that_have_waited_longer() -> None:
    limiter = RateLimiter(10)
    order: list[str] = []

    async def acquire(lane: str) -> None:
        await limiter.acquire(lane)
        order.append(lane)

    waiting = [asyncio.create_task(acquire(lane)) for lane in ["routine"] + ["digest"] * 3 + ["routine"] * 3]
    await asyncio.sleep(0.05)
    assert order == ["routine"]
    waiting += [asyncio.create_task(acquire("urgent")) for _ in range(3)]
    await asyncio.gather(*waiting)
    assert order[1:] == ["urgent"] * 3 + ["routine"] * 3 + ["digest"] * 3


@virtually
async def test_permits_that_were_given_up_hold_nobody_back() -> None:
    limiter = RateLimiter(1)
    await limiter.acquire("routine")
    given_up = [asyncio.create_task(limiter.acquire("urgent")) for _ in range(50)]
    await asyncio.sleep(0.01)
    for task in given_up:
        task.cancel()
    assert await seconds_of(1, lambda: limiter.acquire("routine")) == pytest.approx(1.0, abs=0.02)


@virtually
async def test_a_permit_that_came_to_somebody_who_gave_up_goes_to_the_next() -> None:
    limiter = RateLimiter(1)
    await limiter.acquire("routine")
    loop = asyncio.get_running_loop()
    given_up = asyncio.create_task(limiter.acquire("urgent"))
    following = asyncio.create_task(limiter.acquire("urgent"))
    await asyncio.sleep(0)
    # At the very moment at which the permit is handed over, before the task hears of it.
    loop.call_at(1.0, given_up.cancel)
    async with asyncio.timeout(1.5):
        await following
    (outcome,) = await asyncio.gather(given_up, return_exceptions=True)
    assert isinstance(outcome, asyncio.CancelledError)


@virtually
async def test_a_stray_refusal_among_acceptances_is_the_trouble_of_its_batch() -> None:
    limiter = RateLimiter(RATE)
    limiter.refused(retry_after=30)
    for number in range(1_000):
        await limiter.acquire("routine")
        limiter.refused(retry_after=30) if number % 30 == 29 else limiter.accepted()
    assert limiter.rate == RATE
    assert clock() == pytest.approx(10.0, abs=0.5)


@virtually
async def test_refusals_that_repeat_slow_the_account_by_the_part_that_they_are() -> None:
    limiter = RateLimiter(RATE)
    for number in range(200):
        await limiter.acquire("routine")
        limiter.refused(retry_after=30) if number % 5 == 4 else limiter.accepted()
        if (limiter.rate or 0) < RATE:
            break
    assert limiter.rate == pytest.approx(RATE * 0.8, rel=0.05)
    assert await turns_within(1.0, limiter) > 70, "the wait that was asked for is not asked of everybody"


@virtually
async def test_refusals_that_are_not_repeated_soon_are_forgotten() -> None:
    limiter = RateLimiter(RATE)
    for _ in range(3):
        limiter.refused()
        await asyncio.sleep(WINDOW + 0.1)
    assert limiter.rate == RATE


@virtually
async def test_a_service_that_takes_half_of_the_rate_soon_gets_no_more() -> None:
    """A bucket at the other end, as LINE's: it fills with half of what we may ask."""
    limiter = RateLimiter(RATE)
    tokens, filled_at, refusals = 0.0, clock(), 0
    while clock() < 30:
        await limiter.acquire("routine")
        tokens, filled_at = min(5.0, tokens + (clock() - filled_at) * RATE / 2), clock()
        if tokens >= 1:
            tokens -= 1
            limiter.accepted()
        else:
            refusals += 1 if clock() > 10 else 0
            limiter.refused()
    assert (limiter.rate or 0) < RATE * 0.65
    assert refusals < 20 * RATE / 2 * 0.15


@virtually
async def test_nothing_but_refusals_halve_the_rate_and_time_brings_it_back() -> None:
    limiter = RateLimiter(RATE)
    refuse(limiter)
    assert limiter.rate == RATE / 2
    assert await turns_within(1.0, limiter) == pytest.approx(RATE / 2, rel=0.05)
    await asyncio.sleep(RECOVERY / 4)
    assert limiter.rate == pytest.approx(RATE * 0.75, rel=0.05)
    await asyncio.sleep(RECOVERY)
    assert limiter.rate == RATE


@virtually
async def test_refusals_of_calls_that_were_in_flight_together_are_one_lesson() -> None:
    limiter = RateLimiter(RATE)
    for _ in range(8):
        refuse(limiter)
        await asyncio.sleep(LESSON / 100)
    assert limiter.rate == pytest.approx(RATE / 2, rel=0.01)


@virtually
async def test_however_often_it_is_refused_the_account_is_still_used_a_little() -> None:
    limiter = RateLimiter(RATE)
    for _ in range(50):
        refuse(limiter)
        assert (limiter.rate or 0) >= RATE * FLOOR
        await asyncio.sleep(LESSON)
    assert await turns_within(3.0, limiter) >= 3 * RATE * FLOOR


@pytest.mark.parametrize("rate", [RATE, None])
@virtually
async def test_a_wait_that_was_asked_for_holds_the_whole_account(rate: float | None) -> None:
    limiter = RateLimiter(rate)
    refuse(limiter, retry_after=20)
    refuse(limiter, retry_after=5)
    started = clock()
    await asyncio.gather(*(limiter.acquire(lane) for lane in ("routine", "digest", "urgent")))
    assert 20 <= clock() - started <= 20.1


@virtually
async def test_who_was_waiting_before_the_refusal_waits_as_long() -> None:
    limiter = RateLimiter(2)
    await limiter.acquire("routine")
    waiting = asyncio.create_task(limiter.acquire("urgent"))
    await asyncio.sleep(0.1)
    refuse(limiter, retry_after=20)
    await waiting
    assert clock() >= 20.1


@virtually
async def test_a_service_cannot_keep_an_urgent_notice_back_for_an_hour() -> None:
    limiter = RateLimiter(RATE)
    refuse(limiter, retry_after=3600)
    assert await seconds_of(1, lambda: limiter.acquire("urgent")) <= LONGEST_PAUSE + 1


@virtually
async def test_several_processes_use_their_part_each_and_the_whole_when_the_others_are_gone() -> None:
    limiter = RateLimiter(RATE)
    limiter.share(4)
    assert await turns_within(10, limiter) == pytest.approx(RATE * 10 / 4, rel=0.05)
    limiter.share(1)
    assert await turns_within(10, limiter) == pytest.approx(RATE * 10, rel=0.05)


@virtually
async def test_who_is_waiting_profits_at_once_when_another_process_is_gone() -> None:
    limiter = RateLimiter(1 / 60)
    await limiter.acquire("routine")
    limiter.share(60)
    waiting = asyncio.create_task(limiter.acquire("routine"))
    await asyncio.sleep(1)
    limiter.share(1)
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
def test_in_no_stretch_of_time_are_there_more_permits_than_the_rate_and_one_burst(
    rate: float, steps: list[tuple[float, str]]
) -> None:
    run_virtually(_play(rate, steps))


async def _play(rate: float, steps: list[tuple[float, str]]) -> None:
    limiter = RateLimiter(rate)
    moments: list[float] = []

    async def acquire(lane: str) -> None:
        await limiter.acquire(lane)
        moments.append(clock())

    tasks: list[asyncio.Task[None]] = []
    for number, (wait, what) in enumerate(steps):
        if what == "refused":
            limiter.refused()
        elif what == "asked to wait":
            limiter.refused(retry_after=3)
        elif what == "share":
            limiter.share(1 + number % 3)
        elif what == "give up" and tasks:
            tasks[-1].cancel()
        elif what in ("urgent", "routine", "digest"):
            tasks += [asyncio.create_task(acquire(what)) for _ in range(3)]
        await asyncio.sleep(wait)
    results = await asyncio.gather(*tasks, return_exceptions=True)
    assert all(result is None or isinstance(result, asyncio.CancelledError) for result in results)
    burst = max(1.0, rate * BURST)
    for first, start in enumerate(moments):
        for seconds in (0.0, 0.1, 1.0, 10.0, 100.0):
            within = bisect_right(moments, start + seconds) - first
            assert within <= rate * seconds + burst + 1e-3
