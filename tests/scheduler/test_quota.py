"""The month's quota: a notice goes to everyone who is meant or to nobody, asked of LINE's stand-in."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from content.database import Database
from content.keys import Keys
from content.ledger.tallies import Tally, nothing_open
from content.notices.segments import Target
from content.town import Town
from scheduler import fanout, notice_service, quota
from scheduler.fanout import plan_slice
from scheduler.shortages import Shortage
from scheduler.triggers import fire_due
from tests.factories import line_id, spec
from tests.scheduler.outside import Outside, register
from tests.scheduler.scripted import (
    Stage,
    deliveries_of,
    eventually,
    fire,
    plan_all,
    rows_of,
    sending,
    settled,
    tally_of,
)

FRIENDS = 23
SAIGAI: dict[str, Any] = {"category": "saigai"}
EVERYONE = {"category": "saigai", "target": Target("everyone")}


@pytest.fixture
def stage(town: Town, database: Database, keys: Keys, outside: Outside) -> Stage:
    """Real channels, on SQLite and on PostgreSQL."""
    outside.line_friends(FRIENDS)
    return Stage(outside.context(town, database, keys), {})


def allow(outside: Outside, messages: int) -> None:
    """LINE lets the account reach so many people this month."""
    outside.line.channel.quota.change_plan({"type": "limited", "value": messages})


async def friends(stage: Stage) -> None:
    await register(
        stage.database, stage.context.keys, "line", [line_id(number + 1) for number in range(FRIENDS)]
    )


async def planned(stage: Stage, **changes: Any) -> Tally:
    """What became of a notice to all friends once it was planned."""
    delivery_id = (await fire(stage, **{**SAIGAI, **changes}))["line"]
    await plan_all(stage)
    return await tally_of(stage.database, delivery_id)


def is_refused(found: Tally) -> bool:
    figures = (found.planned, found.accepted, found.refused, found.unknown, found.open)
    return (found.state, found.reason) == ("stopped", "quota") and figures == (FRIENDS, 0, FRIENDS, 0, 0)


async def only_shortage(stage: Stage, notice_id: int) -> Shortage:
    (found,) = (await notice_service.status(stage.context, notice_id)).shortages
    return found


async def test_a_notice_that_does_not_fit_is_sent_to_nobody_and_everyone_stands_as_refused(
    stage: Stage, outside: Outside
) -> None:
    allow(outside, FRIENDS - 1)
    await friends(stage)
    notice_id = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    delivery = (await deliveries_of(stage.database, notice_id))["line"]
    async with sending(stage.context):
        await asyncio.sleep(0.2)
    assert outside.multicasts == 0
    assert is_refused(await tally_of(stage.database, delivery.id))
    assert {row.reason for row in await rows_of(stage.database, delivery.id)} == {"quota"}
    status = await notice_service.status(stage.context, notice_id)
    assert status.state == "partly"
    assert status.reasons == (("line", "quota", FRIENDS),)
    assert status.shortages == (Shortage("line", FRIENDS - 1, 0, FRIENDS),)
    async with stage.database.read() as connection:
        assert await nothing_open(connection)


async def test_a_notice_that_just_fits_reaches_everyone(stage: Stage, outside: Outside) -> None:
    allow(outside, FRIENDS)
    await friends(stage)
    delivery_id = (await fire(stage, **SAIGAI))["line"]
    await plan_all(stage)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert (await tally_of(stage.database, delivery_id)).accepted == FRIENDS == len(outside.chats)


async def test_mail_goes_on_when_line_cannot(stage: Stage, outside: Outside) -> None:
    allow(outside, 0)
    await friends(stage)
    await register(stage.database, stage.context.keys, "mail", ["a@example.jp", "b@example.jp"])
    ids = await fire(stage, **SAIGAI, channels=("line", "mail"))
    await plan_all(stage)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, ids["mail"]))
    assert is_refused(await tally_of(stage.database, ids["line"]))
    assert (await tally_of(stage.database, ids["mail"])).accepted == 2


async def test_what_was_sent_this_month_is_not_there_any_more(stage: Stage, outside: Outside) -> None:
    allow(outside, 2 * FRIENDS - 1)
    await friends(stage)
    delivery_id = (await fire(stage, **SAIGAI))["line"]
    await plan_all(stage)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert is_refused(await planned(stage))


async def test_what_another_notice_will_still_use_is_not_there_either(stage: Stage, outside: Outside) -> None:
    allow(outside, 2 * FRIENDS - 1)
    await friends(stage)
    assert (await planned(stage)).state == "planned"
    notice_id = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    assert await only_shortage(stage, notice_id) == Shortage("line", 2 * FRIENDS - 1, FRIENDS, FRIENDS)


async def test_what_another_notice_that_was_refused_would_have_used_is_there(
    stage: Stage, outside: Outside
) -> None:
    allow(outside, 1)
    await friends(stage)
    assert is_refused(await planned(stage))
    allow(outside, FRIENDS)
    assert (await planned(stage)).state == "planned"


async def test_a_notice_that_is_half_planned_keeps_what_it_needs(
    stage: Stage, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 5)
    allow(outside, 2 * FRIENDS - 1)
    await friends(stage)
    first = (await fire(stage, **SAIGAI))["line"]
    assert await plan_slice(stage.context, first)
    second = (await fire(stage, **SAIGAI))["line"]
    await plan_all(stage)
    assert (await tally_of(stage.database, first)).state == "planned"
    assert is_refused(await tally_of(stage.database, second))


async def test_an_urgent_notice_is_not_refused_for_a_routine_one_that_waits(
    stage: Stage, outside: Outside
) -> None:
    allow(outside, 2 * FRIENDS - 1)
    await friends(stage)
    assert (await planned(stage)).state == "planned"
    assert (await planned(stage, urgency="urgent")).state == "planned"
    # But a routine one leaves an urgent one what it needs.
    assert is_refused(await planned(stage))


@pytest.mark.services
async def test_of_two_notices_that_begin_at_once_in_two_processes_one_gets_what_is_left(
    town: Town, postgres_database: Database, keys: Keys, outside: Outside
) -> None:
    outside.line_friends(FRIENDS)
    stage = Stage(outside.context(town, postgres_database, keys), {})
    await friends(stage)
    another = Database(postgres_database.url)
    context = outside.context(town, another, keys)
    used = 0
    for _ in range(8):
        allow(outside, used + 2 * FRIENDS - 1)
        deliveries = [(await fire(stage, **SAIGAI))["line"] for _ in range(2)]
        first, second = deliveries
        # Each process begins with the other notice; whoever finds a row locked looks again.
        while "planning" in [await _state(stage, one) for one in deliveries]:
            await asyncio.gather(
                *(plan_slice(stage.context, one) for one in (first, second)),
                *(plan_slice(context, one) for one in (second, first)),
            )
        assert sorted([await _state(stage, one) for one in deliveries]) == ["planned", "stopped"]
        async with sending(stage.context):
            for one in deliveries:
                await eventually(partial(settled, stage.database, one))
        used += FRIENDS
    await another.close()


async def _state(stage: Stage, delivery_id: int) -> str:
    return (await tally_of(stage.database, delivery_id)).state


async def test_a_refusal_is_kept_through_a_crash_even_if_the_plan_was_raised_meanwhile(
    stage: Stage, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 5)
    allow(outside, 1)
    await friends(stage)
    delivery_id = (await fire(stage, **SAIGAI))["line"]
    assert await plan_slice(stage.context, delivery_id)
    half = await tally_of(stage.database, delivery_id)
    assert (half.state, half.planned, half.refused, half.open) == ("planning", 5, 5, 0)
    allow(outside, 1_000)
    async with sending(stage.context):
        await plan_all(stage)
    assert is_refused(await tally_of(stage.database, delivery_id))
    assert outside.multicasts == 0


async def test_line_is_asked_once_for_a_notice_and_not_for_every_slice(
    stage: Stage, outside: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 5)
    allow(outside, 1_000)
    await friends(stage)
    await planned(stage)
    asked = [row["endpoint"] for row in outside.line.requests if "quota" in row["endpoint"]]
    assert sorted(asked) == ["GET /v2/bot/message/quota", "GET /v2/bot/message/quota/consumption"]


async def test_a_plan_without_a_limit_bears_everything(stage: Stage, outside: Outside) -> None:
    outside.line.channel.quota.change_plan({"type": "none"})
    await friends(stage)
    assert (await planned(stage)).state == "planned"


async def test_a_notice_for_nobody_is_not_called_too_large(stage: Stage, outside: Outside) -> None:
    allow(outside, 0)
    found = await planned(stage)
    assert (found.state, found.reason, found.planned) == ("planned", "", 0)


async def test_a_broadcast_counts_like_its_registrations(stage: Stage, outside: Outside) -> None:
    allow(outside, FRIENDS - 1)
    await friends(stage)
    delivery_id = (await fire(stage, **EVERYONE))["line"]
    await plan_all(stage)
    assert is_refused(await tally_of(stage.database, delivery_id))
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.kind, row.state) == ("broadcast", "settled")


NO_ANSWER = [
    pytest.param({"action": "status", "code": 500}, id="error"),
    pytest.param({"action": "reset"}, id="reset"),
    pytest.param({"action": "hang"}, id="hanging"),
    pytest.param({"action": "status", "code": 401}, id="token"),
    pytest.param({"action": "status", "code": 429}, id="rate"),
]


@pytest.mark.faults
@pytest.mark.parametrize("urgency", ["urgent", "routine"])
@pytest.mark.parametrize("fault", NO_ANSWER)
async def test_without_an_answer_a_notice_goes_out_and_line_itself_decides(
    stage: Stage, outside: Outside, fault: dict[str, Any], urgency: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quota, "MAX_WAIT", 0.2)
    allow(outside, 1)
    await friends(stage)
    outside.fault(match={"path": "*/quota*"}, times=9, **fault)
    # The channel itself would wait for half a minute.
    async with asyncio.timeout(20):
        found = await planned(stage, urgency=urgency)
    assert (found.state, found.open) == ("planned", FRIENDS)


@pytest.mark.faults
async def test_an_address_that_nobody_could_ask_is_no_reason_to_stop_planning(
    stage: Stage, outside: Outside
) -> None:
    await friends(stage)
    outside.line_origin = "http://[half an address"
    assert (await planned(stage)).state == "planned"


async def test_an_urgent_notice_waits_a_second_for_the_answer_at_the_most() -> None:
    assert quota.MAX_WAIT <= 1.0


async def test_before_anything_is_stored_it_is_said_which_account_cannot_bear_a_notice(
    stage: Stage, outside: Outside
) -> None:
    allow(outside, 30)
    await friends(stage)
    wanted = spec(**SAIGAI, channels=("line", "mail"))
    assert await quota.foresee(stage.context, wanted, {"line": 30, "mail": 500}) == []
    assert await quota.foresee(stage.context, wanted, {"line": 31, "mail": 500}) == [
        Shortage("line", 30, 0, 31)
    ]
    await planned(stage)
    assert await quota.foresee(stage.context, wanted, {"line": 8}) == [Shortage("line", 30, FRIENDS, 8)]
    urgent = spec(**SAIGAI, urgency="urgent")
    assert await quota.foresee(stage.context, urgent, {"line": 30}) == []
