"""What the clock does by itself: leases, old ids, the counts of the days that have ended."""

from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta

import pytest
import time_machine

from content.clock import DAY, JST, MINUTE, now_ms
from content.figures import snapshots
from content.register import inbound_events
from content.register.inbound_events import Arrival
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from scheduler.alarm_checks import find_troubles
from scheduler.alarm_codes import AlarmCode
from scheduler.sweeps import forget_handled, snapshot_counts, summarise_old, sweep, take_over
from tests.factories import APRIL_TUESDAY, line_id
from tests.scheduler.scripted import Stage, another_process, rows_of, run_sql, states, tally_of

TUESDAY = datetime(2026, 4, 7, 9, 30, tzinfo=JST)


async def test_only_leases_that_ran_out_are_released(stage: Stage) -> None:
    delivery_id = await stage.deliver([[one] for one in await stage.subscribers(4)])
    changes = "UPDATE batch SET state = 'claimed', lease_owner = 'x', lease_until = :until WHERE seq = :seq"
    await run_sql(stage.database, changes, until=now_ms() - 1, seq=0)
    await run_sql(stage.database, changes, until=now_ms() + MINUTE, seq=1)
    await run_sql(stage.database, "UPDATE batch SET state = 'settled' WHERE seq = 2")
    await sweep(stage.context)
    assert await states(stage.database, delivery_id) == ["unknown", "claimed", "settled", "ready"]
    released = (await rows_of(stage.database, delivery_id))[0]
    assert (released.lease_owner, released.lease_until) == ("", 0)
    assert released.not_before <= now_ms()


async def test_the_only_sender_of_a_database_takes_over_every_lease_at_its_start(stage: Stage) -> None:
    delivery_id = await stage.deliver([[one] for one in await stage.subscribers(3)])
    await run_sql(
        stage.database,
        "UPDATE batch SET state = 'claimed', lease_until = :until WHERE seq < 2",
        until=now_ms() + MINUTE,
    )
    await take_over(stage.context)
    assert await states(stage.database, delivery_id) == ["unknown", "unknown", "ready"]


async def test_a_released_batch_keeps_its_key_and_what_it_had_reached(stage: Stage) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(3)])
    (before,) = await rows_of(stage.database, delivery_id)
    await run_sql(
        stage.database,
        "UPDATE batch SET state = 'claimed', attempt = 1, fence = 1, position = 2, accepted = 2",
    )
    await sweep(stage.context)
    (after,) = await rows_of(stage.database, delivery_id)
    assert after.retry_key == before.retry_key
    assert (after.position, after.accepted, after.attempt) == (2, 2, 1)


async def test_ids_of_handled_events_are_forgotten_after_two_weeks_and_waiting_ones_never(
    stage: Stage,
) -> None:
    now = now_ms()
    ages = {"new": 13 * DAY, "old": 15 * DAY, "waiting": 15 * DAY}
    async with stage.database.write() as connection:
        for event_id, age in ages.items():
            arrival = Arrival(event_id, "line", now - age, {})
            rows = inbound_events.sealed_rows(stage.context.keys, [arrival], now - age)
            await inbound_events.store(connection, rows)
        for event_id in ("new", "old"):
            await inbound_events.finish(connection, event_id)
    await forget_handled(stage.context)
    async with stage.database.read() as connection:
        kept = await connection.exec_driver_sql("SELECT id FROM inbound_event ORDER BY id")
        assert [row.id for row in kept] == ["new", "waiting"]


async def registered(stage: Stage, *days_before_tuesday: int) -> None:
    chosen = Preferences(categories=frozenset({"saigai"}))
    registrations = [
        Registration("line", "line", line_id(number + 1), chosen, APRIL_TUESDAY - days * DAY)
        for number, days in enumerate(days_before_tuesday)
    ]
    async with stage.database.write() as connection:
        await register_many(connection, stage.context.keys, registrations, reason="import")


async def line_counts(stage: Stage) -> dict[date, int]:
    async with stage.database.read() as connection:
        found = {}
        for day in (date(2026, 4, number) for number in range(1, 30)):
            figures = await snapshots.figures_of(connection, day)
            if figures is not None:
                found[day] = figures.get(("line", "total", ""), 0)
    return found


