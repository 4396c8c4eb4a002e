"""Templates and word calendars on the screen."""

from __future__ import annotations

import pytest_asyncio

from bot.service import Service
from content.notices import records
from content.notices.records import RecordKind, TownRecord
from content.staff.rights import add_department
from tests.bot.web_visitor import Visitor

NEW = "/console/templates/new"
FIELDS = {
    "name": "断水",
    "category": "kurashi",
    "department": "suido",
    "title.ja": "{{場所}}の断水",
    "body.ja": "{{日時}}に断水します。",
    "title.en": "No water: {{場所}}",
    "body.en": "{{日時}}",
}


@pytest_asyncio.fixture(autouse=True)
async def department(service: Service) -> None:
    async with service.database.write() as connection:
        await add_department(connection, "suido", "上下水道課", ["kurashi"], at=1)


async def stored(service: Service, kind: RecordKind) -> list[TownRecord]:
    async with service.database.read() as connection:
        return await records.all_records(connection, kind)


async def test_a_template_made_on_the_screen_is_offered_to_writers(tanaka: Visitor, service: Service) -> None:
    made = await tanaka.submit(await tanaka.get(NEW), NEW, FIELDS)
    assert made.path == "/console/templates" and "上下水道課" in made.text
    (record,) = await stored(service, RecordKind.TEMPLATE)
    page = await tanaka.get(f"/console/notices/new?template={record.key}")
    assert "断水" in page.text
    assert {"gap.ja.場所", "gap.ja.日時", "gap.en.場所"} <= {
        name for name, _ in page.form("/console/notices/new")
    }


async def test_the_department_is_one_of_those_there_are(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(NEW)
    assert "上下水道課" in page.text and "全庁" in page.text
    refused = await tanaka.submit(page, NEW, FIELDS | {"department": "nowhere"})
    assert refused.status == 422 and "課を一覧から選んでください" in refused.text
    assert await stored(service, RecordKind.TEMPLATE) == []
    assert dict(refused.form(NEW))["department"] == "nowhere" and "登録のない課" in refused.text


async def test_a_department_that_was_typed_as_a_name_is_found_by_it(
    tanaka: Visitor, service: Service
) -> None:
    await tanaka.submit(await tanaka.get(NEW), NEW, FIELDS)
    (record,) = await stored(service, RecordKind.TEMPLATE)
    named = record.content.model_copy(update={"department": "上下水道課"})
    async with service.database.write() as connection:
        await records.change_record(connection, RecordKind.TEMPLATE, named, version=1, staff="tanaka", at=1)
    assert "上下水道課" in (await tanaka.get("/console/templates")).text
    path = f"/console/templates/{record.key}"
    await tanaka.submit(await tanaka.get(path), path)
    assert (await stored(service, RecordKind.TEMPLATE))[0].content.department == "suido"


async def test_a_gap_that_japanese_does_not_have_is_named(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(NEW)
    refused = await tanaka.submit(page, NEW, FIELDS | {"body.en": "{{place}}"})
    assert refused.status == 422
    assert "英語の空欄 {{place}} は、日本語の文にありません" in refused.text
    broken = await tanaka.submit(page, NEW, FIELDS | {"body.ja": "{{日時}"})
    assert broken.status == 422
    assert dict(broken.form(NEW))["title.ja"] == "{{場所}}の断水"
    assert await stored(service, RecordKind.TEMPLATE) == []


async def test_the_second_of_two_who_change_a_template_is_told(tanaka: Visitor, service: Service) -> None:
    await tanaka.submit(await tanaka.get(NEW), NEW, FIELDS)
    (record,) = await stored(service, RecordKind.TEMPLATE)
    path = f"/console/templates/{record.key}"
    hers, his = await tanaka.get(path), await tanaka.get(path)
    await tanaka.submit(hers, path, {"name": "断水(先)"})
    told = await tanaka.submit(his, path, {"name": "断水(あと)"})
    assert told.status == 409 and "ほかの人が先に保存しました" in told.text
    assert (await stored(service, RecordKind.TEMPLATE))[0].content.name == "断水(先)"


async def test_a_drill_template_makes_a_drill_and_a_closed_one_is_not_offered(
    tanaka: Visitor, service: Service
) -> None:
    await tanaka.submit(await tanaka.get(NEW), NEW, FIELDS | {"shelf": "drill"})
    (record,) = await stored(service, RecordKind.TEMPLATE)
    page = await tanaka.get(f"/console/notices/new?template={record.key}")
    assert dict(page.form("/console/notices/new"))["mode"] == "drill"
    path = f"/console/templates/{record.key}"
    await tanaka.submit(await tanaka.get(path), path, {"closed": "1"})
    assert f'value="{record.key}"' not in (await tanaka.get("/console/notices/new")).html


async def test_a_calendar_is_pasted_and_a_wrong_line_is_named(tanaka: Visitor, service: Service) -> None:
    new = "/console/word-calendars/new"
    page = await tanaka.get(new)
    wrong = await tanaka.submit(
        page, new, {"name": "当番医", "table": "日付\t病院\n2030-01-01\t船岡医院\n2030-01-01\t槻木病院"}
    )
    assert wrong.status == 422 and "3行目の日付 2030-01-01 は、2行目にもあります" in wrong.text
    made = await tanaka.submit(wrong, new, {"table": "日付\t病院\n2030-01-01\t船岡医院"})
    assert made.path == "/console/word-calendars"
    (record,) = await stored(service, RecordKind.CALENDAR)
    assert "船岡医院" in (await tanaka.get(f"/console/word-calendars/{record.key}")).text
    assert "当番医(病院)" in (await tanaka.get("/console/notices/new")).text
