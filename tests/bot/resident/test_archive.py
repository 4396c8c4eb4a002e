"""The public list of notices: what stands in it, how it is narrowed, and what it refuses."""

from __future__ import annotations

import pytest

from bot.resident import archive
from bot.service import Service
from content.notices.segments import Target
from tests.bot.resident.test_pages import published
from tests.bot.web_visitor import Visitor


async def test_what_everybody_may_read_is_listed_and_nothing_else(
    stranger: Visitor, service: Service
) -> None:
    path = await published(service, texts={"ja": ("乳幼児健診のお知らせ", "本文")})
    await published(service, texts={"ja": ("訓練のお知らせ", "本文")}, mode="drill")
    await published(service, texts={"ja": ("区長だけのお知らせ", "本文")}, target=Target("group", "kucho"))
    page = await stranger.get("/archive")
    assert f'href="{path}"' in page.html and "乳幼児健診のお知らせ" in page.text
    assert "訓練の" not in page.text and "区長だけ" not in page.text
    assert page.headers["Cache-Control"] == archive.CACHE


async def test_an_empty_list_says_so(stranger: Visitor) -> None:
    assert "お知らせは、まだありません" in (await stranger.get("/archive")).text
    assert "当てはまるお知らせはありません" in (await stranger.get("/archive?q=ダム")).text


async def test_it_is_narrowed_by_words_topic_and_month(stranger: Visitor, service: Service) -> None:
    await published(service, texts={"ja": ("ごみの日の変更", "本文")}, category="event")
    await published(service, texts={"ja": ("避難所を開きました", "船岡小学校")}, category="saigai")
    for query, shown in (
        ("q=船岡", {"避難所"}),
        ("category=event", {"ごみの日"}),
        ("month=2001-01", set()),
        ("q=ごみ&category=saigai", set()),
        ("", {"避難所", "ごみの日"}),
    ):
        text = (await stranger.get(f"/archive?{query}")).text
        assert {word for word in ("避難所を", "ごみの日の") if word in text} == {
            f"{word}を" if word == "避難所" else f"{word}の" for word in shown
        }, query


async def test_it_goes_on_page_by_page(
    stranger: Visitor, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(archive, "PAGE", 2)
    for number in range(3):
        await published(service, texts={"ja": (f"お知らせその{number}", "本文")})
    first = await stranger.get("/archive")
    assert "その2" in first.text and "その0" not in first.text
    link = first.html.split('class="button" href="')[1].split('"')[0].replace("&amp;", "&")
    second = await stranger.get(link)
    assert "その0" in second.text and "その1" not in second.text and 'class="pager"' not in second.html


@pytest.mark.parametrize(
    "query",
    ["category=nobody", "month=2026-13", "month=x", "before=1e9", "before=" + "9" * 40, "q=" + "あ" * 81],
)
async def test_what_cannot_be_looked_for_is_named(stranger: Visitor, query: str) -> None:
    page = await stranger.get(f"/archive?{query}")
    assert page.status == 400 and 'role="alert"' in page.html


async def test_residents_read_what_is_kept_of_them(stranger: Visitor) -> None:
    text = (await stranger.get("/privacy")).text
    assert "90 日で消えます" in text and "お名前、住所、電話番号は伺いません" in text