async def test_a_day_that_has_ended_is_written_down_once_and_one_without_the_service_never(
    stage: Stage,
) -> None:
    await registered(stage, 3, 3, 1, 0)
    midnight = datetime(2026, 4, 8, 0, 0, tzinfo=JST)
    for moment, days in (
        (TUESDAY, 0),
        (midnight - timedelta(seconds=5), 0),
        (midnight, 1),
        (midnight, 0),
        # The machine stood still for two days.
        (midnight + timedelta(days=3), 1),
        (midnight + timedelta(days=4), 1),
    ):
        with time_machine.travel(moment):
            assert await snapshot_counts(stage.context) == days
    assert await line_counts(stage) == {date(2026, 4, day): 4 for day in (7, 8, 11)}


async def test_a_day_written_down_by_a_clock_that_was_ahead_is_written_anew(stage: Stage) -> None:
    await registered(stage, 1)
    with time_machine.travel(TUESDAY + timedelta(days=1)):
        await snapshot_counts(stage.context)
    with time_machine.travel(TUESDAY + timedelta(days=2)):
        assert await snapshot_counts(stage.context) == 1
    with time_machine.travel(TUESDAY):
        assert await snapshot_counts(stage.context) == 0
    assert await line_counts(stage) == {}


async def test_a_figure_that_does_not_come_out_again_is_an_alarm(stage: Stage) -> None:
    await registered(stage, 1)
    with time_machine.travel(TUESDAY):
        await snapshot_counts(stage.context)
    await run_sql(stage.database, "UPDATE daily_movement SET number = 7 WHERE measure = 'total'")
    with time_machine.travel(TUESDAY + timedelta(days=1)):
        await snapshot_counts(stage.context)
        troubles = {item.code: item.detail for item in await find_troubles(stage.context, lambda _: None)}
    # The snapshot beside the events, and the register beside the book.
    assert troubles[AlarmCode.FIGURES_DIFFER] == "2026-04-07 の控え:2項目が合いません。"


async def test_recipients_are_forgotten_after_the_towns_time_and_the_figures_stay(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    old, new = (
        await stage.deliver([ids], at=now_ms() - 91 * DAY),
        await stage.deliver([ids], at=now_ms() - 89 * DAY),
    )
    await run_sql(stage.database, "UPDATE batch SET state = 'settled', accepted = 3")
    before = await tally_of(stage.database, old)
    assert await summarise_old(stage.context) == 1
    assert await summarise_old(stage.context) == 0
    assert await tally_of(stage.database, old) == before
    assert (len(await rows_of(stage.database, old)), len(await rows_of(stage.database, new))) == (0, 1)


async def test_two_processes_summarise_at_once_without_harm(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    deliveries = [await stage.deliver([ids], at=now_ms() - 91 * DAY) for _ in range(20)]
    await run_sql(
        stage.database, "UPDATE batch SET state = 'settled', accepted = 1, refused = 1, reason = 'x'"
    )
    async with another_process(stage) as other:
        summarised = await asyncio.gather(summarise_old(stage.context), summarise_old(other.context))
    assert sum(summarised) == len(deliveries)
    for delivery_id in deliveries:
        row = await tally_of(stage.database, delivery_id)
        assert (row.planned, row.accepted, row.refused, row.open) == (2, 1, 1, 0)


@pytest.mark.faults
async def test_a_summary_that_is_broken_off_leaves_the_ledger_free_and_is_written_the_next_time(
    small_stage: Stage,
) -> None:
    ids = await small_stage.subscribers(2)
    deliveries = [await small_stage.deliver([ids], at=now_ms() - 91 * DAY) for _ in range(30)]
    await run_sql(small_stage.database, "UPDATE batch SET state = 'settled', accepted = 1, refused = 1")
    for number in range(10):
        summarising = asyncio.create_task(summarise_old(small_stage.context))
        await asyncio.sleep(0.002 * number)
        summarising.cancel()
        await asyncio.gather(summarising, return_exceptions=True)
        # SQLite waits half a minute for a lock.
        async with asyncio.timeout(25):
            await run_sql(small_stage.database, "UPDATE batch SET reason = reason")
    await summarise_old(small_stage.context)
    for delivery_id in deliveries:
        row = await tally_of(small_stage.database, delivery_id)
        assert (row.planned, row.accepted, row.refused, row.open) == (2, 1, 1, 0)
        assert await rows_of(small_stage.database, delivery_id) == []
