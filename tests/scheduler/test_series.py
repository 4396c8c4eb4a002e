"""A recurring notice: each time a notice of its own, once, and after a downtime never in a heap."""

from __future__ import annotations

import asyncio
from datetime import date, time
from typing import Any

import pytest
from sqlalchemy.exc import IntegrityError

from content.clock import DAY, HOUR, MINUTE, monotonic_seconds, now_ms
from content.ledger.deliveries import delivery
from content.ledger.tallies import progress_state
from content.notices import notice_changes, notices, triggers
from content.notices.notices import Notice
from content.notices.recurrence import RecurrenceRule
from content.staff import audit
from scheduler import notice_service
from scheduler.timing import timing_problems
from scheduler.town_context import lane_of
from scheduler.triggers import fire_due
from tests.factories import APRIL_TUESDAY, jst, spec
from tests.scheduler.scripted import (
    Stage,
    another_process,
    count,
    deliveries_of,
    eventually,
    fire,
    get_notice,
    plan_all,
    rows_of,
    run_sql,
    sending,
    settled,
    tally_of,
)

SEVEN = time(7)
THURSDAYS = RecurrenceRule("weekly", SEVEN, weekdays=(3,))
FIRST, SECOND, THIRD = jst(2026, 4, 9, 7), jst(2026, 4, 16, 7), jst(2026, 4, 23, 7)


async def series(stage: Stage, rule: RecurrenceRule = THURSDAYS, **changes: Any) -> int:
    return await stage.notice(written=APRIL_TUESDAY, rule=rule, **changes)


async def occurrences(stage: Stage, series_id: int) -> list[Notice]:
    """Oldest first."""
    async with stage.database.read() as connection:
        ids = await triggers.occurrences_of(connection, series_id)
    return [await get_notice(stage.database, number) for number in sorted(ids)]


async def audited(stage: Stage, series_id: int, action: str) -> list[audit.Entry]:
    async with stage.database.read() as connection:
        found = await audit.entries(connection, f"notice {series_id}")
    return [item for item in found if item.action == action]


async def test_each_occurrence_is_a_notice_of_its_own_with_the_approved_words(stage: Stage) -> None:
    texts = {"ja": ("燃えるごみ", "明日の朝に出してください。"), "en": ("Burnable waste", "Tomorrow.")}
    series_id = await series(stage, texts=texts, channels=("line", "mail"))
    assert await fire_due(stage.context, FIRST - 1) == 0
    assert await fire_due(stage.context, FIRST) == 1
    assert await fire_due(stage.context, SECOND) == 1
    pattern = await get_notice(stage.database, series_id)
    first, second = await occurrences(stage, series_id)
    assert (first.due_at, first.fired_at, second.due_at) == (FIRST, FIRST, SECOND)
    assert (first.spec.texts, first.spec.channels) == (texts, ("line", "mail"))
    assert (first.spec.series, first.spec.rule, first.approved_by) == (series_id, None, "tanaka")
    assert set(await deliveries_of(stage.database, first.id)) == {"line", "mail"}
    assert await deliveries_of(stage.database, series_id) == {}
    assert (progress_state(pattern, []), pattern.due_at) == ("recurring", THIRD)


async def test_no_draft_can_take_the_place_of_an_approved_occurrence(stage: Stage) -> None:
    series_id = await series(stage)
    forged = spec(texts={"ja": ("にせの件名", "にせの本文")})
    await notice_service.store(
        stage.context, forged, submission_key=f"series {series_id} at {FIRST}", staff="editor"
    )
    assert await fire_due(stage.context, FIRST) == 1
    (occurrence,) = await occurrences(stage, series_id)
    assert occurrence.spec.texts == spec().texts
    assert occurrence.fired_at == FIRST and occurrence.created_by == "tanaka"


async def test_the_database_refuses_a_second_notice_of_one_occurrence(stage: Stage) -> None:
    series_id = await series(stage)
    again: dict[str, Any] = {"staff": "tanaka", "at": FIRST, "occurs_at": FIRST}
    async with stage.database.write() as connection:
        await notice_changes.create(connection, spec(series=series_id), submission_key="a", **again)
    with pytest.raises(IntegrityError):
        async with stage.database.write() as connection:
            await notice_changes.create(connection, spec(series=series_id), submission_key="b", **again)


async def test_an_occurrence_fires_once_however_many_processes_ask_at_once(stage: Stage) -> None:
    ids = [await series(stage) for _ in range(3)]
    async with another_process(stage) as other:
        fired = await asyncio.gather(
            *(fire_due(context, FIRST) for context in (stage.context, other.context) for _ in range(3))
        )
    assert sum(fired) == 3
    assert [len(await occurrences(stage, series_id)) for series_id in ids] == [1, 1, 1]
    assert [len(await audited(stage, series_id, "series.occurred")) for series_id in ids] == [1, 1, 1]
    assert await count(stage.database, delivery) == 3


