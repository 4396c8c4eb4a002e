"""A notice for the notice board."""

from __future__ import annotations

import pytest

from bot.service import Service
from content.clock import HOUR, now_ms
from content.notices import notices
from content.notices.segments import Target
from content.notices.states import NoticeKind
from tests.bot.resident.test_pages import TEXTS, publish, published
from tests.bot.web_visitor import Visitor


@pytest.mark.parametrize("size", ["a4", "a3"])
async def test_a_poster_says_everything_and_leads_to_the_page(
    stranger: Visitor, service: Service, size: str
) -> None:
    path = await published(service, urgency="urgent", texts=TEXTS)
    page = await stranger.get(f"{path}/poster/{size}")
    assert page.status == 200 and f"board {size} few" in page.html
    assert page.text.replace(" ", "").count("【緊急】避難してください") == 1
    assert "[URGENT]" in page.text and "0224-00-0000" in page.text and path in page.text
    assert "<svg" in page.html and "&lt;b&gt;小学校" in page.html and "<script" not in page.html


@pytest.mark.parametrize(("number", "length"), [(100, "few"), (300, "some"), (5000, "many")])
async def test_long_texts_are_set_smaller(
    stranger: Visitor, service: Service, number: int, length: str
) -> None:
    page = await stranger.get(f"{await published(service, texts={'ja': ('長さ', '字' * number)})}/poster/a4")
    assert f"board a4 {length}" in page.html and ("2枚以上" in page.text) is (length == "many")


async def test_what_is_no_longer_so_is_said_on_the_poster(stranger: Visitor, service: Service) -> None:
    end = now_ms() + HOUR
    number = await publish(service, expires=end)
    path = await published(service, kind=NoticeKind.WITHDRAWAL, corrects=number, mode="drill")
    assert "これは訓練です" in (await stranger.get(f"{path}/poster/a4")).text
    service.database.now = lambda: end  # type: ignore[method-assign]
    async with service.database.read() as connection:
        original = await notices.get(connection, number)
    page = await stranger.get(f"/n/{original.public_id}/poster/a3")
    assert "このお知らせは取り消されました" in page.text and "に終わりました" in page.text


async def test_there_is_none_of_what_is_closed_or_of_another_size(
    stranger: Visitor, service: Service
) -> None:
    closed = await published(service, target=Target("group", "kucho"))
    open_one = await published(service)
    for path in (f"{closed}/poster/a4", f"{open_one}/poster/a5", "/n/nothing/poster/a4"):
        assert (await stranger.get(path)).status == 404
