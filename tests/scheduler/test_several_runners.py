"""Several processes on one PostgreSQL: there is no leader, and whatever is due still happens once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import date

import pytest
from sqlalchemy import func, select

from content.clock import DAY, HOUR, now_ms, today_jst
from content.database import Database
from content.figures import observed
from content.figures.snapshots import daily_figure
from content.keys import Keys
from content.ledger.deliveries import batch
from content.ledger.retention import delivery_summary
from content.register import trial_addresses
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences, registration_event
from content.staff import member_changes, members, monthly_reports
from content.staff.monthly_reports import MonthlyMail
from content.staff.passwords import PasswordHash
from content.staff.rights import OFFICE
from content.town import Town
from scheduler import notice_service, runner
from scheduler.fanout import plan_next
from scheduler.monthly_mails import look
from scheduler.runner import Runner
from scheduler.suspending import mark_suspended
from scheduler.sweeps import carry_choices_over, forget_handled, snapshot_counts, summarise_old, sweep
from scheduler.triggers import fire_due
from tests.factories import create_town, line_id
from tests.scheduler.scripted import (
    Stage,
    count,
    deliveries_of,
    eventually,
    get_notice,
    make_stage,
    run_sql,
    tally_of,
)

PROCESSES = 3

pytestmark = pytest.mark.services


@pytest.fixture(autouse=True)
def ask_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "POLL", 0.02)


@pytest.fixture
async def stages(town: Town, postgres_database: Database, keys: Keys) -> AsyncIterator[list[Stage]]:
    """One for each process: connections of its own, the same services outside."""
    first = make_stage(town, postgres_database, keys)
    async with AsyncExitStack() as stack:
        others = [Database(postgres_database.url) for _ in range(PROCESSES - 1)]
        for database in others:
            stack.push_async_callback(database.close)
        yield [first, *(make_stage(town, database, keys, **first.scripts) for database in others)]


@asynccontextmanager
async def all_running(stages: list[Stage]) -> AsyncIterator[None]:
    runners = [Runner(stage.context) for stage in stages]
    await asyncio.gather(*(one.start() for one in runners))
    try:
        yield
    finally:
        await asyncio.wait_for(asyncio.gather(*(one.stop() for one in runners)), 60)


async def test_a_trigger_fires_once_and_everybody_is_reached_once(stages: list[Stage]) -> None:
    first = stages[0]
    ids = await first.subscribers(40)
    # A day older, so that yesterday has counts to be written down.
    await run_sql(first.database, "ALTER TABLE registration_event DISABLE TRIGGER USER")
    await run_sql(first.database, "UPDATE registration_event SET at = at - :day", day=DAY)
    await run_sql(first.database, "ALTER TABLE registration_event ENABLE TRIGGER USER")
    async with first.database.write() as connection:
        await observed.note_running(connection, now_ms() - DAY)
    old = await first.deliver([ids], at=now_ms() - 100 * DAY)
    await run_sql(first.database, "UPDATE batch SET state = 'settled', accepted = 40")
    due_before = await first.notice(category="saigai", channels=("line", "mail"))
    later = now_ms() + 400
    due_later = await first.notice(category="saigai", at=later)
    async with all_running(stages):
        for notice_id in (due_before, due_later):
            await eventually(lambda n=notice_id: _finished(first, n), within=60)  # type: ignore[misc]
        await eventually(lambda: count(first.database, delivery_summary), within=60)

    assert Counter(first.line.accepted) == Counter(ids * 2)
    assert set(await deliveries_of(first.database, due_before)) == {"line", "mail"}
    assert set(await deliveries_of(first.database, due_later)) == {"line"}
    fired_at = (await get_notice(first.database, due_later)).fired_at
    assert fired_at is not None and fired_at >= later
    await eventually(lambda: _snapshots(first))
    assert await _snapshots(first) == {today_jst().toordinal() - 1: 1}
    assert await count(first.database, delivery_summary) == 1
    assert (await tally_of(first.database, old)).accepted == 40


async def test_of_many_that_fire_at_the_same_moment_one_does(stages: list[Stage]) -> None:
    first = stages[0]
    due = [await first.notice(category="saigai", channels=("line", "mail")) for _ in range(10)]
    fired = await asyncio.gather(*(fire_due(stage.context) for stage in stages))
    assert sum(fired) == len(due)
    for notice_id in due:
        assert sorted(await deliveries_of(first.database, notice_id)) == ["line", "mail"]


async def test_planning_by_all_at_once_puts_nobody_into_two_batches(stages: list[Stage]) -> None:
    first = stages[0]
    ids = await first.subscribers(30)
    await first.notice(category="saigai")
    await fire_due(first.context)
    await asyncio.gather(*(plan_next(stage.context) for stage in stages))
    async with first.database.read() as connection:
        planned = await connection.scalar(select(func.sum(batch.c.size)))
    assert planned == len(ids)


async def test_what_the_town_merged_is_carried_over_by_all_at_once_and_a_notice_meanwhile_reaches_everybody(
    stages: list[Stage],
) -> None:
    first = stages[0]
    categories = [
        item | ({"merged_into": "kurashi", "changed_on": date(2026, 1, 1)} if item["key"] == "event" else {})
        for item in create_town().model_dump()["categories"]
    ]
    contexts = [replace(stage.context, town=create_town(categories=categories)) for stage in stages]
    chosen = Preferences(frozenset({"saigai", "event"}))
    people = [Registration("line", "line", line_id(n), chosen, now_ms()) for n in range(30)]
    async with first.database.write() as connection:
        ids = await register_many(connection, first.context.keys, people, reason="follow")
    notice_id = await first.notice(category="event")
    await asyncio.gather(*(carry_choices_over(one) for one in contexts), fire_due(contexts[0]))
    await asyncio.gather(*(plan_next(one) for one in contexts))
    async with first.database.read() as connection:
        planned = await connection.scalar(select(func.sum(batch.c.size)))
        merged = registration_event.c.reason == "merged"
        carried = await connection.scalar(select(func.count()).where(merged))
    assert await deliveries_of(first.database, notice_id)
    assert planned == carried == len(ids)


async def test_the_report_of_a_month_leaves_once_whoever_looks(stages: list[Stage]) -> None:
    first, sent = stages[0], []

    async def send(mail: MonthlyMail, address: str) -> None:
        sent.append((mail.department, address))

    async with first.database.write() as connection:
        await member_changes.add(
            connection, login="tanaka", password_hash=PasswordHash("x"), role="editor", at=1
        )
        member = await members.find(connection, "tanaka")
        assert member is not None
        box = {"account": "mail", "channel": "mail", "plain": "tanaka@shibata.example.jp"}
        await trial_addresses.add(connection, first.context.keys, staff_id=member.id, at=1, **box)
        await monthly_reports.set_readers(connection, OFFICE, [member.id], at=1)
    await asyncio.gather(*(look(replace(stage.context, send_month=send)) for stage in stages))
    assert sent == [(OFFICE, "tanaka@shibata.example.jp")]


@pytest.mark.parametrize("work", [sweep, mark_suspended, forget_handled, snapshot_counts, summarise_old])
async def test_what_the_clock_does_may_be_done_by_all_at_once(stages: list[Stage], work: object) -> None:
    first = stages[0]
    ids = await first.subscribers(4)
    expired = await first.deliver([[one] for one in ids] * 30)
    overdue = await first.deliver([[one] for one in ids] * 30, at=now_ms() - 20 * HOUR)
    lost = [await first.deliver([ids]) for _ in range(10)]
    await run_sql(
        first.database,
        "UPDATE batch SET state = 'claimed', lease_until = 1 WHERE delivery_id = :id",
        id=expired,
    )
    await run_sql(first.database, "UPDATE delivery SET account = 'gone' WHERE id >= :id", id=lost[0])
    for _ in range(3):
        await asyncio.gather(*(work(stage.context) for stage in stages))  # type: ignore[operator]
    found = [await tally_of(first.database, one) for one in (expired, overdue, lost[0])]
    closed = 120 if work is sweep else 0
    assert [(row.planned, row.refused, row.open) for row in found] == [
        (120, 0, 120),
        (120, closed, 120 - closed),
        (4, 0, 4),
    ]


async def _finished(stage: Stage, notice_id: int) -> bool:
    return (await notice_service.status(stage.context, notice_id)).state in ("finished", "partly", "nobody")


async def _snapshots(stage: Stage) -> dict[int, int]:
    """For each day how often its count of all LINE registrations was written."""
    async with stage.database.read() as connection:
        rows = await connection.execute(
            select(daily_figure.c.day).where(
                daily_figure.c.account == "line", daily_figure.c.measure == "total"
            )
        )
        return dict(Counter(row.day.toordinal() for row in rows))
