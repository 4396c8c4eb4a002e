"""A call that fails now and then is the trouble of its own batch: how long it waits, and that nobody else does.

The ledger and the limiter go by a clock that the stories move, so that each wait is what was decided and no more.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from channels.channel import ChannelError, Deferred, Part, TemporaryFailure, UnknownOutcome
from channels.reasons import Reason
from content.clock import SECOND, now_ms
from content.database.shared_clock import SharedClock
from scheduler import rate_limiter
from scheduler.failures import LUCKLESS
from tests.scheduler.scripted import Stage, eventually, rows_of, sending, settled, tally_of

BUSY = TemporaryFailure(Reason.SERVER_ERROR, "あとで")
NO_ANSWER = UnknownOutcome(Reason.NO_ANSWER, "応答なし")
TOO_MANY = TemporaryFailure(Reason.RATE, "多すぎる", 60.0)
# The first wait is a second, with jitter half of that at the least.
FIRST = 1.0
OTHERS = 10


@dataclass
class MovedClock:
    """Stands still until a story moves it."""

    seconds: float = 0.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock(small_stage: Stage, monkeypatch: pytest.MonkeyPatch) -> MovedClock:
    moved, started = MovedClock(), now_ms()
    monkeypatch.setattr(small_stage.database, "clock", SharedClock(lambda: started, moved))
    monkeypatch.setattr(rate_limiter, "_now", moved)
    return moved


async def deliver(stage: Stage, *readers: int, account: str = "line") -> int:
    """A batch for each."""
    return await stage.deliver([[one] for one in readers], at=stage.database.now(), account=account)


async def until_settled(stage: Stage, delivery_id: int) -> None:
    await eventually(lambda: settled(stage.database, delivery_id))


async def waits_of(stage: Stage, clock: MovedClock, delivery_id: int, tries: int) -> list[float]:
    """Seconds that the last batch of a delivery waits after each of so many tries that fail."""
    waits = []
    for attempt in range(1, tries + 1):

        async def given_back(attempt: int = attempt) -> Any:
            row = (await rows_of(stage.database, delivery_id))[-1]
            return row if row.attempt == attempt and row.state in ("ready", "unknown") else None

        row = await eventually(given_back)
        waits.append((row.not_before - stage.database.now()) / SECOND)
        clock.seconds += waits[-1] + 0.001
    return waits


@pytest.mark.parametrize("error", [BUSY, NO_ANSWER], ids=["busy", "no answer"])
async def test_where_most_is_taken_a_batch_that_fails_again_and_again_waits_as_after_its_first_try(
    small_stage: Stage, clock: MovedClock, error: ChannelError
) -> None:
    small_stage.line.idempotent = True
    unlucky_one, *others = await small_stage.subscribers(OTHERS + 1)
    async with sending(small_stage.context):
        await until_settled(small_stage, await deliver(small_stage, *others))
        for _ in range(LUCKLESS + 1):
            small_stage.line.then(error)
        unlucky = await deliver(small_stage, unlucky_one)
        waits = await waits_of(small_stage, clock, unlucky, LUCKLESS + 1)
        await until_settled(small_stage, unlucky)
    assert max(waits) <= FIRST
    assert (await tally_of(small_stage.database, unlucky)).accepted == 1


async def test_after_more_failures_than_bad_luck_explains_the_wait_grows(
    small_stage: Stage, clock: MovedClock
) -> None:
    small_stage.line.idempotent = True
    unlucky_one, *others = await small_stage.subscribers(OTHERS + 1)
    async with sending(small_stage.context):
        await until_settled(small_stage, await deliver(small_stage, *others))
        for _ in range(LUCKLESS + 2):
            small_stage.line.then(BUSY)
        unlucky = await deliver(small_stage, unlucky_one)
        waits = await waits_of(small_stage, clock, unlucky, LUCKLESS + 2)
    assert max(waits[:-1]) <= FIRST <= waits[-1]


async def test_where_nothing_is_taken_each_wait_is_longer(small_stage: Stage, clock: MovedClock) -> None:
    small_stage.line.idempotent = True
    for _ in range(4):
        small_stage.line.then(BUSY)
    async with sending(small_stage.context):
        alone = await deliver(small_stage, *await small_stage.subscribers(1))
        waits = await waits_of(small_stage, clock, alone, 4)
    assert [FIRST * 2**n / 2 <= wait <= FIRST * 2**n for n, wait in enumerate(waits)] == [True] * 4


async def test_what_other_receivers_take_says_nothing_of_the_one_that_fails(
    small_stage: Stage, clock: MovedClock
) -> None:
    small_stage.line.idempotent = False
    unlucky_one, *others = await small_stage.subscribers(OTHERS + 1)
    async with sending(small_stage.context):
        await until_settled(small_stage, await deliver(small_stage, *others))
        for _ in range(3):
            small_stage.line.then(BUSY)
        unlucky = await deliver(small_stage, unlucky_one)
        waits = await waits_of(small_stage, clock, unlucky, 3)
    assert waits[2] >= 2 * FIRST


@pytest.mark.parametrize("error", [BUSY, NO_ANSWER, TOO_MANY], ids=["busy", "no answer", "too many"])
async def test_while_one_batch_waits_the_others_go_without_any_time_passing(
    small_stage: Stage, clock: MovedClock, error: TemporaryFailure
) -> None:
    small_stage.line.idempotent = True
    for _ in range(OTHERS // 2):
        small_stage.line.then()
    small_stage.line.then(error)

    async def all_tried() -> bool:
        return len(small_stage.line.calls) == OTHERS + 1 and len(small_stage.line.accepted) == OTHERS

    async with sending(small_stage.context):
        delivery_id = await deliver(small_stage, *await small_stage.subscribers(OTHERS + 1))
        await eventually(all_tried)
        assert clock.seconds == 0
        clock.seconds += getattr(error, "retry_after", None) or FIRST
        await until_settled(small_stage, delivery_id)
    assert len(set(small_stage.line.accepted)) == len(small_stage.line.accepted) == OTHERS + 1


@pytest.mark.parametrize(("others", "grows"), [(OTHERS, False), (0, True)], ids=["takes most", "takes none"])
async def test_a_mail_that_a_server_puts_off_again_and_again_waits_longer_only_where_most_are(
    small_stage: Stage, clock: MovedClock, others: int, grows: bool
) -> None:
    async with sending(small_stage.context):
        reader, *rest = await small_stage.subscribers(others + 1, "mail")
        await until_settled(small_stage, await deliver(small_stage, *rest, account="mail"))
        for _ in range(3):
            put_off = Deferred(reader, Reason.SERVER_BUSY, retry_after=FIRST)
            small_stage.mail.then(Part(1, deferred=(put_off,)))
        delivery_id = await deliver(small_stage, reader, account="mail")
        waits = []
        for tries in range(1, 4):

            async def put_off_again(tries: int = tries) -> Any:
                rows = await rows_of(small_stage.database, delivery_id)
                return rows[-1] if len(rows) == tries + 1 else None

            row = await eventually(put_off_again)
            waits.append((row.not_before - small_stage.database.now()) / SECOND)
            clock.seconds += waits[-1] + 0.001
        await until_settled(small_stage, delivery_id)
    assert (waits[-1] > 2 * FIRST) is grows
    assert (await tally_of(small_stage.database, delivery_id)).accepted == 1
