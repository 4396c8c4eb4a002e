"""Feeds: read by a feed reader that is not ours, from the same list as the archive."""

from __future__ import annotations

import json
from typing import Any

import feedparser
import pytest

from bot.outlets.feeds import KINDS, MOST_TEXT
from bot.service import Service
from content.clock import HOUR, now_ms
from content.notices import triggers
from content.notices.segments import Target
from content.notices.states import NoticeKind
from tests.bot.resident.test_pages import TEXTS, publish, published
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice

ODD = {"ja": ("絵文字👨‍👩‍👧 & <b>", "مرحبا ]]> \x0b\x00 終わり\n二行目")}


async def read(stranger: Visitor, path: str) -> Any:
    """As a feed reader takes it: (titles, the whole)."""
    page = await stranger.get(path)
    assert page.status == 200
    if path.endswith(".json"):
        found = json.loads(page.html)
        return [item["title"] for item in found["items"]], found
    found = feedparser.parse(
        page.html.encode(), response_headers={"content-type": page.headers["Content-Type"]}
    )
    assert not found.bozo, found.get("bozo_exception")
    return [item.title for item in found.entries], found


@pytest.mark.parametrize("kind", KINDS)
async def test_a_reader_finds_what_everybody_may_read_and_nothing_else(
    stranger: Visitor, service: Service, kind: str
) -> None:
    assert (await read(stranger, f"/feeds/notices.{kind}"))[0] == []
    path = await published(service, urgency="urgent", texts=TEXTS)
    await published(service, mode="drill")
    await published(service, mode="test")
    await published(service, target=Target("group", "kucho"))
    await publish(service, category="event", texts=ODD)
    titles, found = await read(stranger, f"/feeds/notices.{kind}")
    assert titles == ["絵文字👨‍👩‍👧 & <b>", "【緊急】避難してください"]
    first, second = found["items"] if kind == "json" else found.entries
    assert second["url" if kind == "json" else "link"].endswith(path)
    html = (
        second["content_html"]
        if kind == "json"
        else second.get("content", [second.get("summary_detail")])[0].value
    )
    assert 'lang="en"' in html and "<h2>[URGENT] Evacuate now</h2>" in html and "&lt;b&gt;小学校" in html
    assert "مرحبا" in str(first) and "\x0b" not in str(first)
    assert (await read(stranger, f"/feeds/saigai.{kind}"))[0] == ["【緊急】避難してください"]
    assert (await read(stranger, f"/feeds/kosodate.{kind}"))[0] == []


async def test_what_is_not_there_is_not_found(stranger: Visitor) -> None:
    for path in ("/feeds/nothing.rss", "/feeds/notices.xml", "/feeds/NOTICES.rss"):
        assert (await stranger.get(path)).status == 404


async def test_a_withdrawal_marks_what_it_withdraws_and_makes_it_new(
    stranger: Visitor, service: Service
) -> None:
    number = await publish(service)
    before = (await read(stranger, "/feeds/notices.json"))[1]["items"][0]
    async with service.database.write() as connection:
        later = await make_notice(connection, kind=NoticeKind.WITHDRAWAL, corrects=number)
        await triggers.fire(connection, later, now_ms() + 60_000)
    titles, found = await read(stranger, "/feeds/notices.json")
    after = found["items"][1]
    assert titles[1] == "【取り消し済み】避難してください"
    assert after["id"] == before["id"] and after["date_modified"] > before["date_modified"]
    assert after["date_published"] == before["date_published"]


async def test_what_has_ended_is_out_of_every_list(stranger: Visitor, service: Service) -> None:
    end = now_ms() + HOUR
    await publish(service, expires=end)
    service.database.now = lambda: end - 1  # type: ignore[method-assign]
    assert (await read(stranger, "/feeds/notices.atom"))[0] == ["避難してください"]
    service.database.now = lambda: end  # type: ignore[method-assign]
    for path in ("/feeds/notices.atom", "/feeds/notices.rss", "/feeds/saigai.rss", "/feeds/notices.json"):
        assert (await read(stranger, path))[0] == []
    assert "避難して" not in (await stranger.get("/archive")).text


async def test_long_notices_do_not_make_a_feed_that_nobody_can_fetch(
    stranger: Visitor, service: Service
) -> None:
    for _ in range(MOST_TEXT // 5000 + 3):
        await publish(service, texts={"ja": ("長い", "字" * 5000)})
    titles, _ = await read(stranger, "/feeds/notices.rss")
    assert len(titles) == MOST_TEXT // 5000
    assert len((await stranger.get("/feeds/notices.rss")).html.encode()) < 512 * 1024


async def test_pages_lead_to_the_feeds(stranger: Visitor, service: Service) -> None:
    page = await stranger.get(await published(service))
    for kind, (media_type, _) in KINDS.items():
        assert (
            f'<link rel="alternate" type="{media_type}"' in page.html
            and f"/feeds/notices.{kind}" in page.html
        )
    assert 'href="/feeds/saigai.atom"' in (await stranger.get("/archive?category=saigai")).html
