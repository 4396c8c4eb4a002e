"""Recipients that the service outside defers, and deliveries whose time is over."""

from __future__ import annotations

from functools import partial

import pytest

from channels.channel import Deferred, Part, Refusal
from channels.reasons import Reason
from content.clock import HOUR, MINUTE, now_ms
from scheduler.failures import later
from scheduler.town_context import BUDGET
from tests.scheduler.scripted import (
    Stage,
    eventually,
    refusals_of,
    rows_of,
    run_sql,
    sending,
    settled,
    tally_of,
)


async def test_who_is_deferred_gets_the_notice_with_the_next_try(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids])
    stage.line.then(
        Part(4, (Refusal(ids[0], Reason.MAILBOX_UNKNOWN),), (Deferred(ids[2], Reason.TEMPORARILY_REFUSED),))
    )
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)
    assert [call.recipients for call in stage.line.calls] == [tuple(ids), (ids[2],)]
    found = await tally_of(stage.database, delivery_id)
    assert (found.planned, found.accepted, found.refused, found.open) == (4, 3, 1, 0)


async def test_the_wait_is_what_was_asked_and_longer_with_each_try(stage: Stage) -> None:
    ids = await stage.subscribers(1)
    delivery_id = await stage.deliver([ids], lane="urgent")
    for _ in range(3):
        stage.line.then(Part(1, deferred=(Deferred(ids[0], Reason.TEMPORARILY_REFUSED, retry_after=40.0),)))
    waits = []
    async with sending(stage.context):
        for tries in range(2, 5):
            await eventually(partial(_batches, stage, delivery_id, tries))
            newest = (await rows_of(stage.database, delivery_id))[-1]
            waits.append(newest.not_before - now_ms())
            await stage.hurry()
        await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)
    for wait, asked in zip(waits, (40_000, 80_000, 160_000), strict=True):
        # Never before the time that was asked for; a second has passed at most since it was written.
        assert asked - 1_000 < wait <= asked * 1.25


async def test_who_would_be_tried_too_late_is_refused_with_the_reason(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    written = now_ms() - BUDGET["urgent"] + MINUTE // 2
    delivery_id = await stage.deliver([ids], lane="urgent", at=written)
    stage.line.then(
        Part(2, deferred=(Deferred(ids[1], Reason.TEMPORARILY_REFUSED, "4.7.1", retry_after=300),))
    )
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert await refusals_of(stage.database, delivery_id) == {ids[1]: "temporarily_refused"}
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused, found.open) == (1, 1, 0)


async def test_one_batch_for_all_who_were_deferred_by_one(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    delivery_id = await stage.deliver([ids])
    stage.line.then(
        Part(3, deferred=(Deferred(ids[1], Reason.SERVER_BUSY),)),
        Part(3, deferred=(Deferred(ids[3], Reason.SERVER_BUSY), Deferred(ids[5], Reason.SERVER_BUSY))),
    )
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)
    assert sorted(stage.line.accepted[-3:]) == [ids[1], ids[3], ids[5]]
    assert sorted(set(stage.line.accepted)) == ids


async def test_nothing_is_sent_after_the_time_that_the_delivery_names(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids])
    await run_sql(
        stage.database,
        "UPDATE delivery SET send_until = :past WHERE id = :id",
        past=now_ms() - 1,
        id=delivery_id,
    )
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert stage.line.calls == []
    [row] = await rows_of(stage.database, delivery_id)
    assert (row.refused, row.reason) == (2, "expired")


async def test_what_may_have_arrived_before_the_time_was_over_is_unknown(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids])
    await run_sql(stage.database, "UPDATE batch SET state = 'unknown', maybe_sent = :yes", yes=True)
    await run_sql(stage.database, "UPDATE delivery SET send_until = :past", past=now_ms() - 1)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    [row] = await rows_of(stage.database, delivery_id)
    assert (row.unknown, row.reason) == (2, "expired")


@pytest.mark.parametrize("lane", ["urgent", "routine", "digest"])
async def test_every_lane_is_sent(stage: Stage, lane: str) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids], lane=lane)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert sorted(stage.line.accepted) == ids


def test_nobody_deferred_means_nothing_later() -> None:
    assert later(None, (), HOUR) == (None, [])


async def _batches(stage: Stage, delivery_id: int, number: int) -> bool:
    return len(await rows_of(stage.database, delivery_id)) == number
