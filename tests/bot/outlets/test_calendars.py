"""Events of notices in calendars: read back by a calendar library, changed by corrections, on the page and from every form."""

from __future__ import annotations

from datetime import UTC, datetime, time
from typing import Any

import pytest
from icalendar import Calendar

from bot.console.attached_fields import AttachedFields, attached_from, attached_problems, fields_of
from bot.service import Service
from content.clock import DAY, HOUR, now_ms
from content.notices import attachments, triggers
from content.notices.attachments import Attachments, Event, Place
from content.notices.checks.attached import check_attached
from content.notices.recurrence import RecurrenceRule
from content.notices.states import NoticeKind
from tests.bot.resident.test_pages import publish, published
from tests.bot.web_visitor import Visitor
from tests.factories import jst, make_notice, spec

STARTS, ENDS = jst(2026, 4, 11, 10), jst(2026, 4, 11, 15, 30)
CARRIED = Attachments(
    place=Place("船岡城址公園", "船岡館山95-1", 38.0561, 140.7653), event=Event(STARTS, ENDS)
)
TEXTS = {
    "ja": ("さくらまつり; 屋台,花火🌸", "雨のときは中止です。\n" + "長い行" * 60),
    "en": ("Cherry festival", "Come!"),
}


async def events(stranger: Visitor, path: str) -> list[Any]:
    page = await stranger.get(path)
    assert page.status == 200 and page.headers["Content-Type"].startswith("text/calendar")
    # RFC 5545 §3.1: lines of 75 octets at most.
    assert all(len(line.encode()) <= 75 for line in page.html.split("\r\n"))
    return list(Calendar.from_ical(page.html).walk("VEVENT"))


async def test_an_event_is_read_back_as_it_was_written(stranger: Visitor, service: Service) -> None:
    path = await published(service, texts=TEXTS, category="event", attached=CARRIED)
    page = await stranger.get(path)
    assert f'href="{path}.ics">カレンダーに入れる' in page.html
    assert (
        "日時: 2026年4月11日(土) 10:00 〜 2026年4月11日(土) 15:30" in page.text
        and "When: 11 April 2026" in page.text
    )
    (event,) = await events(stranger, f"{path}.ics")
    assert event["DTSTART"].dt == datetime(2026, 4, 11, 1, tzinfo=UTC)
    assert event["DTEND"].dt == datetime(2026, 4, 11, 6, 30, tzinfo=UTC)
    assert event["SUMMARY"] == TEXTS["ja"][0] and TEXTS["ja"][1] in event["DESCRIPTION"]
    assert "船岡城址公園" in event["LOCATION"] and event["URL"].endswith(path)
    assert (event["STATUS"], event["SEQUENCE"]) == ("CONFIRMED", 0)


async def test_the_calendar_of_a_category_holds_its_events_alone(stranger: Visitor, service: Service) -> None:
    await publish(service, texts=TEXTS, category="event", attached=CARRIED)
    await publish(service, category="event")
    await publish(service, category="event", attached=CARRIED, mode="drill")
    assert len(await events(stranger, "/feeds/event.ics")) == 1
    assert len(await events(stranger, "/feeds/notices.ics")) == 1
    assert await events(stranger, "/feeds/kosodate.ics") == []
    assert (await stranger.get("/feeds/nothing.ics")).status == 404


async def test_a_correction_changes_the_entry_and_a_withdrawal_cancels_it(
    stranger: Visitor, service: Service
) -> None:
    number = await publish(service, texts=TEXTS, category="event", attached=CARRIED)
    (before,) = await events(stranger, "/feeds/event.ics")
    later = Attachments(event=Event(STARTS + 7 * DAY))
    for turn, kind in enumerate((NoticeKind.CORRECTION, NoticeKind.WITHDRAWAL), 1):
        async with service.database.write() as connection:
            number = await make_notice(
                connection, texts=TEXTS, category="event", attached=later, kind=kind, corrects=number
            )
            await triggers.fire(connection, number, now_ms() + turn)
        (after,) = await events(stranger, "/feeds/event.ics")
        assert after["UID"] == before["UID"] and after["SEQUENCE"] == turn
        assert after["DTSTART"].dt == datetime(2026, 4, 18, 1, tzinfo=UTC) and "DTEND" not in after
        assert after["STATUS"] == ("CANCELLED" if kind == NoticeKind.WITHDRAWAL else "CONFIRMED")


async def test_a_drill_and_a_notice_without_event_have_no_calendar_file(
    stranger: Visitor, service: Service
) -> None:
    for changes in ({"mode": "drill", "attached": CARRIED}, {}):
        assert (await stranger.get(f"{await published(service, **changes)}.ics")).status == 404
    assert (await stranger.get("/n/nothing.ics")).status == 404


def test_an_event_is_kept_with_the_version() -> None:
    assert attachments.from_json(attachments.to_json(CARRIED)) == CARRIED


@pytest.mark.parametrize(
    ("starts", "ends", "field"),
    [
        ("2026-04-11T10:00", "not a time", "event_ends"),
        ("2026-13-11T10:00", "", "event_starts"),
        ("", "2026-04-11T10:00", "event_starts"),
        ("9999-12-31T23:59+99:99", "", "event_starts"),
    ],
)
def test_times_that_nobody_can_read_are_named(starts: str, ends: str, field: str) -> None:
    problems = attached_problems(AttachedFields(event_starts=starts, event_ends=ends))
    assert [problem.field for problem in problems] == [field]


def test_the_fields_of_the_form_are_the_event() -> None:
    fields = AttachedFields(event_starts="2026-04-11T10:00", event_ends="2026-04-11T15:30")
    assert attached_problems(fields) == [] and attached_from(fields).event == CARRIED.event
    assert fields_of(attached_from(fields)) == fields


@pytest.mark.parametrize(
    ("event", "changes", "field"),
    [
        (Event(STARTS, STARTS), {}, "event_ends"),
        (Event(STARTS, STARTS - HOUR), {}, "event_ends"),
        (Event(STARTS, STARTS + 367 * DAY), {}, "event_ends"),
        (Event(STARTS), {"rule": RecurrenceRule("daily", time(9))}, "event_starts"),
        (Event(STARTS, ENDS), {}, None),
    ],
)
def test_an_event_that_cannot_be_is_refused(event: Event, changes: dict[str, Any], field: str | None) -> None:
    found = list(check_attached(spec(attached=Attachments(event=event), **changes)))
    assert [item.field for item in found] == ([field] if field else [])


async def test_staff_write_an_event_and_see_it_before_they_send(tanaka: Visitor) -> None:
    page = await tanaka.write(event_starts="2027-04-11T10:00", event_ends="2027-04-11T15:30")
    assert "2027年4月11日(日) 10:00から 2027年4月11日(日) 15:30まで" in page.text
    wrong = await tanaka.write(event_starts="2027-04-11T10:00", event_ends="2027-04-10T10:00")
    assert "催しの終わりが、始まりより前です" in wrong.text and 'value="2027-04-10T10:00"' in wrong.html
