"""The first page and the poster: links and codes to join by, readings above the kanji, nothing that the town lacks."""

from __future__ import annotations

import pytest

from bot.line.friend_link import FRIEND_LINK
from bot.pdf import has_pdf
from bot.resident import poster
from bot.ruby import ruby, with_ruby
from bot.service import Service
from tests.bot.resident.test_pages import published
from tests.bot.web_visitor import Visitor

FRIEND = "https://line.me/R/ti/p/%40shibata"


@pytest.mark.parametrize("path", ["/", "/poster"])
async def test_there_is_a_way_by_line_and_one_by_mail_each_with_its_code(
    stranger: Visitor, service: Service, path: str
) -> None:
    page = await stranger.get(path)
    assert "「柴田町」をさがしてください" in page.text and page.html.count("<svg") == 1
    stranger.client.server.app[FRIEND_LINK].take("@shibata")  # type: ignore[attr-defined]
    page = await stranger.get(path)
    assert page.html.count("<svg") == 2 and "Add" in page.text
    assert FRIEND in page.html or path == "/poster"
    service.town.__dict__.update(accounts=[item for item in service.town.accounts if item.channel != "mail"])
    page = await stranger.get(path)
    assert page.html.count("<svg") == 1 and "/subscribe" not in page.html


@pytest.mark.skipif(not has_pdf(), reason="the extra [pdf] is not installed")
async def test_the_poster_is_one_sheet_of_pdf_that_is_made_once(
    stranger: Visitor, service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "/poster.pdf" in (await stranger.get("/poster")).html
    address = "/poster.pdf"
    first = await (await stranger.client.get(address)).read()
    assert first.startswith(b"%PDF-") and first.count(b"/Type /Page\n") + first.count(b"/Type /Page/") <= 1
    monkeypatch.setattr(poster, "pdf_of", None)
    assert await (await stranger.client.get(address)).read() == first
    monkeypatch.setattr(poster, "has_pdf", lambda: False)
    assert (await stranger.client.get(address)).status == 404
    assert "/poster.pdf" not in (await stranger.get("/poster")).html


async def test_readings_stand_above_the_kanji_of_easy_japanese_alone(
    stranger: Visitor, service: Service
) -> None:
    page = await stranger.get(await published(service))
    assert "<ruby>川<rp>(</rp><rt>かわ</rt><rp>)</rp></ruby>の" in page.html
    assert "<b>" not in page.html and "&lt;b&gt;小学校" in page.html


def test_readings_are_set_in_text_and_nowhere_else() -> None:
    assert "<rt>し</rt>" in ruby("お知（し）らせ") and "&lt;" in ruby("<水(みず)")
    kept = '<title>町(まち)</title><option>町(まち)</option><input value="町(まち)">施設(プール)'
    assert with_ruby(kept) == kept
    assert with_ruby("<p>町(まち)</p>").count("<ruby>") == 1
