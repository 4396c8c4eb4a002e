"""Segments on the screen: made, changed by whoever saw the newest, closed, and never a way to everyone."""

from __future__ import annotations

from sqlalchemy import select

from bot.service import Service
from content.notices import records
from content.notices.records import RecordKind, TownRecord
from content.staff.audit import audit_entry
from tests.bot.web_visitor import Visitor
from tests.factories import ELDER, PARENT, make_subscriber

NEW = "/console/segments/new"


async def records_of(service: Service) -> list[TownRecord]:
    async with service.database.read() as connection:
        return await records.all_records(connection, RecordKind.SEGMENT)


async def make(tanaka: Visitor, **fields: str | list[str]) -> None:
    page = await tanaka.get(NEW)
    answer = await tanaka.submit(page, NEW, {"name": "川沿い", "area": ["funaoka"], **fields})
    assert answer.path == "/console/segments", answer.text


async def test_a_segment_made_on_the_screen_is_counted_and_can_be_sent_to(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        for person in (PARENT, ELDER):
            await make_subscriber(connection, service.keys, person)
    await make(tanaka)
    (made,) = await records_of(service)
    listed = await tanaka.get("/console/segments")
    assert "川沿い 地区が船岡 いま 1件" in listed.text
    confirm = await tanaka.write(target="segment", segment=made.key)
    assert "配信対象「川沿い」" in confirm.text and "これから 1 件に送ります" in confirm.text
    used = await tanaka.get(f"/console/segments/{made.key}")
    assert "乳幼児健診のお知らせ" in used.text
    async with service.database.read() as connection:
        actions = list(await connection.scalars(select(audit_entry.c.action)))
    assert "segment.added" in actions


async def test_without_a_name_or_a_condition_nothing_is_made(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(NEW)
    nameless = await tanaka.submit(page, NEW, {"area": ["funaoka"]})
    assert nameless.status == 422 and "名前を書いてください" in nameless.message_of("name")
    empty = await tanaka.submit(page, NEW, {"name": "全員"})
    assert empty.status == 422 and "送る地区を1つ以上" in empty.message_of("area")
    unknown = await tanaka.submit(page, NEW, {"name": "海", "area": ["sea"]})
    assert unknown.status == 422 and "町の設定にない" in unknown.message_of("area")
    assert await records_of(service) == []


async def test_the_second_of_two_who_change_it_is_told(tanaka: Visitor, service: Service) -> None:
    await make(tanaka)
    path = f"/console/segments/{(await records_of(service))[0].key}"
    hers, his = await tanaka.get(path), await tanaka.get(path)
    await tanaka.submit(hers, path, {"area": ["tsukinoki"]})
    told = await tanaka.submit(his, path, {"area": ["nishizumi"]})
    assert told.status == 409 and "いまの条件は「地区が槻木」" in told.message_of("name")
    (stored,) = await records_of(service)
    assert stored.content.rules[0].any_of == ("tsukinoki",)
    assert (await tanaka.submit(told, path)).path == "/console/segments"
    (stored,) = await records_of(service)
    assert stored.content.rules[0].any_of == ("nishizumi",)


async def test_a_closed_segment_reaches_nobody_and_can_be_opened_again(
    tanaka: Visitor, service: Service
) -> None:
    await make(tanaka)
    key = (await records_of(service))[0].key
    close = f"/console/segments/{key}/close"
    await tanaka.submit(await tanaka.get("/console/segments"), close)
    refused = await tanaka.write(target="segment", segment=key)
    assert "使用を終えています" in refused.message_of("segment")
    await tanaka.submit(await tanaka.get("/console/segments"), close)
    assert (await tanaka.write(target="segment", segment=key)).path.endswith("/confirm")


async def test_the_choice_of_a_notice_is_kept_as_a_segment(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get("/console/notices/new")
    fields = [*page.form("/console/notices/new"), ("area", "funaoka"), ("youngest", "0"), ("oldest", "2")]
    fields = [item for item in fields if item not in (("youngest", ""), ("oldest", ""), ("segment_name", ""))]
    form = await tanaka.post("/console/segments/from-notice", [*fields, ("segment_name", "船岡の0〜2歳")])
    saved = await tanaka.submit(form, NEW)
    assert "船岡の0〜2歳 地区が船岡、子どもが0〜2歳" in saved.text


async def test_a_viewer_sees_the_list_and_changes_nothing(tanaka: Visitor, service: Service) -> None:
    await make(tanaka)
    key = (await records_of(service))[0].key
    await tanaka.enter(service, "kikaku")
    listed = await tanaka.get("/console/segments")
    assert "川沿い" in listed.text and "使用を終える" not in listed.text
    for path in (NEW, f"/console/segments/{key}"):
        assert (await tanaka.get(path)).status == 403
