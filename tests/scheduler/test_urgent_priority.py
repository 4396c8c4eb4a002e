"""Urgent sends go first on one machine, as long as they get on; a stuck one holds nobody."""

from __future__ import annotations

import asyncio

import pytest

from content.notices.segments import Target
from scheduler import fanout, urgent_priority
from scheduler.fanout import plan_next
from tests.scheduler.scripted import Stage, eventually, fire, rows_of, sending, settled, states


async def test_routine_mails_wait_while_an_urgent_send_gets_on(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Longer than a machine that runs other tests may stand still.
    monkeypatch.setattr(urgent_priority, "HOLD_BACK", 2.0)
    ids = await stage.subscribers(6, "mail")
    gate = asyncio.Event()
    stage.mail.then(2, gate, 2)
    routine = await stage.deliver([ids[:4]], account="mail")
    async with sending(stage.context):
        await eventually(lambda: _position(stage, routine, 2))
        stage.context.urgent_priority.moved("urgent")
        gate.set()
        # The part that was on its way is written down; then the lane gives way.
        await eventually(lambda: _position(stage, routine, 4))
        late = await stage.deliver([ids[4:]], account="mail")
        await asyncio.sleep(0.1)
        stage.context.urgent_priority.moved("urgent")
        assert len(stage.mail.calls) == 1
        await eventually(lambda: settled(stage.database, late))


async def test_an_urgent_send_that_is_stuck_holds_nobody(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    gate = asyncio.Event()
    stage.line.then(gate)
    urgent = await stage.deliver([ids], lane="urgent")
    async with sending(stage.context):
        await eventually(lambda: _called(stage, 1))
        routine = await stage.deliver([ids], account="mail")
        await eventually(lambda: settled(stage.database, routine))
        assert await states(stage.database, urgent) == ["claimed"]
        gate.set()
        await eventually(lambda: settled(stage.database, urgent))


async def test_urgent_lanes_do_not_wait_for_one_another(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urgent_priority, "HOLD_BACK", 60.0)
    stage.context.urgent_priority.moved("urgent")
    async with asyncio.timeout(60):
        await stage.context.urgent_priority.give_way("urgent")


async def test_routine_planning_waits_but_sees_the_next_urgent_notice(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urgent_priority, "HOLD_BACK", 30.0)
    monkeypatch.setattr(fanout, "NAP", 0.01)
    await stage.subscribers(3)
    routine = await fire(stage, urgency="routine", target=Target("everyone"))
    stage.context.urgent_priority.moved("urgent")
    assert await plan_next(stage.context) == 1
    assert await rows_of(stage.database, routine["line"]) == []
    urgent = await fire(stage, urgency="urgent", target=Target("everyone"))
    for _ in urgent:
        await plan_next(stage.context)
    assert await rows_of(stage.database, urgent["line"]) != []
    assert await rows_of(stage.database, routine["line"]) == []


async def _called(stage: Stage, number: int) -> bool:
    return len(stage.line.calls) >= number


async def _position(stage: Stage, delivery_id: int, position: int) -> bool:
    return bool((await rows_of(stage.database, delivery_id))[0].position >= position)


async def test_what_can_wait_makes_room_until_everybody_is_answered(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urgent_priority, "MAKE_ROOM", 60.0)
    priority = stage.context.urgent_priority
    with priority.answering():
        with priority.answering():
            routine = asyncio.create_task(priority.give_way("routine"))
            await priority.give_way("urgent")
        await asyncio.sleep(0.01)
        assert not routine.done(), "one is answered, the other still waits"
    async with asyncio.timeout(30):
        await routine


async def test_a_flood_of_questions_slows_the_rest_and_never_ends_it(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(urgent_priority, "MAKE_ROOM", 0.01)
    ids = await stage.subscribers(4, "mail")
    stage.mail.then(2, 2)
    routine = await stage.deliver([ids], account="mail")
    with stage.context.urgent_priority.answering():
        async with sending(stage.context):
            await eventually(lambda: settled(stage.database, routine))
