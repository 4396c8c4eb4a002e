"""Writing, seeing and stopping what comes again, and an end for what goes out once."""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta
from typing import Any

import pytest

from bot.service import Service
from content.clock import DAY, HOUR, now_ms, to_jst, today_jst, words
from content.notices import notice_changes, notices, triggers
from content.notices.notices import Notice
from content.notices.recurrence import RecurrenceRule, read_closure, upcoming
from content.town import Town
from scheduler.triggers import fire_due
from tests.bot.web_visitor import Fields, Page, Visitor
from tests.factories import create_town, make_subscribers, public_page, spec

NEW = "/console/notices/new"
TUESDAYS: Fields = {
    "when": "repeat",
    "repeat": "nth",
    "nths": ["2", "4"],
    "weekdays": ["1"],
    "time": "07:00",
    "on_holiday": "after",
    "closures": "12/29〜1/3",
}
RULE = RecurrenceRule(
    "nth",
    time(7),
    weekdays=(1,),
    nths=(2, 4),
    closures=(read_closure("12/29~1/3"),),
    on_holiday="after",
)


@pytest.fixture
def town() -> Town:
    return create_town()


async def newest(service: Service) -> Notice:
    async with service.database.read() as connection:
        return (await notices.recent(connection, 1))[0]


async def written(tanaka: Visitor, **changes: str | list[str]) -> Page:
    return await tanaka.write(**(TUESDAYS | changes))


async def started(service: Service, rule: RecurrenceRule = RULE) -> int:
    """A series that was approved a month ago."""
    past = now_ms() - 30 * DAY
    async with service.database.write() as connection:
        await make_subscribers(connection, service.keys, 3)
        notice_id, _ = await notice_changes.create(
            connection, spec(rule=rule), submission_key="series", staff="tanaka", at=past
        )
        await notice_changes.approve(connection, notice_id, staff="suzuki", at=past)
    return notice_id


async def test_a_rule_is_kept_as_it_was_chosen(tanaka: Visitor, service: Service) -> None:
    page = await written(tanaka)
    stored = await newest(service)
    assert page.path == f"/console/notices/{stored.id}/confirm"
    assert stored.spec.rule == RULE
    assert (stored.spec.at, stored.spec.expires) == (None, None)


@pytest.mark.parametrize(
    ("fields", "kept"),
    [
        ({"repeat": "weekly", "weekdays": ["0", "3"]}, {"kind": "weekly", "weekdays": (0, 3)}),
        ({"repeat": "day", "days": "10、25日"}, {"kind": "day", "days": (10, 25)}),
        ({"repeat": "month_end"}, {"kind": "month_end"}),
    ],
)
async def test_only_the_fields_of_the_chosen_way_count(
    tanaka: Visitor, service: Service, fields: dict[str, str], kept: dict[str, Any]
) -> None:
    await written(tanaka, **fields)
    plain = replace(RULE, nths=(), weekdays=())
    assert (await newest(service)).spec.rule == replace(plain, **kept)


async def test_dates_bounds_and_closures_are_read(tanaka: Visitor, service: Service) -> None:
    first, second = today_jst() + timedelta(days=30), today_jst() + timedelta(days=60)
    await written(
        tanaka,
        repeat="dates",
        dates=f"{second}\n{first:%Y/%m/%d}",
        first=str(today_jst()),
        until=str(second),
        closures="12/29〜1/3\n5月3日",
    )
    rule = (await newest(service)).spec.rule
    assert rule is not None
    assert (rule.dates, rule.first, rule.last) == ((first, second), today_jst(), second)
    assert [str(item) for item in rule.closures] == ["12/29~1/3", "5/3"]


async def test_the_confirm_page_says_the_rule_and_the_next_five_dates(
    tanaka: Visitor, service: Service
) -> None:
    page = await written(tanaka)
    assert "毎月 第2・第4 火曜日 07:00" in page.text
    assert "祝日なら、その次の平日に送る" in page.text
    assert "毎年12/29〜1/3" in page.text
    expected = upcoming(RULE, now_ms(), 5)
    assert page.html.count("<li>20") == 5
    for item in expected:
        assert words(item.due_at) in page.text


