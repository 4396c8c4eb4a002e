"""The sender is stopped, killed, robbed of its lease or of its database: nothing is lost or doubled."""

from __future__ import annotations

import asyncio
import errno
from collections import Counter

import pytest
from sqlalchemy import text, update
from structlog.testing import capture_logs

from channels.channel import Part, Refusal, UnknownOutcome
from channels.reasons import Reason
from content import clock
from content.database import Database
from content.keys import Keys
from content.register.subscribers import address
from content.town import Town
from scheduler import batch_sender, lane
from scheduler.sender import Sender
from scheduler.sweeps import sweep, take_over
from tests.scheduler.scripted import (
    Script,
    Stage,
    eventually,
    make_stage,
    refusals_of,
    rows_of,
    run_sql,
    sending,
    settled,
    states,
    tally_of,
)

pytestmark = pytest.mark.faults


async def until(stage: Stage, delivery_id: int, state: str) -> None:
    async def reached() -> bool:
        return state in await states(stage.database, delivery_id)

    await eventually(reached)


async def until_settled(stage: Stage, delivery_id: int) -> None:
    await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)


async def test_an_owner_whose_lease_ran_out_can_settle_nothing(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids])

    async def lose_the_lease() -> None:
        await run_sql(stage.database, "UPDATE batch SET fence = fence + 1, lease_owner = 'another'")

    refusal = Part(1, (Refusal(ids[1], Reason.REFUSED),))
    stage.line.then(1, lose_the_lease, refusal, 2)
    async with sending(stage.context):
        await eventually(lambda: _lost(stage, delivery_id))
        await asyncio.sleep(0.1)
        (row,) = await rows_of(stage.database, delivery_id)
    assert (row.state, row.lease_owner) == ("claimed", "another")
    assert (row.position, row.accepted, row.refused) == (1, 1, 0)
    assert await refusals_of(stage.database, delivery_id) == {}
    # It also stops handing out the rest, which is the other's now.
    assert stage.line.accepted == ids[:1]


async def test_an_owner_whose_lease_ran_out_cannot_give_the_batch_back_either(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])

    async def lose_the_lease() -> None:
        await run_sql(stage.database, "UPDATE batch SET fence = fence + 1, lease_owner = 'another'")

    stage.line.then(lose_the_lease, UnknownOutcome(Reason.NO_ANSWER, "応答なし"))
    async with sending(stage.context):
        await eventually(lambda: _lost(stage, delivery_id))
        await asyncio.sleep(0.1)
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.state, row.lease_owner, row.reason) == ("claimed", "another", "")


async def test_an_address_that_cannot_be_opened_is_refused_alone(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "AHEAD", 4)
    ids = await stage.subscribers(6)
    async with stage.database.write() as connection:
        broken = update(address).where(address.c.subscriber_id == ids[3])
        await connection.execute(broken.values(sealed=bytes([1]) + bytes(40)))
    delivery_id = await stage.deliver([ids[:2], ids[2:4], ids[4:]])
    async with sending(stage.context):
        await eventually(lambda: _have(stage, delivery_id, ["settled"] * 3))
    assert sorted(stage.line.accepted) == [*ids[:3], *ids[4:]]
    rows = await rows_of(stage.database, delivery_id)
    assert [(row.attempt, row.accepted, row.refused) for row in rows] == [(1, 2, 0), (1, 1, 1), (1, 2, 0)]


async def _accepted(stage: Stage, number: int) -> bool:
    return len(stage.line.accepted) >= number


async def _lost(stage: Stage, delivery_id: int) -> bool:
    (row,) = await rows_of(stage.database, delivery_id)
    return bool(row.lease_owner == "another")


async def _have(stage: Stage, delivery_id: int, wanted: list[str]) -> bool:
    return await states(stage.database, delivery_id) == wanted


async def _called(stage: Stage, times: int) -> bool:
    return len(stage.line.calls) >= times


