"""The town split a resident's district: her settings say so, offer the parts, and lose nothing that waits to be carried over."""

from __future__ import annotations

import pytest
from aiohttp import web

from bot.resident.settings_session import open_settings
from bot.service import Service
from content.clock import now_ms, today_jst
from content.register.carrying_over import carry_over, successions
from content.register.subscribers import require
from content.town import Town
from tests.bot.web_visitor import Visitor
from tests.factories import ELDER, create_town, make_subscriber


@pytest.fixture
def town() -> Town:
    split = {"split_into": ["north", "south"], "changed_on": today_jst()}
    areas = [
        item | (split if item["key"] == "funaoka" else {}) for item in create_town().model_dump()["areas"]
    ]
    parts = [{"key": key, "names": {"ja": name}} for key, name in (("north", "船岡北"), ("south", "船岡南"))]
    return create_town(areas=[*areas, *parts], segments=[])


async def test_who_had_the_district_has_its_parts_and_is_asked_which_she_wants(
    service: Service, stranger: Visitor
) -> None:
    async with service.database.write() as connection:
        found = await make_subscriber(connection, service.keys, ELDER, areas={"funaoka"})
    response = web.Response()
    open_settings(service, response, found)
    address = stranger.client.make_url("/preferences")
    stranger.client.session.cookie_jar.update_cookies(response.cookies, address)

    # Not carried over yet: what she has is not offered any more, and stays when she saves something else.
    page = await stranger.get("/preferences")
    assert 'value="funaoka"' not in page.html and 'value="north"' in page.html
    await stranger.submit(page, "/preferences", {"language": "ja-easy"})
    await stranger.submit(await stranger.get("/preferences"), "/preferences", {"language": "ja"})
    async with service.database.write() as connection:
        assert (await require(connection, found.id)).preferences.areas == {"funaoka"}
        for change in successions(service.town, today_jst()):
            await carry_over(connection, change, at=now_ms())
    page = await stranger.get("/preferences")
    assert "「船岡」は、船岡北、船岡南に分かれました" in page.text
    page = await stranger.submit(page, "/preferences", {"area": ["south"]})
    assert "分かれました" not in page.text
    async with service.database.read() as connection:
        assert (await require(connection, found.id)).preferences.areas == {"south"}
