"""Writing on a phone and at a desk: an urgent order in eight interactions, and nothing typed is lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, async_playwright, expect

from bot.app import create_app
from bot.service import Service
from content.notices import notices
from tests.bot.test_web_in_browser import CHROMIUM, RULES, RUN_AXE, SWITCHES, TOO_WIDE
from tests.bot.web_visitor import PASSWORD
from tests.factories import ELDER, PARENT, make_subscriber
from tests.services import service_missing

pytestmark = pytest.mark.services
PHONE = {"width": 390, "height": 844}
DESK = {"width": 1280, "height": 900}


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        service_missing(f"no browser at {CHROMIUM}")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield started
        await started.close()


@pytest_asyncio.fixture
async def origin(service: Service) -> AsyncIterator[str]:
    async with service.database.write() as connection:
        for person in (PARENT, ELDER):
            await make_subscriber(connection, service.keys, person)
    async with TestServer(create_app(service)) as server:
        yield str(server.make_url("")).rstrip("/")


class Hand:
    """A person at a page, who counts what they tap and fill."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.interactions = 0

    async def tap(self, role: str, name: str) -> None:
        self.interactions += 1
        await self.page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]

    async def fill(self, label: str, words: str) -> None:
        self.interactions += 1
        await self.page.get_by_label(label, exact=True).fill(words)


async def enter(page: Page, origin: str) -> None:
    await page.goto(f"{origin}/console/login")
    await page.get_by_label("ログイン名").fill("tanaka")
    await page.get_by_label("パスワード").fill(PASSWORD)
    await page.get_by_role("button", name="ログイン").click()


async def violations(page: Page) -> list[str]:
    await page.evaluate(AXE_SCRIPT)
    found: list[str] = await page.evaluate(RUN_AXE, RULES)
    if await page.evaluate(TOO_WIDE):
        found.append("wider than the screen")
    return found


@pytest.mark.parametrize("script", [True, False], ids=["script", "no-script"])
async def test_an_urgent_order_leaves_a_phone_after_eight_interactions(
    browser: Browser, origin: str, service: Service, script: bool
) -> None:
    context = await browser.new_context(viewport=PHONE, java_script_enabled=script)  # type: ignore[arg-type]
    page = await context.new_page()
    await enter(page, origin)
    hand = Hand(page)
    await hand.tap("link", "緊急のお知らせを出す")
    await hand.tap("button", "避難指示(警戒レベル4)")
    if script:
        assert await violations(page) == []
    await hand.tap("checkbox", "船岡")
    await hand.fill("川の名前", "阿武隈川")
    await hand.fill("避難所", "船岡小学校")
    await hand.tap("button", "確認画面へ進む")
    await expect(page.get_by_role("heading", level=1)).to_have_text("送信前の確認")
    await hand.fill("確認のため「緊急配信」と入力してください", "緊急配信")
    await hand.tap("button", "緊急配信を実行する")
    await expect(page).to_have_url(f"{origin}/console/notices/1")
    assert hand.interactions == 8
    async with service.database.read() as connection:
        stored = await notices.get(connection, 1)
    assert stored is not None and stored.state == "approved"
    assert stored.title == "【警戒レベル4 避難指示】船岡 今すぐ避難"
    assert "地区が船岡" in stored.spec.target.describe(service.town, "saigai")
    await context.close()


async def test_while_somebody_types_the_count_follows_and_the_words_are_kept(
    browser: Browser, origin: str
) -> None:
    page = await browser.new_page(viewport=DESK)  # type: ignore[arg-type]
    await enter(page, origin)
    await page.goto(f"{origin}/console/notices/new")
    await page.get_by_label("分野", exact=True).select_option("kosodate")
    await page.get_by_label("件名", exact=True).fill("断水のお知らせ")
    await page.get_by_label("本文", exact=True).fill("4月10日に断水します。")
    await expect(page.locator("#look")).to_contain_text("断水のお知らせ")
    await page.get_by_text("地区・年齢・ことば・グループ", exact=True).click()
    await page.get_by_role("checkbox", name="西住").check()
    await expect(page.get_by_role("radio", name="地区・年齢などで選ぶ")).to_be_checked()
    await expect(page.locator("#look")).to_contain_text("登録のない地区:西住")
    await expect(page.locator("#autosave")).to_contain_text("自動で保存しました")
    assert await violations(page) == []
    words = await page.locator(".compose-words").bounding_box()
    aside = await page.locator(".compose-look").bounding_box()
    assert words is not None and aside is not None
    assert aside["x"] > words["x"] + words["width"]
    await page.goto(f"{origin}/console/notices/new")
    await page.get_by_role("link", name="断水のお知らせ").click()
    assert await page.get_by_label("本文", exact=True).input_value() == "4月10日に断水します。"