async def test_the_confirm_page_says_why_a_date_was_moved(tanaka: Visitor) -> None:
    year = today_jst().year + 1
    page = await written(tanaka, repeat="dates", dates=f"{year}-11-03", closures="")
    assert f"11月3日({'月火水木金土日'[to_weekday(year)]})が祝日(文化の日)のため次の平日" in page.text


def to_weekday(year: int) -> int:
    return today_jst().replace(year=year, month=11, day=3).weekday()


async def test_a_series_takes_a_word_of_its_own_to_begin(tanaka: Visitor, service: Service) -> None:
    page = await written(tanaka)
    await tanaka.approve(page, "配信")
    assert (await newest(service)).state == "draft"
    progress = await tanaka.approve(page, "くり返し配信")
    stored = await newest(service)
    assert (stored.state, stored.due_at) == ("approved", upcoming(RULE, now_ms(), 1)[0].due_at)
    assert "くり返し中" in progress.text
    assert "まだ1回も送っていません" in progress.text


async def test_a_stored_rule_comes_back_into_the_form(tanaka: Visitor, service: Service) -> None:
    page = await written(tanaka, until=str(today_jst() + timedelta(days=200)))
    rule = (await newest(service)).spec.rule
    edit = await tanaka.get(page.path.replace("/confirm", "/edit"))
    await tanaka.submit(edit, edit.path)
    assert (await newest(service)).spec.rule == rule


BAD: list[tuple[dict[str, str | list[str]], str, str]] = [
    ({"nths": []}, "nths", "1つ以上選んで"),
    ({"weekdays": []}, "weekdays", "曜日を1つ以上"),
    ({"time": ""}, "time", "送る時刻を"),
    ({"time": "あさ"}, "time", "送る時刻を"),
    ({"repeat": "day", "days": "32"}, "days", "1から31まで"),
    ({"repeat": "day", "days": "月末"}, "days", "1から31まで"),
    ({"repeat": "day", "days": ""}, "days", "1から31まで"),
    ({"repeat": "dates", "dates": ""}, "dates", "日付を1つ以上"),
    ({"repeat": "dates", "dates": "12/1"}, "dates", "年がありません"),
    ({"repeat": "dates", "dates": "2020-01-01"}, "repeat", "1日もありません"),
    ({"repeat": ""}, "repeat", "くり返し方を選んで"),
    ({"on_holiday": "?"}, "on_holiday", "祝日に当たったとき"),
    ({"closures": "正月"}, "closures", "日付として読み取れません"),
    ({"until": "いつか"}, "until", "日付として読み取れません"),
    ({"first": "2030-01-02", "until": "2030-01-01"}, "until", "始まりの日より前"),
    ({"urgency": "urgent"}, "urgency", "くり返しは緊急にできません"),
    ({"when": "now", "at": "2030-01-01T09:00"}, "when", "日時を指定"),
    ({"when": "at", "at": ""}, "at", "配信日時を入れて"),
    ({"when": "いつか"}, "when", "どれかを選んで"),
    ({"when": "now", "expires": "2020-01-01T09:00"}, "expires", "有効期限が配信より前"),
    ({"when": "now", "expires": "そのうち"}, "expires", "有効期限を読み取れません"),
]


@pytest.mark.parametrize(("fields", "field_id", "message"), BAD)
async def test_a_bad_choice_is_explained_at_its_field_and_nothing_is_stored(
    tanaka: Visitor, service: Service, fields: dict[str, str], field_id: str, message: str
) -> None:
    page = await written(tanaka, **fields)
    assert page.status == 422
    assert message in page.message_of(field_id)
    assert f'<a href="#{field_id}">' in page.html
    assert f'id="{field_id}"' in page.html
    async with service.database.read() as connection:
        assert await notices.recent(connection) == []


