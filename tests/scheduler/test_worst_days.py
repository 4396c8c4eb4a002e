"""Long downtimes, lines that die in the middle, a town profile that changes under an open delivery."""

from __future__ import annotations

import pytest

from channels.channel import TemporaryFailure, UnknownOutcome
from channels.reasons import Reason
from content.clock import HOUR
from content.database import Database
from content.keys import Keys
from content.register.subscriber_changes import leave
from content.town import Town
from scheduler.fanout import plan_next
from scheduler.sweeps import GRACE, sweep
from scheduler.town_context import BUDGET
from tests.scheduler.scripted import (
    Script,
    Stage,
    eventually,
    fire,
    make_stage,
    rows_of,
    run_sql,
    sending,
    settled,
    states,
)

pytestmark = pytest.mark.faults

SAIGAI = {"category": "saigai", "urgency": "urgent"}
NO_ANSWER = UnknownOutcome(Reason.NO_ANSWER, "no answer")
UNREACHABLE = TemporaryFailure(Reason.UNREACHABLE, Reason.UNREACHABLE)


async def test_an_alert_fired_before_a_long_downtime_is_not_planned_and_sent_afterwards(stage: Stage) -> None:
    await stage.subscribers(4)
    deliveries = await fire(stage, **SAIGAI)
    await run_sql(stage.database, f"UPDATE delivery SET created_at = created_at - {26 * HOUR}")
    while await plan_next(stage.context):
        pass
    assert await states(stage.database, deliveries["line"]) == []
    (state, reason) = (await run_rows(stage, deliveries["line"]))[0]
    assert (state, reason) == ("stopped", "too_late")


async def test_batches_are_as_old_as_their_firing_however_late_they_are_planned(stage: Stage) -> None:
    await stage.subscribers(4)
    deliveries = await fire(stage, **SAIGAI)
    almost = BUDGET["urgent"] - 1000
    await run_sql(stage.database, f"UPDATE delivery SET created_at = created_at - {almost}")
    while await plan_next(stage.context):
        pass
    await run_sql(stage.database, "UPDATE batch SET created_at = created_at - 2000")
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, deliveries["line"]))
    assert stage.line.calls == []


async def test_what_may_have_arrived_stays_unknown_when_later_tries_surely_fail(
    town: Town, database: Database, keys: Keys
) -> None:
    script = Script().then(NO_ANSWER)
    for _ in range(200):
        script.then(UNREACHABLE)
    stage = make_stage(town, database, keys, line=script)
    delivery_id = await stage.deliver([await stage.subscribers(2)], lane="urgent")

    async def twice() -> bool:
        await stage.hurry()
        (row,) = await rows_of(database, delivery_id)
        return len(script.calls) >= 2 and row.state == "unknown"

    async with sending(stage.context):
        await eventually(twice)
        await stage.age(BUDGET["urgent"])
        await eventually(lambda: settled(database, delivery_id), hurry=stage)
    (row,) = await rows_of(database, delivery_id)
    assert (row.accepted, row.refused, row.unknown) == (0, 0, 2)


async def test_a_repeat_on_line_names_the_same_people_even_if_some_have_left(
    town: Town, database: Database, keys: Keys
) -> None:
    script = Script(batch_size=4, idempotent=True).then(NO_ANSWER)
    stage = make_stage(town, database, keys, line=script)
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids])

    async def asked() -> bool:
        return len(script.calls) == 1 and "unknown" in await states(database, delivery_id)

    async with sending(stage.context):
        await eventually(asked)
        async with database.write() as connection:
            await leave(connection, ids[-1], reason="blocked", at=1)
        await eventually(lambda: settled(database, delivery_id), hurry=stage)
    first, second = script.calls[:2]
    assert first.recipients == second.recipients == tuple(ids)
    assert first.retry_key == second.retry_key


async def test_batches_of_an_account_that_left_the_profile_do_not_stay_open_for_ever(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids[:2], ids[2:]], lane="urgent")
    await run_sql(stage.database, "UPDATE batch SET account = 'gone'")
    await run_sql(stage.database, "UPDATE batch SET maybe_sent = true, state = 'unknown' WHERE seq = 1")
    await stage.age(BUDGET["urgent"] + GRACE + 1000)
    await sweep(stage.context)
    rows = await rows_of(stage.database, delivery_id)
    assert [(row.state, row.refused, row.unknown) for row in rows] == [("settled", 2, 0), ("settled", 0, 2)]


async def run_rows(stage: Stage, delivery_id: int) -> list[tuple[str, str]]:
    async with stage.database.read() as connection:
        rows = await connection.exec_driver_sql(
            f"SELECT state, reason FROM delivery WHERE id = {delivery_id}"
        )
        return [(row.state, row.reason) for row in rows]
