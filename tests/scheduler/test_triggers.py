"""When a notice goes out: once, at its time, and never by itself when it is too late."""

from __future__ import annotations

import asyncio

import pytest

from content.clock import MINUTE, words
from content.database import Database
from content.keys import Keys
from content.ledger.deliveries import delivery
from content.ledger.tallies import progress_state
from content.notices import notice_changes, triggers
from content.notices.segments import Target
from content.staff import audit
from scheduler import notice_service
from scheduler.town_context import TownContext
from scheduler.triggers import fire_due
from tests.factories import APRIL_TUESDAY, create_town, segment
from tests.scheduler.scripted import (
    Stage,
    another_process,
    count,
    deliveries_of,
    get_notice,
    make_stage,
    run_sql,
)

NINE_THIRTY = APRIL_TUESDAY
NEXT_MORNING = NINE_THIRTY + 24 * 60 * MINUTE


async def test_a_due_notice_fires_and_opens_a_delivery_for_each_channel(stage: Stage) -> None:
    notice_id = await stage.notice(written=NINE_THIRTY, channels=("line", "mail"), urgency="urgent")
    assert await fire_due(stage.context, NINE_THIRTY) == 1
    opened = await deliveries_of(stage.database, notice_id)
    assert set(opened) == {"line", "mail"}
    assert {(row.state, row.lane) for row in opened.values()} == {("planning", "urgent")}
    fired = await get_notice(stage.database, notice_id)
    assert (fired.trigger_state, fired.fired_at) == ("fired", NINE_THIRTY)
    assert {row.version_id for row in opened.values()} == {fired.version_id}


async def test_a_due_notice_fires_once_however_many_processes_ask_at_once(stage: Stage) -> None:
    for _ in range(5):
        await stage.notice(written=NINE_THIRTY)
    async with another_process(stage) as other:
        fired = await asyncio.gather(
            *(fire_due(context, NINE_THIRTY) for context in (stage.context, other.context) for _ in range(2))
        )
    assert sum(fired) == 5
    assert await count(stage.database, delivery) == 5


async def test_a_notice_that_has_fired_never_fires_again(stage: Stage) -> None:
    await stage.notice(written=NINE_THIRTY)
    assert [await fire_due(stage.context, NINE_THIRTY + n) for n in range(3)] == [1, 0, 0]


async def test_a_draft_or_cancelled_notice_never_fires(small_stage: Stage) -> None:
    await small_stage.notice(written=NINE_THIRTY, approved=False)
    cancelled = await small_stage.notice(written=NINE_THIRTY)
    assert await notice_service.cancel(small_stage.context, cancelled, staff="tanaka")
    assert await fire_due(small_stage.context, NINE_THIRTY + MINUTE) == 0
    assert await count(small_stage.database, delivery) == 0


async def test_a_notice_fires_or_goes_back_to_a_draft_and_never_both(stage: Stage) -> None:
    booked = [await stage.notice(written=NINE_THIRTY, at=NEXT_MORNING) for _ in range(12)]
    async with another_process(stage) as other:

        async def fire(context: TownContext) -> int:
            return await fire_due(context, NEXT_MORNING)

        async def edit(notice_id: int) -> bool:
            # Beside the first half of them, so that both sides win some.
            await asyncio.sleep(0)
            return await notice_service.take_back(other.context, notice_id, staff="suzuki")

        taken = await asyncio.gather(*map(edit, booked[6:]), fire(stage.context), fire(other.context))
    taken_back = dict(zip(booked[6:], taken[:6], strict=True))
    for notice_id in booked:
        found = await get_notice(stage.database, notice_id)
        deliveries = await deliveries_of(stage.database, notice_id)
        if taken_back.get(notice_id):
            assert (found.state, found.trigger_state, found.approved_by) == ("draft", "waiting", None)
            assert not deliveries
        else:
            assert (found.state, found.trigger_state) == ("approved", "fired")
            assert deliveries
    assert await fire_due(stage.context, NEXT_MORNING) == 0
    assert sum(taken[6:]) == len(booked) - sum(map(bool, taken[:6]))


@pytest.mark.parametrize("first", ["fire", "take back"])
async def test_whoever_takes_back_while_it_fires_waits_and_the_first_one_wins(
    stage: Stage, first: str
) -> None:
    """The first holds the notice, uncommitted, when the second one asks."""
    notice_id = await stage.notice(written=NINE_THIRTY, at=NEXT_MORNING)
    async with another_process(stage) as other:
        async with stage.database.write() as connection:
            if first == "fire":
                assert await triggers.fire(connection, notice_id, NEXT_MORNING)
                second: asyncio.Task[int] = asyncio.create_task(
                    notice_service.take_back(other.context, notice_id, staff="suzuki")
                )
            else:
                assert await notice_changes.back_to_draft(connection, notice_id)
                second = asyncio.create_task(fire_due(other.context, NEXT_MORNING))
            await asyncio.sleep(0.2)
            assert not second.done()
        assert not await second
    found = await get_notice(stage.database, notice_id)
    assert (found.state, found.trigger_state) == (
        ("approved", "fired") if first == "fire" else ("draft", "waiting")
    )


