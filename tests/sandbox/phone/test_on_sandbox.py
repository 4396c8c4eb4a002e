"""The phone pages on the sandbox itself: what its API accepts is what the resident sees."""

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import expect

from sandbox.line import SandboxOptions, create_app
from tests.sandbox.phone.phone_browser import OpenPage
from tests.sandbox.phone.phone_messages import ALERT_ALT, alert, rich_menu, text

pytestmark = [pytest.mark.services, pytest.mark.asyncio(loop_scope="session")]

TOKEN = "phone-test-token"
RESIDENTS = [f"U{number:032x}" for number in (1, 2)]
MENU_FIELDS = ("size", "selected", "name", "chatBarText", "areas")


@pytest_asyncio.fixture(loop_scope="session")
async def origin() -> AsyncIterator[str]:
    """In place of the fake: a real sandbox with a parent who joined and a newcomer who has not."""
    app = create_app(SandboxOptions(channel_secret="s" * 32, channel_token=TOKEN, bot_name="しばた町"))
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    address = f"http://127.0.0.1:{runner.addresses[0][1]}"
    for user_id, name, state in zip(RESIDENTS, ["佐藤 美咲", "Maria Silva"], ["friend", "none"], strict=True):
        body = {"userIds": [user_id], "displayNames": [name], "language": "ja", "state": state}
        await call(address, "/_sandbox/users", body)
    yield address
    await runner.cleanup()


async def call(origin: str, path: str, body: dict[str, Any] | None = None) -> Any:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    async with (
        aiohttp.ClientSession(headers=headers) as session,
        session.post(origin + path, json=body) as answer,
    ):
        assert answer.status < 300, await answer.text()
        return await answer.json()


async def multicast(origin: str, message: dict[str, Any], **more: Any) -> None:
    await call(origin, "/v2/bot/message/multicast", {"to": RESIDENTS, "messages": [message], **more})


async def test_a_multicast_reaches_the_friend_and_not_the_newcomer(origin: str, open_page: OpenPage) -> None:
    page = await open_page(f"/_sandbox/phones?ids={','.join(RESIDENTS)}", 1000, 900)
    await expect(page.locator('[data-log][aria-busy="false"]')).to_have_count(2)
    await multicast(origin, alert())
    friend, newcomer = (page.locator(f'[data-phone="{user_id}"]') for user_id in RESIDENTS)
    await expect(friend.locator("[data-log]").get_by_text("避難指示")).to_be_visible()
    await expect(friend.locator("[data-lock-screen]")).to_contain_text(ALERT_ALT)
    await expect(newcomer.locator("[data-message-from]")).to_have_count(0)


async def test_a_newcomer_joins_and_answers_the_next_notice(origin: str, open_page: OpenPage) -> None:
    page = await open_page(f"/_sandbox/phone/{RESIDENTS[1]}")
    await page.click('[data-control="follow"]')
    await expect(page.locator('[data-control="block"]')).to_be_visible()
    await multicast(origin, alert(), notificationDisabled=True)
    await expect(page.locator("[data-lock-screen]")).to_contain_text("無音")
    await page.get_by_role("button", name="無事です").click()
    await expect(page.locator('[data-message-from="user"]')).to_contain_text("無事です")
    await expect(page.locator("[data-quick-reply]")).to_have_count(0)


async def test_a_resident_who_blocks_gets_nothing_until_unblocking(origin: str, open_page: OpenPage) -> None:
    page = await open_page(f"/_sandbox/phone/{RESIDENTS[0]}")
    await page.click('[data-control="block"]')
    await expect(page.locator("[data-note]")).to_contain_text("ブロック中")
    await multicast(origin, text("届かないお知らせ"))
    await page.click('[data-control="unblock"]')
    await expect(page.locator("[data-note]")).to_be_hidden()
    await multicast(origin, text("届くお知らせ"))
    await expect(page.locator("[data-log]")).to_contain_text("届くお知らせ")
    await expect(page.locator("[data-message-from]")).to_have_count(1)


async def test_a_rich_menu_whose_picture_is_missing_shows_its_labels(
    origin: str, open_page: OpenPage
) -> None:
    page = await open_page(f"/_sandbox/phone/{RESIDENTS[0]}")
    await page.route("**/richmenus/*/image", lambda route: route.abort())
    menu = {name: rich_menu()[name] for name in MENU_FIELDS}
    menu_id = (await call(origin, "/v2/bot/richmenu", menu))["richMenuId"]
    await put_picture(origin, menu_id)
    await call(origin, f"/v2/bot/user/{RESIDENTS[0]}/richmenu/{menu_id}")
    await expect(page.locator("[data-rich-menu]").get_by_text("防災・緊急")).to_be_visible()
    await page.locator("[data-rich-menu]").get_by_role("button", name="ごみ").click()


async def put_picture(origin: str, menu_id: str) -> None:
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "image/png"}
    address = f"{origin}/v2/bot/richmenu/{menu_id}/content"
    picture = (
        b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + (2500).to_bytes(4) + (1686).to_bytes(4) + b"\x08\x02\0\0\0"
    )
    async with (
        aiohttp.ClientSession() as session,
        session.post(address, data=picture, headers=headers) as answer,
    ):
        assert answer.status == 200, await answer.text()
