"""At night a routine notice waits for the morning of those who sleep, and is stopped or taken back like any other."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from functools import partial
from uuid import uuid4

import pytest

from content.clock import HOUR, MINUTE, now_ms, to_jst, today_jst
from content.database import Database
from content.keys import Keys
from content.ledger import batches, leases
from content.ledger.deliveries import get_delivery
from content.ledger.recipients import unpack
from content.ledger.resting import rest_late
from content.ledger.tallies import progress_state, tally
from content.notices import notices
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from scheduler import after_sending, notice_service
from scheduler.sweeps import sweep
from scheduler.triggers import fire_due
from tests.factories import create_town, jst, line_id, make_delivery, make_notice, make_subscribers
from tests.scheduler.scripted import (
    Script,
    Stage,
    deliveries_of,
    eventually,
    fire,
    make_stage,
    plan_all,
    rows_of,
    run_sql,
    sending,
    tally_of,
)

TOPIC = frozenset({"kosodate", "saigai"})


def asleep_now() -> str:
    """Quiet hours in which it is now, whatever the hour, and that go on for four hours at least."""
    hour = to_jst(now_ms()).hour
    return f"{(hour - 1) % 24}-{(hour + 5) % 24}"


def awake_now() -> str:
    hour = to_jst(now_ms()).hour
    return f"{(hour + 5) % 24}-{(hour + 8) % 24}"


async def register(stage: Stage, *chosen: Preferences) -> list[int]:
    registrations = [
        Registration("line", "line", line_id(number), one, now_ms()) for number, one in enumerate(chosen)
    ]
    async with stage.database.write() as connection:
        return await register_many(connection, stage.context.keys, registrations, reason="import")


@pytest.fixture
def sleepy(database: Database, keys: Keys) -> Stage:
    """A town that sleeps now."""
    return make_stage(create_town(quiet_hours=asleep_now()), database, keys, line=Script())


async def waits(stage: Stage, delivery_id: int) -> dict[int, bool]:
    """Of each recipient whether the notice waits for the end of quiet hours."""
    now = now_ms()
    return {
        one: row.not_before > now
        for row in await rows_of(stage.database, delivery_id)
        for one in unpack(row.recipients)
    }


async def test_who_sleeps_gets_a_routine_notice_in_the_morning(sleepy: Stage) -> None:
    ids = await register(
        sleepy,
        Preferences(categories=TOPIC),
        Preferences(categories=TOPIC, quiet_hours="none"),
        Preferences(categories=TOPIC, quiet_hours=awake_now()),
        Preferences(categories=TOPIC, quiet_hours=asleep_now(), language="en"),
    )
    delivery_id = (await fire(sleepy))["line"]
    await plan_all(sleepy)
    assert await waits(sleepy, delivery_id) == dict(zip(ids, (True, False, False, True), strict=True))
    (first, *_) = [row for row in await rows_of(sleepy.database, delivery_id) if row.not_before]
    assert to_jst(first.not_before).minute == 0
    assert 3 * HOUR < first.not_before - now_ms() < 6 * HOUR


@pytest.mark.parametrize(
    "changes",
    [
        {"urgency": "urgent"},
        {"category": "saigai"},
        {"target": Target("everyone")},
    ],
    ids=["urgent", "life-critical", "to everyone"],
)
async def test_what_cannot_wait_waits_for_nobody(sleepy: Stage, changes: dict[str, object]) -> None:
    (one,) = await register(sleepy, Preferences(categories=TOPIC))
    delivery_id = (await fire(sleepy, **changes))["line"]
    await plan_all(sleepy)
    assert await waits(sleepy, delivery_id) == {one: False}


async def test_who_paused_gets_only_what_is_life_critical(sleepy: Stage) -> None:
    yesterday, tomorrow = (today_jst() + timedelta(days=days) for days in (-1, 1))
    _, over, _ = await register(
        sleepy,
        Preferences(categories=TOPIC, paused_until=tomorrow),
        Preferences(categories=TOPIC, paused_until=yesterday),
        Preferences(categories=TOPIC, paused_until=date.max),
    )
    routine = (await fire(sleepy))["line"]
    urgent = (await fire(sleepy, urgency="urgent"))["line"]
    critical = (await fire(sleepy, category="saigai"))["line"]
    await plan_all(sleepy)
    assert list(await waits(sleepy, routine)) == [over]
    assert list(await waits(sleepy, urgent)) == [over]
    assert len(await waits(sleepy, critical)) == 3


async def test_the_figures_say_what_rests_and_until_when(sleepy: Stage) -> None:
    await register(sleepy, Preferences(categories=TOPIC), Preferences(categories=TOPIC, quiet_hours="none"))
    delivery_id = (await fire(sleepy))["line"]
    await plan_all(sleepy)
    async with sleepy.database.read() as connection:
        planned = await connection.run_sync(get_delivery, delivery_id)
        notice = await notices.get(connection, planned.notice_id)
        assert notice is not None
        (row,) = rows = await tally(connection, planned.notice_id)
        assert (row.planned, row.open, row.resting) == (2, 2, 1)
        assert row.rest_until is not None and row.rest_until > now_ms()
        assert progress_state(notice, rows) == "sending"
    await send_to_the_awake(sleepy, delivery_id)
    async with sleepy.database.read() as connection:
        assert progress_state(notice, await tally(connection, planned.notice_id)) == "resting"


async def claim_at(stage: Stage, now: int) -> list[batches.Batch]:
    return await stage.database.write_step(
        partial(batches.claim, account="line", lane="routine", owner="test", now=now, lease=MINUTE, most=10)
    )


async def test_in_the_morning_it_goes_out_and_is_not_late(sleepy: Stage) -> None:
    (one,) = await register(sleepy, Preferences(categories=TOPIC))
    delivery_id = (await fire(sleepy))["line"]
    await plan_all(sleepy)
    (row,) = await rows_of(sleepy.database, delivery_id)
    assert await claim_at(sleepy, row.not_before - 1) == []
    (claimed,) = await claim_at(sleepy, row.not_before)
    assert (claimed.recipients, claimed.attempt) == ((one,), 1)
    # Its age counts from the morning on, so that neither sender nor sweep takes it for one left over.
    assert claimed.created_at == row.not_before


async def test_a_restart_at_night_wakes_nobody(sleepy: Stage) -> None:
    await register(sleepy, Preferences(categories=TOPIC))
    delivery_id = (await fire(sleepy))["line"]
    await plan_all(sleepy)
    (before,) = await rows_of(sleepy.database, delivery_id)
    async with sleepy.database.write() as connection:
        assert await leases.forget_times_ahead(connection, now_ms(), lease=MINUTE) == 0
    await sweep(sleepy.context)
    (after,) = await rows_of(sleepy.database, delivery_id)
    assert (after.state, after.not_before) == ("ready", before.not_before)


async def test_a_wait_of_more_than_a_day_is_a_clock_that_was_wrong(sleepy: Stage) -> None:
    await register(sleepy, Preferences(categories=TOPIC))
    await fire(sleepy)
    await plan_all(sleepy)
    two_days = "UPDATE batch SET not_before = not_before + 172800000, created_at = created_at + 172800000"
    await run_sql(sleepy.database, two_days)
    async with sleepy.database.write() as connection:
        assert await leases.forget_times_ahead(connection, now_ms(), lease=MINUTE) == 1


async def test_a_notice_that_is_withdrawn_at_night_does_not_go_in_the_morning(sleepy: Stage) -> None:
    night = await followed_at_night(sleepy, NoticeKind.WITHDRAWAL)
    row = await tally_of(sleepy.database, night.original)
    assert (row.accepted, row.refused, row.open, row.resting) == (1, 1, 0, 0)
    # Only who had it hears that it is taken back, and whoever sleeps is not woken for either.
    assert await waits(sleepy, night.told) == {night.awake: False}
    assert [one.delivery_id for one in await claim_at(sleepy, now_ms() + 12 * HOUR)] == [night.told]
    assert night.asleep not in await waits(sleepy, night.told)


async def test_a_correction_at_night_reaches_who_sleeps_in_the_morning_and_once(sleepy: Stage) -> None:
    night = await followed_at_night(sleepy, NoticeKind.CORRECTION)
    assert await waits(sleepy, night.told) == {night.asleep: True, night.awake: False}
    assert {one.delivery_id for one in await claim_at(sleepy, now_ms() + 12 * HOUR)} == {night.told}


@dataclass(frozen=True)
class Night:
    """Two residents by their ids, the delivery of a notice that only one of them got yet, and of what followed it."""

    asleep: int
    awake: int
    original: int
    told: int


async def followed_at_night(stage: Stage, kind: NoticeKind) -> Night:
    asleep, awake = await register(
        stage, Preferences(categories=TOPIC), Preferences(categories=TOPIC, quiet_hours="none")
    )
    original = await stage.notice()
    first = await delivered(stage, original)
    await send_to_the_awake(stage, first)
    spec = await after_sending.follow_up(stage.context, original, kind)
    follower = await notice_service.post(stage.context, spec, submission_key=uuid4().hex, staff="cli:sato")
    return Night(asleep, awake, first, await delivered(stage, follower))


async def delivered(stage: Stage, notice_id: int) -> int:
    """The delivery by LINE of a notice that is fired and planned now."""
    await fire_due(stage.context)
    await plan_all(stage)
    return (await deliveries_of(stage.database, notice_id))["line"].id


async def send_to_the_awake(stage: Stage, delivery_id: int) -> None:
    async def only_resting_ones_are_open() -> bool:
        row = await tally_of(stage.database, delivery_id)
        return row.open == row.resting

    async with sending(stage.context):
        await eventually(only_resting_ones_are_open)


async def test_what_an_outage_keeps_until_the_night_waits_for_the_morning(
    database: Database, keys: Keys
) -> None:
    """Planned in the evening for all, and planned at night for those who do not sleep: only the former wait."""
    stage = make_stage(create_town(quiet_hours="21-7"), database, keys, line=Script())
    evening, night = jst(2026, 4, 7, 20, 50), jst(2026, 4, 7, 22, 30)
    async with database.write() as connection:
        ids = await make_subscribers(connection, keys, 3)
        made = {}
        for one, at, category in (
            (ids[0], evening, "kosodate"),
            (ids[1], evening, "saigai"),
            (ids[2], night, "event"),
        ):
            notice_id = await make_notice(connection, at=at, category=category)
            made[category] = await make_delivery(connection, [[one]], at=at, notice_id=notice_id)
        assert await rest_late(connection, stage.context.town, jst(2026, 4, 7, 21, 9)) == 0
        assert await rest_late(connection, stage.context.town, night + MINUTE) == 1
        assert await rest_late(connection, stage.context.town, night + 2 * MINUTE) == 0
    (routine,), (critical,), (awake,) = [await rows_of(database, made[name]) for name in made]
    assert routine.not_before == routine.created_at == jst(2026, 4, 8, 7)
    assert max(critical.not_before, awake.not_before) <= night
