"""What the last look says of whom a notice does not reach, and the texts that it offers."""

from __future__ import annotations

import re

import pytest

from bot.service import Service
from content.notices import notices
from content.town import Town
from tests.bot.web_visitor import Visitor
from tests.factories import NEWCOMER, PARENT, create_town, make_subscriber

TEMPLATES = [
    {
        "key": "order",
        "name": "避難指示",
        "category": "saigai",
        "urgency": "urgent",
        "texts": {
            "ja": {"title": "避難指示", "body": "今すぐ{{避難所}}へ避難してください。"},
            "en": {"title": "Evacuate now", "body": "Go to {{避難所}} now."},
            "ja-easy": {"title": "にげてください", "body": "いますぐ にげてください。"},
        },
    }
]
ORDER = {
    "title__ja": "避難指示 船岡地区",
    "body__ja": "今すぐ船岡小学校へ避難してください。",
    "category": "saigai",
    "urgency": "urgent",
}


@pytest.fixture
def town() -> Town:
    return create_town(templates=TEMPLATES)


async def newest(service: Service) -> notices.Notice:
    async with service.database.read() as connection:
        return (await notices.recent(connection))[0]


async def test_a_language_without_its_text_stands_first_and_is_filled_by_one_button(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT, language="ja-easy")
    page = await tanaka.write(**ORDER)
    assert page.text.index("日本語を読まない方に、危険が伝わりません") < page.text.index("件に送ります")
    assert "いますぐ にげてください。" in page.text
    offered = page.path.replace("/confirm", "/offered")
    again = await tanaka.submit(page, offered)
    assert again.path == page.path
    assert "危険が伝わりません" not in again.text
    assert (await newest(service)).spec.texts["ja-easy"] == ("にげてください", "いますぐ にげてください。")
    # The page of before has seen other words.
    assert (await tanaka.submit(page, offered)).path == page.path


async def test_a_text_with_gaps_is_finished_where_the_notice_is_written(
    tanaka: Visitor, service: Service
) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, NEWCOMER)
    page = await tanaka.write(**ORDER)
    assert "空欄は次の画面で" in page.text
    edit = await tanaka.submit(page, page.path.replace("/confirm", "/offered"))
    assert edit.path.endswith("/edit") and "避難所" in edit.text


async def test_a_routine_notice_says_so_among_the_notes(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, NEWCOMER)
    page = await tanaka.write(**ORDER | {"urgency": "routine"})
    assert "危険が伝わりません" not in page.text
    assert "英語の文がありません" in page.text


async def test_districts_without_anybody_are_named_before_sending(tanaka: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT)
    page = await tanaka.write(**ORDER, target="chosen", area=["funaoka", "tsukinoki"])
    assert "登録のない地区: 槻木" in re.sub(r":\s*", ": ", page.text)
