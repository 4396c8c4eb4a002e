"""The three stories by hand: a browser works the phone page, the console and the report of a running demo."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from playwright.async_api import Browser, Page, async_playwright, expect

from bot.demo.seed import PERSONAS
from bot.demo.stage import STAFF, Stage
from bot.demo.story import BODY, BODY_EN, TITLE, TITLE_EN

expect.set_options(timeout=30_000)

PHONE, DESK = {"width": 390, "height": 844}, {"width": 1280, "height": 900}
CHROMIUM = "/usr/bin/chromium"
# Chromium's own calls home are refused by a closed network, many at a time.
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
SATO = PERSONAS[0].user_id


@asynccontextmanager
async def chromium() -> AsyncIterator[Browser]:
    async with async_playwright() as play:
        browser = await play.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        try:
            yield browser
        finally:
            await browser.close()


async def open_page(browser: Browser, size: dict[str, int], scale: int = 1) -> Page:
    """A page of a visitor of its own, in a browser that speaks Japanese."""
    context = await browser.new_context(
        viewport={"width": size["width"], "height": size["height"]},
        device_scale_factor=scale,
        locale="ja-JP",
        timezone_id="Asia/Tokyo",
    )
    return await context.new_page()


async def open_phone(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.line_url}/_sandbox/phone/{SATO}")


async def subscribe(stage: Stage, page: Page) -> None:
    """Add the account, choose 防犯 and 船岡 by buttons, look at what was chosen."""
    await page.locator("[data-control=follow]").click()
    await press(page, "お知らせの設定")
    await press(page, "防犯・交通安全")
    await press(page, "次へ")
    await press(page, "船岡")
    await press(page, "次へ")
    await expect(page.locator("[data-log]")).to_contain_text("登録内容")


async def press(page: Page, words: str) -> None:
    """The button with these words in the newest message that has one; returns when an answer has come."""
    messages = page.locator("[data-message-from=bot]")
    target = messages.filter(has=page.get_by_role("button", name=words)).last
    await expect(target).to_be_visible()
    before = await messages.count()
    await target.get_by_role("button", name=words).first.click()
    await expect(messages.nth(before)).to_be_visible()


async def log_in(stage: Stage, page: Page, login: str) -> None:
    password = next(password for name, password, _, _ in STAFF if name == login)
    await page.goto(f"{stage.web_url}/console/login")
    await page.fill("[name=login]", login)
    await page.fill("[name=password]", password)
    await page.locator("form[action*='login'] button[type=submit]").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("ホーム")


async def write_notice(stage: Stage, page: Page) -> None:
    """From the words to the confirm page."""
    await page.goto(f"{stage.web_url}/console/notices/new?urgency=urgent")
    await page.select_option("[name=category]", "saigai")
    await page.get_by_text("英語でも書く").click()
    words = {"title.ja": TITLE, "body.ja": BODY, "title.en": TITLE_EN, "body.en": BODY_EN}
    for name, text in words.items():
        await page.fill(f"[name='{name}']", text)
    await page.get_by_role("button", name="確認画面へ進む").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("送信前の確認")


async def send_notice(page: Page) -> None:
    """Type the word and watch until nothing is open."""
    await page.locator("[name=word]").fill("緊急配信")
    await page.locator("form[action$='/approve'] button[type=submit]").click()
    await expect(page.get_by_text("ふだんからある範囲").first).to_be_visible(timeout=60_000)


async def open_report(stage: Stage, page: Page) -> None:
    await page.goto(f"{stage.web_url}/console/reports/indicators/line_registrations")
    await expect(page.get_by_role("heading", level=1)).to_have_text("LINE情報配信登録の数")