async def test_a_lease_that_ran_out_is_swept_and_the_rest_goes_out_with_the_same_key(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    delivery_id = await stage.deliver([ids])
    forever = asyncio.Event()
    stage.line.then(1, forever)
    sender = Sender(stage.context, "killed")
    running = asyncio.create_task(sender.run())
    await eventually(lambda: _position(stage, delivery_id, 1))
    running.cancel()
    await sweep(stage.context)
    assert await states(stage.database, delivery_id) == ["claimed"]
    await run_sql(stage.database, "UPDATE batch SET lease_until = 1")
    await sweep(stage.context)
    assert await states(stage.database, delivery_id) == ["unknown"]
    await sender.stop(0)
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    first, second = stage.line.calls
    assert first.retry_key == second.retry_key
    assert second.recipients == tuple(ids[1:])
    assert Counter(stage.line.accepted) == Counter(ids)


async def _position(stage: Stage, delivery_id: int, position: int) -> bool:
    return bool((await rows_of(stage.database, delivery_id))[0].position == position)


async def test_stopping_lets_finish_what_is_in_flight_and_claims_nothing_more(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids[:2], ids[2:]])
    gate = asyncio.Event()
    stage.line.then(gate)
    sender = Sender(stage.context, "tester")
    running = asyncio.create_task(sender.run())
    await eventually(lambda: _called(stage, 1))
    stopping = asyncio.create_task(sender.stop(within=60))
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.wait_for(asyncio.gather(stopping, running), 60)
    assert await states(stage.database, delivery_id) == ["settled", "ready"]
    assert len(stage.line.calls) == 1


async def test_stopping_ends_a_long_batch_at_its_next_part_and_gives_the_rest_back(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    delivery_id = await stage.deliver([ids])
    gate = asyncio.Event()
    stage.line.then(2, gate, 2)
    sender = Sender(stage.context, "tester")
    running = asyncio.create_task(sender.run())
    await eventually(lambda: _position(stage, delivery_id, 2))
    stopping = asyncio.create_task(sender.stop(within=60))
    await asyncio.sleep(0.05)
    gate.set()
    await asyncio.wait_for(asyncio.gather(stopping, running), 60)
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.state, row.position, row.maybe_sent, row.lease_owner) == ("ready", 2, False, "")
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert stage.line.accepted == ids


async def test_a_process_that_stood_still_for_longer_than_its_lease_sends_no_more_of_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = await stage.subscribers(6)
    delivery_id = await stage.deliver([ids])
    stood_still = 0.0
    monkeypatch.setattr(batch_sender, "monotonic_seconds", lambda: clock.monotonic_seconds() + stood_still)

    async def stand_still() -> None:
        nonlocal stood_still
        await run_sql(stage.database, "UPDATE batch SET state = 'claimed', fence = fence + 1")
        stood_still = 60.0

    stage.line.then(2, stand_still, 2)
    async with sending(stage.context):
        await eventually(lambda: _stood_still(stage, delivery_id))
        await asyncio.sleep(0.1)
    assert stage.line.accepted == ids[:2]


async def _stood_still(stage: Stage, delivery_id: int) -> bool:
    return (await rows_of(stage.database, delivery_id))[0].fence == 2


async def test_what_is_cut_off_by_stopping_is_taken_over_at_the_next_start(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    delivery_id = await stage.deliver([ids])
    stage.line.then(2, asyncio.Event())
    async with sending(stage.context, within=0.05):
        await eventually(lambda: _position(stage, delivery_id, 2))
    assert await states(stage.database, delivery_id) == ["claimed"]
    await take_over(stage.context)
    assert await states(stage.database, delivery_id) == ["unknown"]
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert [call.recipients for call in stage.line.calls] == [tuple(ids), (ids[2],)]
    assert len({call.retry_key for call in stage.line.calls}) == 1
    assert Counter(stage.line.accepted) == Counter(ids)


async def test_nothing_is_sent_any_more_when_stop_comes_while_a_claim_is_on_its_way(
    small_stage: Stage,
) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(2)])
    other = Database(small_stage.database.url)
    sender = Sender(small_stage.context, "tester")
    try:
        async with other.write() as connection:
            # The ledger is busy: every lane waits inside its claim.
            await connection.execute(text("UPDATE batch SET reason = reason"))
            running = asyncio.create_task(sender.run())
            await asyncio.sleep(0.1)
            await sender.stop(within=0.1)
        await asyncio.wait_for(running, 60)
    finally:
        await other.close()
    assert small_stage.line.calls == []
    assert await states(small_stage.database, delivery_id) == ["ready"]


async def test_after_stop_has_returned_nothing_is_running(small_stage: Stage) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(2)])
    ended = asyncio.Event()

    async def slow_to_end() -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    small_stage.line.then(slow_to_end)
    async with sending(small_stage.context, within=0.05):
        await until(small_stage, delivery_id, "claimed")
        await eventually(lambda: _called(small_stage, 1))
    assert ended.is_set()
    assert small_stage.line.closed == 3


