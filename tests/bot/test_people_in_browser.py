"""Journeys of people with their rights in a browser, on a phone and at a desk, without JavaScript."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pyotp
import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, Page, expect

from bot.app import create_app
from bot.service import Service
from content.clock import SECOND, now_ms
from content.staff import member_changes, members
from content.town import Town
from tests.bot import test_web_in_browser as web
from tests.bot.web_visitor import PASSWORD
from tests.factories import PARENT, create_town, make_subscriber

pytestmark = pytest.mark.services
browser = web.browser
WIDTHS = pytest.mark.parametrize("width", [390, 1280])
NEW = "atarashii-kotoba"


@pytest.fixture
def town() -> Town:
    plain = create_town().model_dump(mode="json")
    two = [item | {"approval": "two"} for item in plain["categories"]]
    return create_town(categories=two)


@pytest_asyncio.fixture
async def origin(service: Service) -> AsyncIterator[str]:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys, PARENT)
        member = await members.find(connection, "suzuki")
        assert member is not None
        await member_changes.set_role(connection, member, "administrator")
    async with TestServer(create_app(service)) as server:
        yield str(server.make_url("")).rstrip("/")


async def desk(browser: Browser, width: int, *, script: bool = False) -> Page:
    context = await browser.new_context(
        viewport={"width": width, "height": 844}, java_script_enabled=script, locale="ja-JP"
    )
    return await context.new_page()


async def log_in(page: Page, origin: str, login: str, password: str = PASSWORD) -> None:
    await page.goto(f"{origin}/console/login")
    await page.get_by_label("ログイン名").fill(login)
    await page.get_by_label("パスワード").fill(password)
    await page.get_by_role("button", name="ログイン").click()


async def look(page: Page, name: str) -> None:
    """A picture for a person to look at, when KAIRANBAN_TEST_PICTURES names a folder."""
    folder = os.environ.get("KAIRANBAN_TEST_PICTURES")
    if folder:
        await page.screenshot(path=Path(folder) / f"{name}.png", full_page=True)


@WIDTHS
async def test_a_routine_notice_goes_through_approval(browser: Browser, origin: str, width: int) -> None:
    tanaka, suzuki = await desk(browser, width), await desk(browser, width)
    await log_in(tanaka, origin, "tanaka")
    await tanaka.goto(f"{origin}/console/notices/new")
    await tanaka.locator("[name='title.ja']").fill("乳幼児健診のお知らせ")
    await tanaka.locator("[name='body.ja']").fill("4月の乳幼児健診を、保健センターで行います。")
    await tanaka.locator("select[name=category]").select_option("kosodate")
    await tanaka.get_by_role("button", name="確認画面へ進む").click()
    await look(tanaka, f"submit-{width}")
    await tanaka.get_by_role("button", name="承認を依頼する").click()
    await expect(tanaka.get_by_role("status")).to_contain_text("承認を依頼しました")

    await log_in(suzuki, origin, "suzuki")
    await expect(suzuki.get_by_role("heading", name="あなたの確認を待っているお知らせ")).to_be_visible()
    await look(suzuki, f"home-{width}")
    await suzuki.get_by_role("link", name="乳幼児健診のお知らせ").first.click()
    await suzuki.get_by_label("作った人に伝えること").fill("対象の月齢を書いてください。")
    await look(suzuki, f"approve-{width}")
    await suzuki.get_by_role("button", name="差し戻す").click()

    await tanaka.goto(f"{origin}/console/notices")
    await tanaka.get_by_role("link", name="乳幼児健診のお知らせ").first.click()
    await expect(tanaka.get_by_text("対象の月齢を書いてください。")).to_be_visible()
    await look(tanaka, f"returned-{width}")
    await tanaka.get_by_role("link", name="内容を直す").first.click()
    await tanaka.locator("[name='body.ja']").fill("4か月児の健診を、保健センターで行います。")
    await tanaka.get_by_role("button", name="確認画面へ進む").click()
    await tanaka.get_by_role("button", name="承認を依頼する").click()

    await suzuki.goto(f"{origin}/console/waiting")
    await suzuki.get_by_role("link", name="乳幼児健診のお知らせ").first.click()
    for tick in await suzuki.locator("input[name=accept]").all():
        await tick.check()
    await suzuki.get_by_label("確認のため").fill("配信")
    await suzuki.get_by_role("button", name="配信を実行する").click()
    await expect(suzuki).to_have_url(re.compile(r"/console/notices/\d+$"))
    await expect(suzuki.get_by_role("heading", level=1)).to_contain_text("乳幼児健診のお知らせ")


@WIDTHS
async def test_an_administrators_day(browser: Browser, origin: str, width: int) -> None:
    admin, sato = await desk(browser, width), await desk(browser, width)
    await log_in(admin, origin, "suzuki")
    await admin.goto(f"{origin}/console/people")
    await admin.get_by_label("ログイン名").fill("sato")
    await admin.get_by_role("button", name="招待のコードを出す").click()
    code = await admin.locator(".secret-code strong").inner_text()
    await look(admin, f"code-{width}")

    await sato.goto(f"{origin}/console/password")
    await sato.get_by_label("ログイン名").fill("sato")
    await sato.get_by_label("コード", exact=True).fill(code)
    await sato.get_by_label("新しいパスワード(10文字以上)").fill(NEW)
    await sato.get_by_label("新しいパスワード(もう一度)").fill(NEW)
    await sato.get_by_role("button", name="決める").click()
    await log_in(sato, origin, "sato", NEW)
    await sato.goto(f"{origin}/console/account")
    await sato.get_by_role("button", name="認証アプリを設定する").click()
    await expect(sato.locator("svg.qr")).to_be_visible()
    secret = (await sato.locator("ol strong").inner_text()).replace(" ", "")
    await look(sato, f"factor-{width}")
    await sato.get_by_label("6桁のコード").fill(pyotp.TOTP(secret).at(now_ms() // SECOND, counter_offset=-1))
    await sato.get_by_role("button", name="設定する").click()
    await expect(sato.get_by_role("heading", name="予備コード")).to_be_visible()
    await look(sato, f"recovery-{width}")
    recovery = await sato.locator(".recovery-codes li").first.inner_text()
    await sato.goto(f"{origin}/console/account")
    await sato.get_by_role("button", name="すべての端末からログアウトする").click()
    await log_in(sato, origin, "sato", NEW)
    await look(sato, f"login-code-{width}")
    await sato.get_by_label("コード").fill(recovery)
    await sato.get_by_role("button", name="ログイン").click()
    await expect(sato.get_by_role("heading", level=1)).to_have_text("ホーム")

    await admin.goto(f"{origin}/console/people")
    await look(admin, f"people-{width}")
    await admin.get_by_role("link", name="sato").click()
    await admin.get_by_role("group", name="全庁").get_by_label("緊急発信").uncheck()
    await admin.get_by_role("button", name="権限を変える").click()
    await expect(admin.get_by_role("status")).to_contain_text("権限を変えました")
    await look(admin, f"person-{width}")
    await admin.get_by_role("button", name="無効にする").click()
    await sato.reload()
    await expect(sato).to_have_url(re.compile("/console/login"))
    await admin.goto(f"{origin}/console/audit")
    await expect(admin.get_by_role("cell", name="sato").first).to_be_visible()
    await look(admin, f"audit-{width}")


async def test_pages_of_people_are_accessible_and_fit_phone_and_desk(
    browser: Browser, origin: str, service: Service
) -> None:
    async with service.database.read() as connection:
        tanaka = await members.find(connection, "tanaka")
    assert tanaka is not None
    page = await desk(browser, 1280, script=True)
    await log_in(page, origin, "suzuki")
    found = []
    for path in (
        "/console/people",
        f"/console/people/{tanaka.id}",
        "/console/account",
        "/console/audit",
        "/console/waiting",
        "/console/password",
    ):
        await page.goto(origin + path)
        found += await web._faults(page, path)
    await page.goto(f"{origin}/console/account")
    await page.get_by_role("button", name="認証アプリを設定する").click()
    found += await web._faults(page, "second factor")
    await page.get_by_label("6桁のコード").fill("000000x")
    await page.get_by_role("button", name="設定する").click()
    found += await web._faults(page, "second factor with the wrong code")
    await page.goto(f"{origin}/console/people")
    await page.get_by_label("ログイン名").fill("sato")
    await page.get_by_role("button", name="招待のコードを出す").click()
    found += await web._faults(page, "code")
    assert found == []
