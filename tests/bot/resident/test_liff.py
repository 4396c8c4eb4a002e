"""The settings opened inside LINE: by a token that LINE vouches for, made for this channel and not over."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from typing import Any

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer

from bot.app import create_app
from bot.liff_settings import LiffSettings
from bot.service import Service
from content.register import subscribers
from sandbox.line import SANDBOX_KEY, SandboxOptions
from sandbox.line import create_app as create_sandbox
from tests.bot.web_visitor import Page, Visitor
from tests.factories import PARENT, make_subscriber

LOGIN = SandboxOptions(channel_secret="s", channel_token="t").login_channel_id


@dataclass
class House:
    service: Service
    sandbox: TestClient[Any, Any]
    visitor: Visitor

    async def token(self, user_id: str = PARENT.address, **wishes: object) -> str:
        path = f"/_sandbox/users/{user_id}/id-token"
        async with self.sandbox.post(path, json=wishes) as answer:
            return str((await answer.json())["idToken"])

    async def open(self, token: str) -> Page:
        return await self.visitor.post("/preferences/line", [("id_token", token)])


@pytest_asyncio.fixture
async def house(service: Service) -> AsyncIterator[House]:
    platform = create_sandbox(SandboxOptions(channel_secret="s", channel_token="t"))
    platform[SANDBOX_KEY].channel.users.add(PARENT.address, "阿部", "ja", "friend", 0)
    async with TestClient(TestServer(platform)) as sandbox:
        line = service.settings.line.model_copy(update={"api_base": str(sandbox.make_url("/")).rstrip("/")})
        liff = LiffSettings(id="2000000002-abcdefgh", channel_id=LOGIN)
        with_liff = replace(
            service, settings=service.settings.model_copy(update={"line": line, "liff": liff})
        )
        async with TestClient(TestServer(create_app(with_liff))) as client:
            yield House(with_liff, sandbox, Visitor(client))


async def test_a_parent_opens_and_changes_her_settings_from_line(house: House) -> None:
    async with house.service.database.write() as connection:
        parent = await make_subscriber(connection, house.service.keys, PARENT)
    page = await house.open(await house.token())
    assert page.path == "/preferences" and "LINE に届くお知らせの設定です" in page.text
    page = await house.visitor.submit(
        page, "/preferences", {"category": ["event"], "language": "en", "quiet": "", "pause": "none"}
    )
    assert "Saved." in page.text
    async with house.service.database.read() as connection:
        found = await subscribers.require(connection, parent.id)
    assert "event" in found.preferences.categories and found.preferences.birth_months == {"2025-11"}


async def test_a_token_of_another_channel_over_or_forged_opens_nothing(house: House) -> None:
    async with house.service.database.write() as connection:
        await make_subscriber(connection, house.service.keys, PARENT)
    good = await house.token()
    bad = (
        await house.token(aud="2000000009"),
        await house.token(seconds=-1),
        good[:-3] + "abc",
        "x" * 5_000,
        "",
        "a.b.c",
        "ä",
    )
    for token in bad:
        page = await house.open(token)
        assert page.status == 403 and "設定を開けませんでした" in page.text
    assert (await house.visitor.get("/preferences")).text.count("LINE に届く") == 0


async def test_whoever_is_no_friend_is_told_so_and_a_foreign_page_opens_nothing(house: House) -> None:
    assert (await house.open(await house.token())).status == 404
    page = await house.visitor.post("/preferences/line", [], Origin="https://elsewhere.example")
    assert page.status == 403
    await house.sandbox.close()
    assert (await house.open("a.b.c")).status == 403


async def test_the_page_loads_line_s_script_alone_and_without_a_liff_there_is_none(
    house: House, stranger: Visitor
) -> None:
    page = await house.visitor.get("/preferences/line")
    assert "/_sandbox/liff/sdk.js" in page.html and 'data-liff="2000000002-abcdefgh"' in page.html
    assert "static.line-scdn.net/liff" not in page.headers["Content-Security-Policy"]
    assert "script-src 'self' http://127.0.0.1" in page.headers["Content-Security-Policy"]
    assert (await stranger.get("/preferences/line")).path == "/preferences"