async def test_what_was_typed_for_a_rule_is_kept_when_something_is_wrong(tanaka: Visitor) -> None:
    page = await written(tanaka, title__ja="", closures="8/13〜8/16")
    fields = page.form(NEW)
    assert [value for name, value in fields if name == "nths"] == ["2", "4"]
    kept = dict(fields)
    assert (kept["when"], kept["repeat"], kept["time"], kept["closures"]) == (
        "repeat",
        "nth",
        "07:00",
        "8/13〜8/16",
    )


async def test_an_expiry_is_kept_and_shown(tanaka: Visitor, service: Service) -> None:
    expires = to_jst(now_ms() + DAY).replace(second=0, microsecond=0)
    page = await tanaka.write(expires=f"{expires:%Y-%m-%dT%H:%M}")
    stored = await newest(service)
    assert stored.spec.expires == round(expires.timestamp() * 1000)
    assert f"いつまで掲載するか {words(stored.spec.expires)}" in page.text


async def test_the_page_of_a_series_leads_to_what_it_has_become(tanaka: Visitor, service: Service) -> None:
    series_id = await started(service)
    async with service.database.read() as connection:
        series = await notices.get(connection, series_id)
    assert series is not None and series.due_at is not None
    await fire_due(service.context, series.due_at)
    occurrence = await newest(service)
    page = await tanaka.get(f"/console/notices/{series_id}")
    assert f'href="/console/notices/{occurrence.id}"' in page.html
    assert "くり返し中" in page.text
    one = await tanaka.get(f"/console/notices/{occurrence.id}")
    assert f'href="/console/notices/{series_id}"' in one.html
    listed = await tanaka.get("/console/notices")
    assert "くり返しの1回" in listed.text and "次回 " in listed.text


async def test_a_series_is_stopped_after_asking_once_more(tanaka: Visitor, service: Service) -> None:
    series_id = await started(service)
    page = await tanaka.get(f"/console/notices/{series_id}")
    assert f'href="/console/notices/{series_id}/stop"' in page.html
    asked = await tanaka.get(f"/console/notices/{series_id}/stop")
    assert "止めると送られなくなる予定" in asked.text
    assert (await newest(service)).state == "approved"
    stopped = await tanaka.submit(asked, f"/console/notices/{series_id}/cancel")
    assert "くり返しを止めました" in stopped.text
    assert "これからの予定" not in stopped.text.replace("これからの予定は送られません", "")
    assert await fire_due(service.context, now_ms() + 60 * DAY) == 0
    again = await tanaka.submit(asked, f"/console/notices/{series_id}/cancel")
    assert "もう止まっている" in again.text
    assert (await tanaka.get(f"/console/notices/{series_id}/stop")).path == f"/console/notices/{series_id}"


async def test_who_may_only_look_cannot_stop_a_series(kikaku: Visitor, service: Service) -> None:
    series_id = await started(service)
    page = await kikaku.get(f"/console/notices/{series_id}")
    assert "くり返し中" in page.text and "/stop" not in page.html
    assert (await kikaku.get(f"/console/notices/{series_id}/stop")).status == 403


async def test_a_series_has_no_public_page_and_its_occurrences_have(
    stranger: Visitor, service: Service
) -> None:
    series_id = await started(service)
    async with service.database.read() as connection:
        series = await notices.get(connection, series_id)
    assert series is not None and series.due_at is not None
    await fire_due(service.context, series.due_at)
    async with service.database.read() as connection:
        (occurrence,) = await triggers.occurrences_of(connection, series_id)
    assert (await stranger.get(await public_page(service.database, series_id))).status == 404
    assert (await stranger.get(await public_page(service.database, occurrence))).status == 200


async def test_a_series_that_is_late_says_so_on_its_occurrence(tanaka: Visitor, service: Service) -> None:
    series_id = await started(service)
    async with service.database.read() as connection:
        series = await notices.get(connection, series_id)
    assert series is not None and series.due_at is not None
    await fire_due(service.context, series.due_at + 13 * HOUR)
    occurrence = await newest(service)
    assert occurrence.id != series_id
    page = await tanaka.get(f"/console/notices/{occurrence.id}")
    assert "職員の判断を待っています" in page.text