async def test_when_the_ledger_is_away_at_settling_the_sweep_mends_it(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids])

    async def take_the_ledger_away() -> None:
        await run_sql(stage.database, "ALTER TABLE batch RENAME TO batch_away")

    stage.line.then(take_the_ledger_away, 2)
    async with sending(stage.context):
        await eventually(lambda: _accepted(stage, 2))
        # Claims fail meanwhile, and the lanes live on.
        await asyncio.sleep(0.2)
        await run_sql(stage.database, "ALTER TABLE batch_away RENAME TO batch")
        (row,) = await rows_of(stage.database, delivery_id)
        assert (row.state, row.position) == ("claimed", 0)
        await run_sql(stage.database, "UPDATE batch SET lease_until = 1")
        await sweep(stage.context)
        await until_settled(stage, delivery_id)
    # The repeat carries the key under which the first was accepted, so LINE delivers once.
    assert len(stage.line.calls) == 2
    assert len({(call.retry_key, call.recipients) for call in stage.line.calls}) == 1
    assert (await tally_of(stage.database, delivery_id)).accepted == 2


async def test_when_the_ledger_refuses_one_entry_the_batch_is_repeated_with_its_key(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    delivery_id = await stage.deliver([ids])
    stage.line.then(Part(2, (Refusal(999_999, Reason.MAILBOX_UNKNOWN),)))
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert len({(call.retry_key, call.recipients) for call in stage.line.calls}) == 1
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (2, 0, 0)


async def test_a_lane_outlives_a_ledger_that_is_away_for_a_while(stage: Stage) -> None:
    await run_sql(stage.database, "ALTER TABLE batch RENAME TO batch_away")
    async with sending(stage.context):
        await asyncio.sleep(0.2)
        await run_sql(stage.database, "ALTER TABLE batch_away RENAME TO batch")
        delivery_id = await stage.deliver([await stage.subscribers(2)])
        await until_settled(stage, delivery_id)


async def test_senders_killed_again_and_again_lose_nobody_and_keep_every_key(
    town: Town, sqlite_database: Database, keys: Keys
) -> None:
    stage = make_stage(town, sqlite_database, keys, line=Script(concurrency=3))
    ids = await stage.subscribers(40)
    delivery_id = await stage.deliver([ids[start : start + 4] for start in range(0, 40, 4)])

    async def pause() -> None:
        await asyncio.sleep(0.03)

    for _ in range(60):
        stage.line.then(1, pause, 1, pause, 1, pause, 1)
    for _ in range(8):
        sender = Sender(stage.context, "killed")
        running = asyncio.create_task(sender.run())
        await asyncio.sleep(0.12)
        await sender.stop(within=0)
        await running
        await take_over(stage.context)
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    found = await tally_of(sqlite_database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (40, 0, 0)
    assert set(stage.line.accepted) == set(ids)
    rows = await rows_of(sqlite_database, delivery_id)
    assert {call.retry_key for call in stage.line.calls} == {row.retry_key for row in rows}
    # At most the part in flight is repeated, each time under the same key.
    for call in stage.line.calls:
        assert len(call.recipients) <= 4


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.EMFILE, "too many open files")])
async def test_a_machine_that_is_short_of_memory_is_asked_ever_more_rarely_and_says_so(
    small_stage: Stage, error: Exception
) -> None:
    """Forty batches wait, and none that fails makes room for the next at once."""
    ids = await small_stage.subscribers(40)
    delivery_id = await small_stage.deliver([[one] for one in ids])
    for _ in ids:
        small_stage.line.then(error)
    with capture_logs() as lines:
        async with sending(small_stage.context):
            await eventually(lambda: _called(small_stage, 3))
            # After one and two seconds it waits four.
            await asyncio.sleep(2.5)
    assert len(small_stage.line.calls) == 3
    told = [line for line in lines if line["event"] == "machine_is_short"]
    assert [line["waits"] for line in told] == [1.0, 2.0, 4.0]
    assert {(line["log_level"], line["account"]) for line in told} == {("error", "line")}
    small_stage.line.acts.clear()
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    assert (await tally_of(small_stage.database, delivery_id)).accepted == 40
