"""The words of an occurrence come from a calendar: those of its own day or none, never those of another."""

from __future__ import annotations

from datetime import date, time

import pytest

from content.clock import DAY
from content.notices import records, triggers
from content.notices.calendars import WordCalendar
from content.notices.notices import Notice
from content.notices.records import RecordKind
from content.notices.recurrence import RecurrenceRule
from content.notices.states import TriggerState
from scheduler import notice_service
from scheduler.checks import NoticeRefused
from scheduler.occurrence_words import coming_without_words
from scheduler.triggers import fire_due
from tests.factories import APRIL_TUESDAY, jst
from tests.scheduler.scripted import Stage, get_notice

THURSDAYS = RecurrenceRule("weekly", time(7), weekdays=(3,))
FIRST, SECOND = jst(2026, 4, 9, 7), jst(2026, 4, 16, 7)
TEXTS = {"ja": ("休日当番医", "あすの当番医は{{病院}}です。"), "en": ("Doctor on duty", "{{病院}}")}


async def keep_calendar(stage: Stage, version: int, **days: str) -> None:
    calendar = WordCalendar(
        key="doctor",
        name="当番医",
        columns=("病院",),
        days={name.replace("_", "-").removeprefix("d"): {"病院": word} for name, word in days.items()},
    )
    async with stage.database.write() as connection:
        if version:
            await records.change_record(
                connection, RecordKind.CALENDAR, calendar, version=version, staff="tanaka", at=1
            )
        else:
            await records.add_record(connection, RecordKind.CALENDAR, calendar, staff="tanaka", at=1)


async def occurrences(stage: Stage, series_id: int) -> list[Notice]:
    async with stage.database.read() as connection:
        ids = await triggers.occurrences_of(connection, series_id)
    return [await get_notice(stage.database, number) for number in sorted(ids)]


async def test_an_occurrence_takes_the_words_of_its_day_in_every_language(stage: Stage) -> None:
    await keep_calendar(stage, 0, d2026_04_09="船岡医院", d2026_04_16="槻木病院")
    series_id = await stage.notice(written=APRIL_TUESDAY, rule=THURSDAYS, texts=TEXTS, calendar="doctor")
    assert await fire_due(stage.context, FIRST) == 1
    assert await fire_due(stage.context, SECOND) == 1
    first, second = await occurrences(stage, series_id)
    assert first.spec.texts == {
        "ja": ("休日当番医", "あすの当番医は船岡医院です。"),
        "en": ("Doctor on duty", "船岡医院"),
    }
    assert "槻木病院" in second.body
    assert (await get_notice(stage.database, series_id)).spec.texts == TEXTS


async def test_a_missing_day_waits_for_a_person_and_takes_nobody_elses_words(stage: Stage) -> None:
    await keep_calendar(stage, 0, d2026_04_09="船岡医院")
    series_id = await stage.notice(written=APRIL_TUESDAY, rule=THURSDAYS, texts=TEXTS, calendar="doctor")
    assert await fire_due(stage.context, FIRST) == 1
    assert await fire_due(stage.context, SECOND) == 0
    held = (await occurrences(stage, series_id))[1]
    assert held.trigger_state == TriggerState.HELD
    assert "「病院」が文の暦にない" in held.held_reason
    assert "船岡医院" not in held.body
    with pytest.raises(NoticeRefused, match="文の暦にない"):
        await notice_service.release(stage.context, held.id, staff="tanaka")
    await keep_calendar(stage, 1, d2026_04_16="槻木病院")
    assert await notice_service.release(stage.context, held.id, staff="tanaka")
    released = await get_notice(stage.database, held.id)
    assert "槻木病院" in released.body
    assert released.due_at is not None
    assert await fire_due(stage.context, released.due_at + 1) == 1


async def test_a_calendar_that_is_gone_holds_every_occurrence(stage: Stage) -> None:
    series_id = await stage.notice(written=APRIL_TUESDAY, rule=THURSDAYS, texts=TEXTS, calendar="gone")
    assert await fire_due(stage.context, FIRST) == 0
    assert (await occurrences(stage, series_id))[0].trigger_state == TriggerState.HELD


async def test_a_missing_day_is_told_a_week_before(stage: Stage) -> None:
    await keep_calendar(stage, 0, d2026_04_09="船岡医院")
    series_id = await stage.notice(written=APRIL_TUESDAY, rule=THURSDAYS, texts=TEXTS, calendar="doctor")
    async with stage.database.read() as connection:
        assert await coming_without_words(connection, SECOND - 8 * DAY) == []
        ((series, days),) = await coming_without_words(connection, SECOND - 7 * DAY)
    assert (series.id, days) == (series_id, [date(2026, 4, 16)])
