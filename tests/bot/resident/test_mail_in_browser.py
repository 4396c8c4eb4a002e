"""Three residents by mail in a browser 390 px wide, without JavaScript: from the form over the letter to leaving gently."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from content.clock import DAY, now_ms
from content.register.invitations import make_codes
from content.register.states import SubscriberState
from tests.bot import test_web_in_browser as web
from tests.bot.resident import test_subscribe
from tests.bot.resident.test_subscribe import HANAKO, House

pytestmark = pytest.mark.services
browser, house = web.browser, test_subscribe.house
ELDER, NEWCOMER = "chiyo@example.jp", "maria@example.jp"


async def on_a_phone(browser: Browser) -> Page:
    context = await browser.new_context(viewport={"width": 390, "height": 844}, java_script_enabled=False)
    return await context.new_page()


async def press(page: Page, name: str | re.Pattern[str]) -> None:
    await page.get_by_role("button", name=name).click()
    fits = "document.documentElement.scrollWidth <= 390"
    assert await page.evaluate(fits), page.url


async def join(house: House, page: Page, address: str, language: str) -> None:
    """By the form and the letter; ends on the settings."""
    origin = str(house.visitor.client.make_url("")).rstrip("/")
    await page.goto(f"{origin}/")
    await page.get_by_role("link", name="メールで申し込む").click()
    await page.get_by_label("メールアドレス").fill(address)
    await page.locator(f"[name=language][value={language}]").check()
    await press(page, "確認のメールを受け取る")
    _, text = await house.last_letter()
    link = re.search(r"https?://\S+", text)
    assert link
    await page.goto(origin + urlsplit(link[0]).path)
    await press(page, re.compile("登録する"))


async def test_three_residents_join_choose_and_leave_gently_by_mail(house: House, browser: Browser) -> None:
    parent = await on_a_phone(browser)
    await join(house, parent, HANAKO, "ja")
    await parent.get_by_label("子育て").check()
    await parent.get_by_label("船岡", exact=True).check()
    await press(parent, "保存する")
    await parent.locator("#year").select_option("2026")
    await parent.locator("#month").select_option("1")
    await press(parent, "お子さんを追加する")
    await expect(parent.get_by_role("main")).to_contain_text("2026年1月生まれ")
    async with house.service.database.write() as connection:
        now = now_ms()
        (code,) = await make_codes(
            connection,
            "kucho",
            number=1,
            most=1,
            expires_at=now + DAY,
            member_until=None,
            staff="tanaka",
            at=now,
        )
    # Registered already, and still lets herself in.
    await parent.get_by_label("招待コード").fill(code)
    await press(parent, "グループに入る")
    await expect(parent.get_by_role("status")).to_contain_text("「行政区長」に入りました")
    found = await house.registered()
    assert found is not None
    kept = found.preferences
    assert (
        kept.categories == {"saigai", "kosodate"} and kept.areas == {"funaoka"} and kept.groups == {"kucho"}
    )
    await parent.get_by_role("link", name="減らす・やめる").click()
    await press(parent, re.compile("命に関わるものだけ受け取る"))
    await expect(parent.get_by_role("status")).to_contain_text("命に関わるお知らせだけが届きます")
    await press(parent, re.compile("メールの受け取りをやめる"))
    gone = await house.registered()
    assert gone is not None and gone.state == SubscriberState.LEFT
    await press(parent, re.compile("元に戻して、また受け取る"))
    back = await house.registered()
    assert back is not None and back.state == SubscriberState.ACTIVE and back.preferences.groups == {"kucho"}

    elder, newcomer = await on_a_phone(browser), await on_a_phone(browser)
    await join(house, elder, ELDER, "ja-easy")
    await expect(elder.locator("main")).to_contain_text("お知")
    await join(house, newcomer, NEWCOMER, "en")
    await expect(newcomer.get_by_role("heading", level=1)).to_contain_text("settings")
    for address, language in ((ELDER, "ja-easy"), (NEWCOMER, "en")):
        one = await house.registered(address)
        assert one is not None and one.preferences.language == language