async def test_a_clock_that_jumps_back_sends_nothing_again(stage: Stage) -> None:
    series_id = await series(stage)
    moments = (FIRST, FIRST - HOUR, FIRST - 1, FIRST, FIRST + HOUR)
    assert [await fire_due(stage.context, moment) for moment in moments] == [1, 0, 0, 0, 0]
    assert len(await occurrences(stage, series_id)) == 1


async def test_a_second_notice_of_the_same_time_is_impossible(stage: Stage) -> None:
    series_id = await series(stage)
    assert await fire_due(stage.context, FIRST) == 1
    await run_sql(
        stage.database, "UPDATE trigger SET due_at = :due WHERE notice_id = :id", due=FIRST, id=series_id
    )
    assert await fire_due(stage.context, FIRST + MINUTE) == 0
    assert len(await occurrences(stage, series_id)) == 1
    assert await count(stage.database, delivery) == 1


async def test_after_a_downtime_only_the_newest_is_held_and_the_others_are_recorded(stage: Stage) -> None:
    series_id = await series(stage, category="kosodate")
    assert await fire_due(stage.context, THIRD + 13 * HOUR) == 0
    (held,) = await occurrences(stage, series_id)
    assert (held.trigger_state, held.due_at) == ("held", THIRD)
    assert "4月23日" in held.held_reason
    (missed,) = await audited(stage, series_id, "series.missed")
    assert [text[:10] for text in missed.detail["due_at"]] == ["2026-04-09", "2026-04-16"]  # type: ignore[attr-defined]
    assert await fire_due(stage.context, THIRD + 14 * HOUR) == 0
    assert len(await occurrences(stage, series_id)) == 1
    assert await count(stage.database, delivery) == 0
    assert (await get_notice(stage.database, series_id)).due_at == jst(2026, 4, 30, 7)
    assert await fire_due(stage.context, jst(2026, 4, 30, 7)) == 1


async def test_a_short_downtime_delays_the_newest_and_sends_none_of_those_before(stage: Stage) -> None:
    daily = RecurrenceRule("weekly", SEVEN, weekdays=tuple(range(7)))
    series_id = await series(stage, daily)
    assert await fire_due(stage.context, FIRST + HOUR) == 1
    (sent,) = await occurrences(stage, series_id)
    assert (sent.due_at, sent.trigger_state) == (FIRST, "fired")
    assert len(await audited(stage, series_id, "series.missed")) == 1


async def test_a_rule_that_has_come_to_its_last_day_has_ended(stage: Stage) -> None:
    series_id = await series(stage, RecurrenceRule("weekly", SEVEN, weekdays=(3,), last=date(2026, 4, 16)))
    assert [await fire_due(stage.context, moment) for moment in (FIRST, SECOND, THIRD)] == [1, 1, 0]
    ended = await get_notice(stage.database, series_id)
    assert progress_state(ended, []) == "ended"
    assert len(await audited(stage, series_id, "series.ended")) == 1
    assert not await notice_service.cancel(stage.context, series_id, staff="suzuki")


async def test_after_the_last_day_nothing_is_sent_even_when_it_is_only_a_little_late(stage: Stage) -> None:
    late_evening = RecurrenceRule("weekly", time(23, 50), weekdays=(3,), last=date(2026, 4, 9))
    series_id = await series(stage, late_evening)
    assert await fire_due(stage.context, jst(2026, 4, 10, 0, 5)) == 0
    (held,) = await occurrences(stage, series_id)
    assert "有効期限" in held.held_reason


async def test_a_series_that_was_stopped_or_never_approved_sends_nothing(stage: Stage) -> None:
    stopped = await series(stage)
    assert await fire_due(stage.context, FIRST) == 1
    assert await notice_service.cancel(stage.context, stopped, staff="suzuki")
    await series(stage, approved=False)
    assert await fire_due(stage.context, SECOND) == 0
    assert len(await occurrences(stage, stopped)) == 1


async def test_stopping_and_firing_at_once_leave_one_of_the_two(stage: Stage) -> None:
    for _ in range(5):
        series_id = await series(stage, RecurrenceRule("dates", SEVEN, dates=(date(2026, 4, 9),)))
        fired, stopped = await asyncio.gather(
            fire_due(stage.context, FIRST), notice_service.cancel(stage.context, series_id, staff="tanaka")
        )
        assert fired + stopped == 1
        assert len(await occurrences(stage, series_id)) == fired


async def test_the_pattern_itself_can_neither_be_fired_nor_held(stage: Stage) -> None:
    series_id = await series(stage)
    async with stage.database.write() as connection:
        assert not await triggers.fire(connection, series_id, FIRST)
        assert not await triggers.hold(connection, series_id, "遅い")


