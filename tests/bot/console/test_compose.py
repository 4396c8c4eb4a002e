"""Writing a notice: what is kept, what is refused, and that one form is one notice."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest
from aiohttp.test_utils import TestClient, TestServer
from sqlalchemy import select

from bot.app import create_app
from bot.service import Service, open_town_context
from bot.settings import MailSettings
from content.clock import now_ms, to_jst
from content.notices import notices
from content.notices.notices import Notice, notice
from content.town import Town
from tests.bot.web_visitor import Visitor
from tests.factories import create_town, segment


async def all_notices(service: Service) -> list[Notice]:
    async with service.database.read() as connection:
        return await notices.recent(connection)


async def test_a_new_notice_is_stored_as_a_draft_for_every_channel(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.write()
    (stored,) = await all_notices(service)
    assert page.path == f"/console/notices/{stored.id}/confirm"
    assert stored.state == "draft"
    assert stored.created_by == "tanaka"
    assert stored.spec.channels == ("line", "mail", "webhook")
    assert stored.spec.target.kind == "subscribed"
    assert tuple(stored.spec.texts) == ("ja",)


async def test_a_template_fills_the_fields_and_opens_its_languages(tanaka: Visitor) -> None:
    page = await tanaka.get("/console/notices/new?template=evacuation4")
    fields = dict(page.form("/console/notices/new"))
    assert fields["title.ja"].startswith("【警戒レベル4 避難指示】")
    assert fields["urgency"] == "urgent" and fields["category"] == "saigai"
    assert fields["body.en"].startswith("{{川の名前}} may overflow")
    assert page.html.count('<details class="languages" open>') == 2


async def test_a_time_is_meant_in_japan(tanaka: Visitor, service: Service) -> None:
    moment = (to_jst(now_ms()) + timedelta(days=2)).replace(hour=8, minute=30, second=0, microsecond=0)
    await tanaka.write(when="at", at=f"{moment:%Y-%m-%dT%H:%M}")
    (stored,) = await all_notices(service)
    assert stored.spec.at == round(moment.timestamp() * 1000)


async def test_a_form_key_that_is_no_uuid_becomes_one_and_still_tells_one_form(
    tanaka: Visitor, service: Service
) -> None:
    page = await tanaka.get("/console/notices/new")
    fields = {"title.ja": "件名", "body.ja": "本文", "category": "event"}
    for key in ("series 1 at 1775685600000", "series 1 at 1775685600000", "x" * 9000, ""):
        await tanaka.submit(page, "/console/notices/new", {**fields, "submission_key": key})
    async with service.database.read() as connection:
        stored = list(await connection.scalars(select(notice.c.submission_key)))
    assert len(stored) == 3
    assert [str(UUID(key)) for key in stored] == stored


async def test_the_same_form_sent_twice_is_one_notice(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get("/console/notices/new")
    fields = {"title.ja": "件名", "body.ja": "本文", "category": "event"}
    sent = await asyncio.gather(*(tanaka.submit(page, "/console/notices/new", fields) for _ in range(3)))
    assert len({answer.path for answer in sent}) == 1
    assert len(await all_notices(service)) == 1


async def test_going_back_and_changing_the_words_changes_the_draft(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.get("/console/notices/new")
    fields = {"title.ja": "件名", "body.ja": "古い本文", "category": "event"}
    await tanaka.submit(page, "/console/notices/new", fields)
    confirm = await tanaka.submit(page, "/console/notices/new", fields | {"body.ja": "新しい本文"})
    (stored,) = await all_notices(service)
    assert stored.body == "新しい本文"
    assert "新しい本文" in confirm.text


async def test_a_draft_can_be_changed(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.write()
    edit = await tanaka.get(page.path.replace("/confirm", "/edit"))
    confirm = await tanaka.submit(edit, edit.path, {"title.ja": "直した件名", "channels": ["mail"]})
    (stored,) = await all_notices(service)
    assert confirm.path == page.path
    assert (stored.title, stored.spec.channels) == ("直した件名", ("mail",))


async def test_a_cancelled_draft_is_not_changed_any_more(tanaka: Visitor, service: Service) -> None:
    page = await tanaka.write()
    edit = await tanaka.get(page.path.replace("/confirm", "/edit"))
    asked = await tanaka.get(page.path.replace("/confirm", "/cancel"))
    await tanaka.submit(asked, asked.path)
    answer = await tanaka.submit(edit, edit.path, {"title.ja": "直した件名"})
    assert "内容は変えていません" in answer.text
    assert (await all_notices(service))[0].title == "乳幼児健診のお知らせ"


BAD_INPUTS = [
    ({"title__ja": " "}, "title.ja", "件名を書いてください"),
    ({"body__ja": ""}, "body.ja", "本文を書いてください"),
    ({"title__en": "Check-up"}, "body.en", "本文(英語)を書いてください"),
    ({"body__ja": "あ" * 5001}, "body.ja", "5,000文字まで"),
    # A face outside the basic plane counts as two, as LINE counts.
    ({"body__ja": "😀" * 2501}, "body.ja", "5,000文字まで"),
    ({"title__ja": "あ" * 1001}, "title.ja", "1,000文字まで"),
    ({"when": "at", "at": "2020-01-01T09:00"}, "at", "配信日時が過ぎています"),
    ({"when": "at", "at": "あした"}, "at", "配信日時を読み取れません"),
    ({"channels": ["fax"]}, "channels", "「fax」という配信手段はありません"),
    ({"channels": []}, "channels", "配信手段を1つ以上選んでください"),
    ({"mode": "drill"}, "mode", "「訓練」を送れるアカウントがありません"),
    ({"mode": "??"}, "mode", "「本番」「訓練」「試験」"),
    ({"category": ""}, "category", "分野を一覧から選んでください"),
    ({"category": "kaisan"}, "category", "町の設定にありません"),
    ({"urgency": ""}, "urgency", "「緊急」か「通常」"),
    ({"target": "segment"}, "segment", "配信対象を一覧から選んでください"),
    ({"target": "segment", "segment": "gone"}, "segment", "町の設定にありません"),
    ({"target": "group"}, "group", "グループを一覧から選んでください"),
    ({"target": "anybody"}, "target", "宛先の決め方を選んでください"),
]


@pytest.mark.parametrize(("fields", "field_id", "message"), BAD_INPUTS)
async def test_a_bad_input_is_explained_at_its_field_and_nothing_is_stored(
    tanaka: Visitor, service: Service, fields: dict[str, str], field_id: str, message: str
) -> None:
    page = await tanaka.write(**fields)
    assert page.status == 422
    assert message in page.message_of(field_id)
    assert f'<a href="#{field_id}">' in page.html
    assert f'id="{field_id}"' in page.html
    assert await all_notices(service) == []


async def test_what_was_typed_is_kept_when_something_is_wrong(tanaka: Visitor) -> None:
    page = await tanaka.write(
        title__ja="", body__ja='<b>「本文」</b>\n& "二行目"', when="at", at="2020-01-01T09:00", mode="drill"
    )
    fields = dict(page.form("/console/notices/new"))
    assert fields["body.ja"].replace("\r\n", "\n") == '<b>「本文」</b>\n& "二行目"'
    assert fields["at"] == "2020-01-01T09:00"
    assert fields["mode"] == "drill"
    assert "<b>「本文」" not in page.html


async def test_a_channel_without_its_settings_is_left_out_and_says_what_is_missing(
    service: Service,
) -> None:
    settings = service.settings.model_copy(update={"mail": MailSettings()})
    context = open_town_context(settings, service.town, service.database, service.keys)
    async with TestClient(TestServer(create_app(Service(settings, context)))) as client:
        visitor = Visitor(client)
        await visitor.enter(service, "tanaka")
        page = await visitor.get("/console/notices/new")
        assert "メールの接続の設定を頼んでください" in page.text
        chosen = [value for name, value in page.form("/console/notices/new") if name == "channels"]
        assert chosen == ["line", "webhook"]
        refused = await visitor.write(channels=["mail"])
        assert "メール は設定されていないため使えません" in refused.message_of("channels")


async def test_a_form_that_is_far_too_large_is_refused_with_a_page(tanaka: Visitor) -> None:
    page = await tanaka.write(body__ja="あ" * 500_000)
    assert page.status == 413
    assert "文章を短くして" in page.text


class TestAnotherTown:
    """A town whose profile has a segment without a rule and a category that is closed."""

    @pytest.fixture
    def town(self) -> Town:
        categories = [
            {**item.model_dump(), "closed": item.key == "event"} for item in create_town().categories
        ]
        return create_town(segments=[segment(key="empty")], categories=categories)

    async def test_a_segment_without_a_rule_is_refused(self, tanaka: Visitor, service: Service) -> None:
        page = await tanaka.write(target="segment", segment="empty")
        assert "条件がありません" in page.message_of("segment")
        assert await all_notices(service) == []

    async def test_a_closed_category_is_refused(self, tanaka: Visitor, service: Service) -> None:
        page = await tanaka.write(category="event")
        assert "受付を終えています" in page.message_of("category")
        assert await all_notices(service) == []
