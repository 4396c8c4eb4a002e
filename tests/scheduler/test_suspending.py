"""An account leaves the town profile under an open delivery: suspended, told, and sent on when it is back."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from content.clock import MINUTE
from content.ledger.suspensions import ACCOUNT_GONE, GIVEN_UP
from scheduler import notice_service
from scheduler.fanout import plan_next
from scheduler.suspending import give_up_rest, mark_suspended
from scheduler.sweeps import GRACE, sweep
from scheduler.town_context import BUDGET
from scheduler.triggers import fire_due
from tests.factories import create_town
from tests.scheduler.scripted import (
    Stage,
    deliveries_of,
    eventually,
    fire,
    make_stage,
    plan_all,
    run_sql,
    sending,
    settled,
    states,
    tally_of,
)

pytestmark = pytest.mark.faults

SAIGAI: dict[str, Any] = {"category": "saigai", "urgency": "urgent"}


def without_line(stage: Stage) -> Stage:
    """The same database after a restart with a profile that has no LINE account."""
    return restarted(stage, {"key": "mail", "channel": "mail"})


def line_became_mail(stage: Stage) -> Stage:
    """After a restart with a profile in which the account `line` is one for mail."""
    return restarted(stage, {"key": "line", "channel": "mail"})


def restarted(stage: Stage, *accounts: dict[str, str]) -> Stage:
    return make_stage(create_town(accounts=accounts), stage.database, stage.context.keys)


CHANGES = [without_line, line_became_mail]


@pytest.mark.parametrize("change", CHANGES)
async def test_planning_waits_for_the_account_and_goes_on_when_it_is_back(stage: Stage, change: Any) -> None:
    ids = await stage.subscribers(3)
    delivery_id = (await fire(stage, **SAIGAI))["line"]
    changed = change(stage)
    await mark_suspended(changed.context)
    await plan_all(changed)
    found = await tally_of(stage.database, delivery_id)
    assert (found.state, found.reason, found.planned) == ("planning", ACCOUNT_GONE, 0)
    await mark_suspended(stage.context)
    await plan_all(stage)
    async with sending(stage.context):
        await eventually(lambda: _all_accepted(stage, delivery_id, len(ids)))
    assert sorted(stage.line.accepted) == ids


@pytest.mark.parametrize("change", CHANGES)
async def test_batches_wait_for_the_account_and_go_out_when_it_is_back(stage: Stage, change: Any) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids[:2], ids[2:]], lane="urgent")
    changed = change(stage)
    await mark_suspended(changed.context)
    async with sending(changed.context):
        for _ in range(10):
            await changed.hurry()
            await asyncio.sleep(0.02)
    assert all(script.calls == [] for script in changed.scripts.values())
    found = await tally_of(stage.database, delivery_id)
    assert (found.open, found.reason) == (4, ACCOUNT_GONE)
    await mark_suspended(stage.context)
    assert (await tally_of(stage.database, delivery_id)).suspended_at is None
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)
    assert sorted(stage.line.accepted) == ids


async def test_the_time_of_the_loss_stays_however_often_the_sweep_looks(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    changed = without_line(stage)
    await sweep(changed.context)
    await run_sql(stage.database, "UPDATE delivery SET suspended_at = 5")
    await sweep(changed.context)
    assert (await tally_of(stage.database, delivery_id)).suspended_at == 5


async def test_what_has_ended_is_not_suspended(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    await run_sql(stage.database, "UPDATE batch SET state = 'settled', accepted = 2")
    await mark_suspended(without_line(stage).context)
    assert (await tally_of(stage.database, delivery_id)).suspended_at is None


async def test_past_its_time_a_suspended_delivery_is_closed(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    planning = (await fire(stage, **SAIGAI))["line"]
    waiting = await stage.deliver([ids], lane="urgent")
    changed = without_line(stage)
    await mark_suspended(changed.context)
    late = BUDGET["urgent"] + GRACE + MINUTE
    await run_sql(stage.database, f"UPDATE delivery SET created_at = created_at - {late}")
    await stage.age(late)
    await sweep(changed.context)
    assert await plan_next(changed.context) == 0
    await mark_suspended(changed.context)
    assert (await tally_of(stage.database, planning)).state == "stopped"
    found = await tally_of(stage.database, waiting)
    assert (found.open, found.refused, found.suspended_at) == (0, 3, None)


async def test_a_person_gives_up_the_rest_of_what_is_suspended(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    notice_id = await stage.notice(**SAIGAI)
    delivery_id = await stage.deliver([ids[:2], ids[2:4], ids[4:]], lane="urgent", notice_id=notice_id)
    await run_sql(stage.database, "UPDATE batch SET state = 'settled', accepted = 2 WHERE seq = 0")
    await run_sql(stage.database, "UPDATE batch SET state = 'unknown', maybe_sent = true WHERE seq = 2")
    changed = without_line(stage)
    assert not await give_up_rest(changed.context, notice_id, staff="tanaka")
    await mark_suspended(changed.context)
    assert await give_up_rest(changed.context, notice_id, staff="tanaka")
    assert not await give_up_rest(changed.context, notice_id, staff="tanaka")
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown, found.open) == (2, 2, 2, 0)
    status = await notice_service.status(changed.context, notice_id)
    assert (status.state, status.reasons) == ("partly", (("line", GIVEN_UP, 4),))


async def test_what_was_given_up_stays_so_when_the_account_is_back(stage: Stage) -> None:
    await stage.subscribers(3)
    notice_id = await stage.notice(**SAIGAI)
    assert await fire_due(stage.context) == 1
    await mark_suspended(without_line(stage).context)
    assert await give_up_rest(stage.context, notice_id, staff="tanaka")
    await mark_suspended(stage.context)
    await plan_all(stage)
    opened = (await deliveries_of(stage.database, notice_id))["line"]
    assert (opened.state, opened.reason) == ("stopped", GIVEN_UP)
    assert await states(stage.database, opened.id) == []


async def _all_accepted(stage: Stage, delivery_id: int, number: int) -> bool:
    return (await tally_of(stage.database, delivery_id)).accepted == number