async def test_an_occurrence_travels_behind_what_somebody_wrote_for_today(stage: Stage) -> None:
    series_id = await series(stage)
    await fire_due(stage.context, FIRST)
    (first,) = await occurrences(stage, series_id)
    assert (await deliveries_of(stage.database, first.id))["line"].lane == "digest"
    assert (lane_of(spec()), lane_of(spec(urgency="urgent"))) == ("routine", "urgent")


NOW = APRIL_TUESDAY
BAD: list[Any] = [
    pytest.param({"rule": THURSDAYS, "urgency": "urgent"}, "urgency", id="urgent"),
    pytest.param({"rule": THURSDAYS, "at": NOW + DAY}, "at", id="a time besides"),
    pytest.param({"rule": THURSDAYS, "expires": NOW + DAY}, "expires", id="an expiry besides"),
    pytest.param({"rule": THURSDAYS, "kind": "withdrawal"}, "repeat", id="a withdrawal"),
    pytest.param({"rule": RecurrenceRule("weekly", SEVEN)}, "weekdays", id="no weekday"),
    pytest.param(
        {"rule": RecurrenceRule("dates", SEVEN, dates=(date(2026, 4, 7),))}, "repeat", id="all past"
    ),
    pytest.param({"expires": NOW}, "expires", id="expired already"),
    pytest.param({"at": NOW + DAY, "expires": NOW + DAY}, "expires", id="expires when it is due"),
]


@pytest.mark.parametrize(("changes", "field"), BAD)
def test_a_time_that_cannot_be_kept_is_refused_by_name(changes: dict[str, Any], field: str) -> None:
    (found,) = timing_problems(spec(**changes), NOW)
    assert found[0] == field and found[1]


@pytest.mark.parametrize("changes", [{"rule": THURSDAYS}, {"at": NOW + HOUR, "expires": NOW + DAY}, {}])
def test_a_time_that_can_be_kept_is_no_problem(changes: dict[str, Any]) -> None:
    assert list(timing_problems(spec(**changes), NOW)) == []


async def test_a_notice_that_comes_after_its_expiry_is_held_until_a_person_decides(stage: Stage) -> None:
    expires = NOW + 10 * MINUTE
    notice_id = await stage.notice(written=NOW, expires=expires)
    assert await fire_due(stage.context, expires) == 0
    held = await get_notice(stage.database, notice_id)
    assert held.trigger_state == "held" and "有効期限" in held.held_reason
    async with stage.database.write() as connection:
        assert await triggers.release(connection, notice_id, at=expires + MINUTE)
    assert await fire_due(stage.context, expires + MINUTE) == 1


async def test_a_notice_goes_out_until_its_expiry_and_a_release_before_it_keeps_it(stage: Stage) -> None:
    expires = NOW + 10 * MINUTE
    notice_id = await stage.notice(written=NOW, expires=expires)
    async with stage.database.write() as connection:
        await triggers.hold(connection, notice_id, "理由")
        assert await triggers.release(connection, notice_id, at=expires - MINUTE)
        kept = await notices.get(connection, notice_id)
    assert kept is not None and kept.spec.expires == expires
    assert await fire_due(stage.context, expires - 1) == 1


async def test_a_notice_that_expires_before_it_is_planned_is_not_planned(small_stage: Stage) -> None:
    await small_stage.subscribers(3)
    deliveries = await fire(small_stage, category="saigai", expires=now_ms() + HOUR)
    await expire_all(small_stage)
    await plan_all(small_stage)
    found = await tally_of(small_stage.database, deliveries["line"])
    assert (found.state, found.reason, found.planned) == ("stopped", "expired", 0)


async def test_what_is_not_sent_when_the_notice_expires_is_not_sent_any_more(small_stage: Stage) -> None:
    await small_stage.subscribers(5)
    expires = now_ms() + HOUR
    first, second = [
        (await fire(small_stage, category="saigai", expires=expires))["line"],
        (await fire(small_stage, category="saigai"))["line"],
    ]
    await plan_all(small_stage)
    small_stage.database.clock.hear(expires + MINUTE, monotonic_seconds(), monotonic_seconds())
    async with sending(small_stage.context):
        await eventually(lambda: settled(small_stage.database, first))
        await eventually(lambda: settled(small_stage.database, second))
    expired = await tally_of(small_stage.database, first)
    assert (expired.accepted, expired.refused, expired.open) == (0, 5, 0)
    assert {row.reason for row in await rows_of(small_stage.database, first)} == {"expired"}
    assert (await tally_of(small_stage.database, second)).accepted == 5


async def expire_all(stage: Stage) -> None:
    await run_sql(stage.database, "UPDATE trigger SET expires_at = :now", now=now_ms())
