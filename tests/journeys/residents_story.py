"""Three residents on their phones: a parent with a baby and a three-year-old, a 78-year-old with large letters who never
types, a newcomer who reads English."""

from __future__ import annotations

from datetime import date

from playwright.async_api import Browser, Page, expect

from bot.demo.seed import PERSONAS
from bot.demo.stage import Stage
from content.clock import today_jst
from tests.journeys.browser_story import PHONE, open_page, press

_, ABE, MARIA = (person.user_id for person in PERSONAS)


async def parent(stage: Stage, browser: Browser) -> Page:
    """Adds both children by the calendar of the phone; the baby's month is asked about, since it is this one."""
    page = await _phone(stage, browser, ABE)
    today = today_jst()
    await press(page, "お知らせの設定")
    await press(page, "子育て")
    await press(page, "次へ")
    await press(page, "槻木")
    await press(page, "次へ")
    await _pick(page, today)
    await press(page, "登録する")
    await _pick(page, today.replace(year=today.year - 3, day=1))
    log = page.locator("[data-log]")
    for year in (today.year, today.year - 3):
        await expect(log).to_contain_text(f"{year}年{today.month}月")
    return page


async def newcomer(stage: Stage, browser: Browser) -> Page:
    """Is greeted in English, because her phone is, and chooses without a word of Japanese."""
    page = await _phone(stage, browser, MARIA)
    log = page.locator("[data-log]")
    await expect(log).to_contain_text("Thank you for adding us.")
    await press(page, "Start settings")
    await press(page, "Events")
    await press(page, "Next")
    await press(page, "Funaoka")
    await press(page, "Next")
    await expect(log).to_contain_text("Your choices")
    return page


async def with_large_letters(page: Page) -> None:
    """As somebody of 78 has them: half as large again."""
    await page.evaluate("document.documentElement.style.fontSize = '150%'")


async def _phone(stage: Stage, browser: Browser, user_id: str) -> Page:
    page = await open_page(browser, PHONE)
    await page.goto(f"{stage.line_url}/_sandbox/phone/{user_id}")
    await page.locator("[data-control=follow]").click()
    return page


async def _pick(page: Page, day: date) -> None:
    messages = page.locator("[data-message-from=bot]")
    before = await messages.count()
    button = messages.filter(has=page.get_by_role("button", name="生まれ月を選ぶ")).last
    await button.get_by_role("button", name="生まれ月を選ぶ").click()
    dialog = page.locator("dialog.ask")
    await dialog.locator("input[type=date]").fill(day.isoformat())
    await dialog.locator("button[value=yes]").click()
    await expect(messages.nth(before)).to_be_visible()
