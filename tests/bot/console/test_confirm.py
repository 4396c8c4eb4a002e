"""The last look before sending, and the word that has to be typed."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
import pytest_asyncio

from bot.console.confirm import normalise_word
from bot.console.words import approval_word
from bot.service import Service
from content.clock import now_ms, to_jst
from content.notices import notice_changes, notices
from content.notices.notices import Notice, NoticeSpec
from content.staff import audit
from content.town import Town
from tests.bot.web_visitor import Page, Visitor
from tests.factories import ELDER, NEWCOMER, PARENT, create_town, make_subscriber

EVACUATION = {
    "title__ja": "避難してください",
    "body__ja": "川があふれます。",
    "title__en": "Evacuate",
    "body__en": "The river may overflow.",
    "category": "saigai",
    "urgency": "urgent",
}


@pytest_asyncio.fixture
async def residents(service: Service) -> None:
    async with service.database.write() as connection:
        for person in (PARENT, ELDER, NEWCOMER):
            await make_subscriber(connection, service.keys, person)


async def newest(service: Service) -> Notice:
    async with service.database.read() as connection:
        return (await notices.recent(connection))[0]


async def times_approved(service: Service) -> int:
    async with service.database.read() as connection:
        return sum(entry.action == "notice.approved" for entry in await audit.entries(connection))


@pytest.mark.usefixtures("residents")
async def test_the_confirm_page_says_how_many_to_whom_and_how_it_looks(tanaka: Visitor) -> None:
    page = await tanaka.write(**EVACUATION)
    assert "これから 3 件に送ります" in page.text
    assert "LINE 2件" in page.text and "メール 1件" in page.text
    assert "人数ではありません" in page.text
    assert "登録者全員(「災害・避難」は命に関わる分野です)" in page.text
    assert "本番(住民に届きます)" in page.text
    assert "【緊急】避難してください" in page.text and "[URGENT] Evacuate" in page.text
    assert page.path.split("/")[3] in page.text.partition("くわしく見る:")[2][:60]


@pytest.mark.usefixtures("residents")
async def test_the_right_word_approves_and_leads_to_the_progress(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.approve(await tanaka.write(**EVACUATION), "緊急配信")
    stored = await newest(service)
    assert page.path == f"/console/notices/{stored.id}"
    assert (stored.state, stored.approved_by) == ("approved", "tanaka")
    assert "まもなく配信" in page.text


@pytest.mark.usefixtures("residents")
@pytest.mark.parametrize("word", ["", "配信", "訓練配信", "緊急", "kinkyuu"])
async def test_a_wrong_word_sends_nothing(tanaka: Visitor, service: Service, word: str) -> None:
    page = await tanaka.approve(await tanaka.write(**EVACUATION), word)
    assert page.status == 422
    assert "「緊急配信」と入力してください。まだ送信していません。" in page.text
    assert (await newest(service)).state == "draft"


def test_width_and_spaces_do_not_matter_in_the_word() -> None:
    assert normalise_word(" 緊急 配信　") == "緊急配信"
    assert normalise_word("ﾃｽﾄ") == "テスト"


def test_every_kind_of_notice_has_a_word_of_its_own() -> None:
    words = {
        (mode, urgency): approval_word(
            NoticeSpec("saigai", urgency, {"ja": ("件名", "本文")}, ("line",), mode)
        )
        for mode in ("live", "drill", "test")
        for urgency in ("routine", "urgent")
    }
    assert words["live", "routine"] == "配信" and words["live", "urgent"] == "緊急配信"
    assert {words["drill", "routine"], words["drill", "urgent"]} == {"訓練配信"}
    assert {words["test", "routine"], words["test", "urgent"]} == {"試験配信"}


@pytest.mark.usefixtures("residents")
async def test_two_people_approving_at_once_send_once(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    mine = await tanaka.write(**EVACUATION)
    theirs = await suzuki.get(mine.path)
    pages = await asyncio.gather(
        tanaka.approve(mine, "緊急配信"), suzuki.approve(theirs, "緊急配信"), tanaka.approve(mine, "緊急配信")
    )
    assert {page.path for page in pages} == {mine.path.removesuffix("/confirm")}
    assert await times_approved(service) == 1


@pytest.mark.usefixtures("residents")
async def test_what_changed_behind_the_page_has_to_be_seen_first(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    mine = await tanaka.write(**EVACUATION)
    edit = await suzuki.get(mine.path.replace("/confirm", "/edit"))
    await suzuki.submit(edit, edit.path, {"title.ja": "避難しないでください"})
    page = await tanaka.approve(mine, "緊急配信")
    assert "内容が変わりました" in page.text
    assert "避難しないでください" in page.text
    assert (await newest(service)).state == "draft"


async def test_nobody_to_send_to_is_explained_instead_of_a_form(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.write()
    assert "この宛先に当てはまる登録はありません" in page.text
    assert 'name="word"' not in page.html
    fields = [("word", "配信"), ("version", str((await newest(service)).version_id))]
    token = dict((await tanaka.get("/console/")).form("/console/logout"))["csrf"]
    await tanaka.post(page.path.replace("/confirm", "/approve"), [*fields, ("csrf", token)])
    assert (await newest(service)).state == "draft"


async def test_a_scheduled_notice_may_wait_for_its_registrations(tanaka: Visitor, service: Service) -> None:
    # At night a routine notice asks for one more yes.
    tomorrow = f"{to_jst(now_ms()) + timedelta(days=1):%Y-%m-%dT12:00}"
    page = await tanaka.approve(await tanaka.write(when="at", at=tomorrow))
    assert "予約" in page.text and "予約を取り消す" in page.text
    assert (await newest(service)).state == "approved"


@pytest.mark.usefixtures("residents")
async def test_a_placeholder_left_in_the_text_is_pointed_out_and_not_refused(tanaka: Visitor) -> None:
    page = await tanaka.write(title__ja="○○地区へ", category="saigai")
    assert "件名に書きかけの所が残っています:「○○地区へ」" in page.text
    assert 'name="word"' in page.html


@pytest.mark.usefixtures("residents")
async def test_everyone_is_spelled_out_with_what_a_broadcast_adds(tanaka: Visitor) -> None:
    page = await tanaka.write(target="everyone", category="gomi")
    assert "登録者全員(選んだ分野によらない)" in page.text
    assert "登録のない友だちも含むすべての友だちに、このお知らせの全言語の文を送ります" in page.text


async def test_a_draft_is_cancelled_and_never_sent(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.write()
    cancel = page.path.replace("/confirm", "/cancel")
    assert f'href="{cancel}"' in page.html
    asked = await tanaka.get(cancel)
    assert "この下書きを取り消す" in asked.text and "乳幼児健診のお知らせ" in asked.text
    assert (await newest(service)).state == "draft"
    after = await tanaka.submit(asked, cancel)
    assert "取り消しました" in after.text
    assert "tanaka:お知らせを取りやめた" in after.text and "tanaka:お知らせの下書きを作った" in after.text
    assert (await newest(service)).state == "cancelled"
    assert (await tanaka.get(page.path)).path == after.path.partition("?")[0]


async def test_a_schedule_that_passed_in_the_meantime_is_refused_with_the_remedy(
    tanaka: Visitor, service: Service
) -> None:
    page = await tanaka.write()
    stored = await newest(service)
    async with service.database.write() as connection:
        past = replace(stored.spec, at=now_ms() - 60_000)
        await notice_changes.revise(connection, stored.id, past, staff="tanaka", at=now_ms())
    again = await tanaka.get(page.path)
    assert again.status == 422
    assert "配信日時が過ぎています" in again.text
    assert 'name="word"' not in again.html


class TestDrill:
    """A town whose LINE account may carry drills."""

    @pytest.fixture
    def town(self) -> Town:
        accounts = [{"key": "line", "channel": "line", "also_carries": ["drill"]}]
        return create_town(accounts=accounts)

    @pytest.mark.usefixtures("residents")
    async def test_a_drill_looks_different_and_has_its_own_word(
        self, tanaka: Visitor, service: Service
    ) -> None:
        page: Page = await tanaka.write(**EVACUATION, mode="drill")
        assert "訓練(すべての文に【訓練】が付きます)" in page.text
        assert 'class="impact practice"' in page.html
        assert "【訓練】【緊急】避難してください" in page.text
        assert (await tanaka.approve(page, "緊急配信")).status == 422
        await tanaka.approve(page, "訓練配信")
        assert (await newest(service)).state == "approved"
