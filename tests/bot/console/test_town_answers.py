"""What staff keep for the chat on the screen: evacuation sites with their opening, questions often asked."""

from __future__ import annotations

from bot.service import Service
from content.clock import now_ms
from content.notices.records import RecordKind, all_records
from content.notices.shelters import OpeningState, openings
from tests.bot.web_visitor import Visitor
from tests.content.test_shelters import OLD

IMPORT, SITES, NEW = "/console/shelters/import", "/console/shelters", "/console/faq/new"
PETS = {"question.ja": "ペットは？", "answer.ja": "ケージで。", "keywords": "ペット、犬, ﾈｺ"}


async def take_in(visitor: Visitor) -> None:
    page = await visitor.get(IMPORT)
    asked = await visitor.submit(page, IMPORT, {"table": OLD})
    assert "追加 2か所" in asked.text
    done = await visitor.submit(asked, IMPORT, {"take": "1"})
    assert done.path == SITES and "東船岡公園" in done.text


async def test_a_list_is_shown_before_it_is_taken_in(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get(IMPORT)
    await tanaka.submit(page, IMPORT, {"table": OLD})
    async with service.database.read() as connection:
        assert await all_records(connection, RecordKind.SHELTER) == []
    await take_in(tanaka)


async def test_a_faulty_list_is_named_and_kept_on_the_page(tanaka: Visitor) -> None:
    page = await tanaka.get(IMPORT)
    refused = await tanaka.submit(page, IMPORT, {"table": "名称,住所\nA,B\n"})
    assert refused.status == 422
    assert "「緯度」の列がありません" in refused.text
    assert "名称,住所" in dict(refused.form(IMPORT))["table"]


async def test_two_who_set_openings_at_once_both_have_their_way(tanaka: Visitor, service: Service) -> None:
    await take_in(tanaka)
    mine, theirs = await tanaka.get(SITES), await tanaka.get(SITES)
    school, park = (name for name, _ in mine.form(SITES) if name.startswith("state-"))
    saved = await tanaka.submit(mine, SITES, {school: "open"})
    assert "1か所" in saved.text
    await tanaka.submit(theirs, SITES, {park: "full"})
    async with service.database.read() as connection:
        states = {key: item.state for key, item in (await openings(connection, now_ms())).items()}
    assert states == {
        school.removeprefix("state-"): OpeningState.OPEN,
        park.removeprefix("state-"): OpeningState.FULL,
    }


async def test_a_question_is_kept_with_its_keywords_and_can_be_changed(
    tanaka: Visitor, service: Service
) -> None:
    made = await tanaka.submit(await tanaka.get(NEW), NEW, PETS)
    assert made.path == "/console/faq" and "ペットは？" in made.text
    async with service.database.read() as connection:
        (record,) = await all_records(connection, RecordKind.FAQ)
    assert record.content.keywords == ("ペット", "犬", "ネコ")
    path = f"/console/faq/{record.key}"
    changed = await tanaka.submit(
        await tanaka.get(path), path, {"answer.ja": "ケージに入れて。", "closed": "1"}
    )
    assert "使用を終えた質問" in changed.text


async def test_a_question_without_an_answer_is_refused_and_kept_on_the_page(tanaka: Visitor) -> None:
    page = await tanaka.get(NEW)
    refused = await tanaka.submit(page, NEW, PETS | {"answer.ja": "", "question.en": "Pets?"})
    assert refused.status == 422
    assert "日本語の質問と答えを書いてください" in refused.text
    assert "両方書くか、両方空に" in refused.text
    assert dict(refused.form(NEW))["question.ja"] == "ペットは？"
