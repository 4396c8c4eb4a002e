"""Pictures, a place and the end of a notice, as residents meet them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.service import Service
from content.clock import DAY, MINUTE, now_ms, words
from content.notices import notice_changes, pictures, triggers
from content.notices.attachments import Attachments, Picture, Place
from content.notices.picture_files import clean_picture
from content.notices.segments import Target
from content.notices.states import NoticeKind
from tests import picture_files as files
from tests.bot.web_visitor import Visitor
from tests.factories import make_notice, public_page, spec

TEXTS = {"ja": ("給水のお知らせ", "電話 0224-55-2111"), "en": ("Water supply", "Call 0224-55-2111")}
CONTENT = clean_picture(files.png()).content


async def attached(service: Service) -> Attachments:
    async with service.database.write() as connection:
        name = await pictures.keep(connection, clean_picture(files.png()), at=now_ms())
    alts = {"ja": '給水車の"写真"', "en": "A water truck"}
    return Attachments((Picture(name, alts),), Place("船岡公民館", "船岡中央1-1", 38.0561, 140.7653))


async def published(service: Service, *, fire: bool = True, **changes: object) -> tuple[int, str, str]:
    """Number, page and path of the picture of a notice."""
    carried = await attached(service)
    async with service.database.write() as connection:
        number = await make_notice(connection, texts=TEXTS, attached=carried, **changes)  # type: ignore[arg-type]
        if fire:
            await triggers.fire(connection, number, now_ms())
    page = await public_page(service.database, number)
    return number, page, f"{page}/{carried.names[0]}"


async def test_the_page_shows_picture_place_and_numbers_in_every_language(
    stranger: Visitor, service: Service
) -> None:
    _, path, picture = await published(service)
    page = await stranger.get(path)
    assert f'<img src="{picture}" alt="給水車の&#34;写真&#34;" width="640" height="480"' in page.html
    assert f'<img src="{picture}" alt="A water truck"' in page.html
    assert "場所: 船岡公民館(船岡中央1-1)" in page.text and "Open the map" in page.text
    assert page.html.count('href="https://maps.gsi.go.jp/#17/38.056100/140.765300/') == 2
    assert page.html.count('href="tel:0224552111"') == 2


async def test_a_picture_is_handed_out_with_its_type_and_nothing_else(
    stranger: Visitor, service: Service
) -> None:
    _, _, path = await published(service)
    async with stranger.client.get(path) as answer:
        assert answer.status == 200 and await answer.read() == CONTENT
        assert answer.headers["Content-Type"] == "image/png"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
        assert answer.headers["Cache-Control"] == "public, max-age=3600"
        assert "Set-Cookie" not in answer.headers
        etag = answer.headers["ETag"]
    async with stranger.client.get(path, headers={"If-None-Match": etag}) as answer:
        assert answer.status == 304 and await answer.read() == b""


async def test_a_draft_shows_its_picture_to_staff_alone(stranger: Visitor, service: Service) -> None:
    for changes in ({"approved": False}, {"fire": False}):
        _, _, path = await published(service, **changes)
        assert (await stranger.client.get(path)).status == 404
    name = path.rpartition("/")[2]
    page = await stranger.get(f"/console/pictures/{name}")
    assert page.path.startswith("/console/login")


async def test_a_picture_is_reached_by_the_address_of_its_notice_alone(
    stranger: Visitor, service: Service
) -> None:
    _, page, path = await published(service)
    async with service.database.write() as connection:
        other = await make_notice(connection)
        await triggers.fire(connection, other, now_ms())
    name = path.rpartition("/")[2]
    wrong = [f"{await public_page(service.database, other)}/{name}", f"/n/{'0' * 12}/{name}"]
    wrong += [f"{page}/{'0' * 40}-1x1.png", f"{page}/../../etc/passwd", f"{page}/{name}.exe", f"{page}/"]
    for address in wrong:
        assert (await stranger.client.get(address)).status == 404


async def test_what_a_closed_group_was_sent_is_shown_by_its_address_without_a_page(
    stranger: Visitor, service: Service
) -> None:
    _, page, path = await published(service, target=Target("group", "kucho"))
    assert (await stranger.get(page)).status == 404
    assert (await stranger.client.get(path)).status == 200


async def test_a_withdrawn_notice_shows_its_picture_to_nobody(stranger: Visitor, service: Service) -> None:
    number, page, path = await published(service)
    async with service.database.write() as connection:
        withdrawal = replace(spec(texts=TEXTS), kind=NoticeKind.WITHDRAWAL, corrects=number)
        later, _ = await notice_changes.create(
            connection, withdrawal, submission_key="w", staff="tanaka", at=now_ms()
        )
    assert (await stranger.client.get(path)).status == 200
    async with service.database.write() as connection:
        await notice_changes.approve(connection, later, staff="tanaka", at=now_ms())
    assert (await stranger.client.get(path)).status == 404
    assert "<img" not in (await stranger.get(page)).html


@pytest.mark.parametrize("over", [False, True])
async def test_a_notice_says_when_its_time_is_over_and_leaves_the_lists(
    stranger: Visitor, service: Service, over: bool
) -> None:
    end = now_ms() + (-MINUTE if over else DAY)
    _, path, _ = await published(service, expires=end)
    page = await stranger.get(path)
    assert page.status == 200 and "給水のお知らせ" in page.text
    assert (f"このお知らせの掲載は {words(end)} に終わりました" in page.text) is over
    assert ("This notice ended on" in page.text) is over
    assert page.headers.get("X-Robots-Tag") == ("noindex" if over else None)
