"""A passkey in a real browser, with a key that the browser itself plays."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer, unused_port
from playwright.async_api import Browser, expect

from bot.app import create_app
from bot.service import Service
from bot.settings import WebSettings
from tests.bot import test_web_in_browser as web
from tests.bot.test_people_in_browser import desk, log_in, look

pytestmark = pytest.mark.services
browser = web.browser


@pytest_asyncio.fixture
async def localhost(service: Service) -> AsyncIterator[str]:
    port = unused_port()
    public_url = f"http://localhost:{port}"
    settings = service.settings.model_copy(update={"web": WebSettings(public_url=public_url)})
    async with TestServer(create_app(Service(settings, service.context)), port=port):
        yield public_url


async def test_a_passkey_is_added_and_signs_in(browser: Browser, localhost: str) -> None:
    page = await desk(browser, 390, script=True)
    device = await page.context.new_cdp_session(page)
    await device.send("WebAuthn.enable")
    await device.send(
        "WebAuthn.addVirtualAuthenticator",
        {
            "options": {
                "protocol": "ctap2",
                "transport": "internal",
                "hasUserVerification": True,
                "isUserVerified": True,
                "automaticPresenceSimulation": True,
            }
        },
    )
    await log_in(page, localhost, "tanaka")
    await page.goto(f"{localhost}/console/account")
    found = await web._faults(page, "account with passkeys")
    await page.get_by_label("名前(どの端末か分かるように)").fill("仕事の電話")
    await page.get_by_role("button", name="パスキーを登録する").click()
    await expect(page.get_by_role("heading", name="予備コード")).to_be_visible()
    await page.goto(f"{localhost}/console/account")
    await expect(page.get_by_text("仕事の電話").first).to_be_visible()
    await look(page, "passkey-account-390")
    # The device knows that it has one already.
    await page.get_by_label("名前(どの端末か分かるように)").fill("もう一度")
    await page.get_by_role("button", name="パスキーを登録する").click()
    await expect(page.get_by_text("この端末のパスキーは、もう登録されています。")).to_be_visible()

    await page.get_by_role("button", name="すべての端末からログアウトする").click()
    await log_in(page, localhost, "tanaka")
    await expect(page.get_by_role("button", name="パスキーでログイン")).to_be_visible()
    found += await web._faults(page, "second step")
    await look(page, "passkey-login-390")
    await page.get_by_role("button", name="パスキーでログイン").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("ホーム")
    assert found == []
