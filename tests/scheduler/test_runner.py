"""The whole of it as one process runs it: from the approval to the finished notice."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from content.clock import now_ms
from content.ledger.tallies import nothing_open
from scheduler import fanout, notice_service, runner
from scheduler.runner import Runner
from scheduler.sweeps import sweep
from scheduler.town_context import TownContext
from tests.factories import line_id, spec
from tests.scheduler.outside import Outside, register
from tests.scheduler.scripted import Stage, deliveries_of, eventually, run_sql, settled, states, tally_of


@pytest.fixture(autouse=True)
def ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "POLL", 0.02)
    monkeypatch.setattr(runner, "DRAIN", 1.0)


@asynccontextmanager
async def running(context: TownContext) -> AsyncIterator[None]:
    one = Runner(context)
    await one.start()
    try:
        yield
    finally:
        await asyncio.wait_for(one.stop(), 60)


async def post(stage: Stage, key: str = "form", **changes: object) -> int:
    wanted = spec(**{"category": "saigai", **changes})
    notice_id, _ = await notice_service.store(stage.context, wanted, submission_key=key, staff="tanaka")
    # One story sends the same words several times.
    assert await notice_service.approve(
        stage.context, notice_id, staff="suzuki", accepted=["repeated", "night-booking"]
    )
    return notice_id


async def until_state(stage: Stage, notice_id: int, *wanted: str) -> None:
    async def reached() -> bool:
        return (await notice_service.status(stage.context, notice_id)).state in wanted

    await eventually(reached)


async def test_an_approved_notice_is_finished_without_anybody_doing_more(stage: Stage) -> None:
    ids = await stage.subscribers(5)
    async with running(stage.context):
        notice_id = await post(stage)
        await until_state(stage, notice_id, "finished")
    assert Counter(stage.line.accepted) == Counter(ids)
    status = await notice_service.status(stage.context, notice_id)
    assert (status.planned, status.accepted, status.open) == (5, 5, 0)
    async with stage.database.read() as connection:
        assert await nothing_open(connection)


async def test_a_notice_reaches_every_channel_outside(real: Stage, outside: Outside) -> None:
    outside.line_friends(8)
    keys = real.context.keys
    await register(real.database, keys, "line", [line_id(number) for number in range(1, 9)])
    await register(real.database, keys, "mail", [f"p{number}@example.jp" for number in range(6)])
    async with running(real.context):
        notice_id = await post(real, urgency="urgent", channels=("line", "mail"))
        await until_state(real, notice_id, "finished")
    assert set(outside.chats.values()) == {1} and len(outside.chats) == 8
    assert outside.smtp.mailroom.stats() == {"messages": 6, "recipients": 6, "duplicates": 0, "kept": 6}


async def test_a_notice_for_nobody_ends_and_says_so(stage: Stage) -> None:
    async with running(stage.context):
        # Nobody is there any more when it fires.
        notice_id = await stage.notice()
        await until_state(stage, notice_id, "nobody")


async def test_a_scheduled_notice_goes_out_at_its_time_and_not_before(small_stage: Stage) -> None:
    await small_stage.subscribers(2)
    due = now_ms() + 500
    async with running(small_stage.context):
        notice_id = await post(small_stage, at=due)
        await until_state(small_stage, notice_id, "scheduled")
        await until_state(small_stage, notice_id, "finished")
    (line,) = (await notice_service.status(small_stage.context, notice_id)).tallies
    assert line.first_accepted_at is not None
    assert line.first_accepted_at >= due


async def test_what_was_left_open_is_finished_after_a_restart(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 2)
    ids = await stage.subscribers(9)
    stage.line.then(1, asyncio.Event())
    monkeypatch.setattr(runner, "DRAIN", 0.05)
    async with running(stage.context):
        notice_id = await post(stage)
        delivery_id = await eventually(lambda: _first_delivery(stage, notice_id))
        await eventually(lambda: _recorded(stage, delivery_id))
    if not stage.database.is_sqlite:
        # Others may be sending on this database, so a lease is respected until it has run out.
        await run_sql(stage.database, "UPDATE batch SET lease_until = 1 WHERE state = 'claimed'")
        await sweep(stage.context)
    async with running(stage.context):
        await until_state(stage, notice_id, "finished")
    assert Counter(stage.line.accepted) == Counter(ids)
    assert (await tally_of(stage.database, delivery_id)).accepted == 9


async def _first_delivery(stage: Stage, notice_id: int) -> int | None:
    opened = await deliveries_of(stage.database, notice_id)
    return opened["line"].id if opened else None


async def _recorded(stage: Stage, delivery_id: int) -> bool:
    return bool((await tally_of(stage.database, delivery_id)).accepted)


async def test_the_only_process_takes_over_leases_and_one_of_several_leaves_them_alone(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    await run_sql(
        stage.database,
        "UPDATE batch SET state = 'claimed', lease_owner = 'first', lease_until = :until",
        until=now_ms() + 60_000,
    )
    async with running(stage.context):
        if stage.database.is_sqlite:
            await eventually(lambda: settled(stage.database, delivery_id))
        else:
            await asyncio.sleep(0.2)
            assert await states(stage.database, delivery_id) == ["claimed"]
            assert stage.line.calls == []


async def test_urgent_notices_pass_a_large_routine_one(
    small_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 4)
    await small_stage.subscribers(20)
    hold_routine = asyncio.Event()
    small_stage.line.then(hold_routine)
    async with running(small_stage.context):
        routine = await post(small_stage, key="routine")
        await eventually(lambda: _called(small_stage))
        urgent = await post(small_stage, key="urgent", urgency="urgent")
        await until_state(small_stage, urgent, "finished")
        opened = (await deliveries_of(small_stage.database, routine))["line"]
        assert (await tally_of(small_stage.database, opened.id)).accepted == 0
        hold_routine.set()
        await until_state(small_stage, routine, "finished")


async def _called(stage: Stage) -> bool:
    return bool(stage.line.calls)


@pytest.mark.faults
async def test_the_loops_outlive_a_ledger_that_is_away_for_a_while(stage: Stage) -> None:
    await stage.subscribers(3)
    async with running(stage.context):
        await run_sql(stage.database, "ALTER TABLE delivery RENAME TO delivery_away")
        notice_id = await post(stage)
        await asyncio.sleep(0.2)
        await run_sql(stage.database, "ALTER TABLE delivery_away RENAME TO delivery")
        await until_state(stage, notice_id, "finished")
    assert len(stage.line.accepted) == 3


@pytest.mark.faults
async def test_stopping_in_the_middle_of_a_fan_out_leaves_the_ledger_free(
    small_stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 1)
    await small_stage.subscribers(200)
    notice_id = None
    for _ in range(8):
        async with running(small_stage.context):
            notice_id = notice_id or await post(small_stage)
            await asyncio.sleep(0.03)
        # A transaction that was cut off in the middle would keep SQLite's lock for half a minute.
        async with asyncio.timeout(25):
            await run_sql(small_stage.database, "UPDATE batch SET reason = reason")
    opened = await _first_delivery(small_stage, notice_id or 0)
    assert 0 < (await tally_of(small_stage.database, opened or 0)).planned < 200


async def test_stopping_twice_or_before_anything_happened_is_no_error(small_stage: Stage) -> None:
    one = Runner(small_stage.context)
    await one.start()
    await one.stop()
    await one.stop()
    assert {task for task in asyncio.all_tasks() if not task.done()} == {asyncio.current_task()}


async def test_a_loop_that_ended_by_itself_is_named(stage: Stage) -> None:
    one = Runner(stage.context)
    await one.start()
    assert one.ended_loops() == []
    sweeps = next(task for task in one._tasks if task.get_name() == "sweeps")
    sweeps.cancel()
    await asyncio.gather(sweeps, return_exceptions=True)
    assert one.ended_loops() == ["sweeps"]
    await one.stop()
    assert one.ended_loops() == []
