"""「読みました」 by the link of a mail: opening changes nothing, the button counts once, no link serves for another."""

from __future__ import annotations

import pytest

from bot.reading import read_path
from bot.service import Service
from content.ledger.tallies import tally
from content.notices import notices
from content.notices.segments import Target
from tests.bot.web_visitor import Visitor
from tests.factories import NEWCOMER, make_delivery, make_notice, make_subscriber

TEXTS = {"ja": ("休園のお知らせ", "あす休みます。"), "en": ("Closed tomorrow", "The nursery is closed.")}


@pytest.fixture
async def link(service: Service) -> str:
    """Of a notice to a group, in the mail of a newcomer."""
    async with service.database.write() as connection:
        reader = await make_subscriber(connection, service.keys, NEWCOMER)
        notice_id = await make_notice(
            connection, target=Target("group", "kucho"), texts=TEXTS, channels=("mail",)
        )
        await make_delivery(connection, [[reader.id]], notice_id=notice_id, account="mail")
        found = await notices.get(connection, notice_id)
        assert found is not None
    return read_path(service.keys, found.public_id, reader.id, reader.salt)


async def read_receipts(service: Service) -> int:
    async with service.database.read() as connection:
        return sum(row.read for row in await tally(connection, 1))


async def test_the_button_of_the_page_says_it_and_opening_does_not(
    stranger: Visitor, service: Service, link: str
) -> None:
    page = await stranger.get(link)
    assert "Closed tomorrow" in page.text and "I have read this" in page.text
    assert await read_receipts(service) == 0
    for _ in range(2):
        page = await stranger.post(link, [])
        assert "We told the town that you have read “Closed tomorrow”." in page.text
    assert await read_receipts(service) == 1


async def test_a_link_serves_for_its_notice_and_its_reader_alone(
    stranger: Visitor, service: Service, link: str
) -> None:
    public_id, _, token = link.removeprefix("/n/").split("/")
    async with service.database.write() as connection:
        other = await notices.get(
            connection, await make_notice(connection, target=Target("group", "kucho"), texts=TEXTS)
        )
        assert other is not None
    number, _, mark = token.partition(".")
    forged = (
        f"/n/{other.public_id}/read/{token}",
        f"/n/{public_id}/read/{int(number) + 1}.{mark}",
        f"/n/{public_id}/read/x",
    )
    for path in forged:
        assert (await stranger.get(path)).status == 404 and (await stranger.post(path, [])).status == 404
    assert (await stranger.get(f"/unsubscribe/{token}")).status == 404
    assert await read_receipts(service) == 0