async def test_a_scheduled_notice_waits_for_its_minute(stage: Stage) -> None:
    notice_id = await stage.notice(written=NINE_THIRTY, at=NEXT_MORNING)
    assert await fire_due(stage.context, NEXT_MORNING - 1) == 0
    assert (await get_notice(stage.database, notice_id)).trigger_state == "waiting"
    assert await fire_due(stage.context, NEXT_MORNING) == 1


@pytest.mark.parametrize(("category", "minutes"), [("saigai", 60), ("kosodate", 720)])
@pytest.mark.parametrize(("beyond", "state"), [(0, "fired"), (1, "held")])
async def test_a_notice_goes_out_late_up_to_the_limit_of_its_category_and_is_held_beyond(
    small_stage: Stage, category: str, minutes: int, beyond: int, state: str
) -> None:
    notice_id = await small_stage.notice(written=NINE_THIRTY, category=category, at=NEXT_MORNING)
    await fire_due(small_stage.context, NEXT_MORNING + minutes * MINUTE + beyond)
    assert (await get_notice(small_stage.database, notice_id)).trigger_state == state


async def test_a_notice_approved_before_a_long_downtime_is_held_although_it_was_for_at_once(
    stage: Stage,
) -> None:
    notice_id = await stage.notice(written=NINE_THIRTY, category="saigai")
    assert await fire_due(stage.context, NINE_THIRTY + 61 * MINUTE) == 0
    held = await get_notice(stage.database, notice_id)
    assert progress_state(held, []) == "held"
    assert words(NINE_THIRTY) in held.held_reason
    assert await count(stage.database, delivery) == 0
    assert await count(stage.database, audit.audit_entry) == 1


async def test_a_held_notice_stays_held_until_a_person_lets_it_go(small_stage: Stage) -> None:
    notice_id = await small_stage.notice(written=NINE_THIRTY)
    assert await fire_due(small_stage.context) == 0
    assert await fire_due(small_stage.context) == 0
    assert await notice_service.release(small_stage.context, notice_id, staff="suzuki")
    assert not await notice_service.release(small_stage.context, notice_id, staff="suzuki")
    assert await fire_due(small_stage.context) == 1
    assert (await get_notice(small_stage.database, notice_id)).held_reason == ""


CLOSED_CATEGORY = [{"key": "kosodate", "names": {"ja": "子育て"}, "closed": True}]
EMPTIED = [segment()]
ONE_AREA = [segment({"field": "area", "any_of": ["funaoka"]})]
UNKNOWN_AREA = [segment({"field": "area", "any_of": ["atlantis"]})]
NO_DRILL_ACCOUNT = [{"key": "line", "channel": "line", "mode": "drill"}]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        pytest.param({"categories": CLOSED_CATEGORY, "templates": []}, "受付を終えて", id="category closed"),
        pytest.param({"segments": EMPTIED}, "条件がありません", id="segment emptied"),
        pytest.param({"segments": []}, "町の設定にありません", id="segment removed"),
        pytest.param({"segments": [ONE_AREA[0] | {"closed": True}]}, "使用を終えて", id="segment closed"),
        pytest.param({"segments": UNKNOWN_AREA}, "町の設定にない", id="area unknown"),
        pytest.param({"segments": ONE_AREA, "accounts": NO_DRILL_ACCOUNT}, "アカウント", id="account gone"),
    ],
)
async def test_what_the_town_closed_before_the_time_came_is_held_with_the_reason(
    sqlite_database: Database, keys: Keys, changes: dict[str, object], reason: str
) -> None:
    before = make_stage(create_town(segments=ONE_AREA), sqlite_database, keys)
    notice_id = await before.notice(
        written=NINE_THIRTY, at=NEXT_MORNING, target=Target("segment", "chosen"), channels=("line",)
    )
    after = make_stage(create_town(**changes), sqlite_database, keys)
    assert await fire_due(after.context, NEXT_MORNING) == 0
    held = await get_notice(sqlite_database, notice_id)
    assert held.trigger_state == "held"
    assert reason in held.held_reason
    assert await count(sqlite_database, delivery) == 0


async def test_urgent_notices_fire_before_routine_ones_that_were_due_earlier(stage: Stage) -> None:
    routine = await stage.notice(written=NINE_THIRTY - 5 * MINUTE)
    urgent = await stage.notice(written=NINE_THIRTY, urgency="urgent")
    assert await fire_due(stage.context, NINE_THIRTY) == 2
    first, second = await deliveries_of(stage.database, urgent), await deliveries_of(stage.database, routine)
    assert first["line"].id < second["line"].id


async def test_a_notice_that_cannot_be_read_does_not_keep_the_others_waiting(stage: Stage) -> None:
    broken = await stage.notice(written=NINE_THIRTY, urgency="urgent")
    await stage.notice(written=NINE_THIRTY)
    await run_sql(stage.database, "UPDATE notice_version SET texts = '{' WHERE notice_id = :id", id=broken)
    assert await fire_due(stage.context, NINE_THIRTY) == 1
    assert (await deliveries_of(stage.database, broken)) == {}
