"""The pages in a real browser: accessible, not wider than the screen, and usable with and without script."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from axe_playwright_python.base import AXE_SCRIPT
from factories import draft, jst, line_id, make_delivery
from playwright.async_api import Browser, Page, async_playwright
from web_visitor import PASSWORD

from bot.app import create_app
from bot.service import Service
from content import ledger, notices
from content.clock import DAY, MINUTE, now_ms
from content.ledger import Refused
from content.subscribers import Preferences, Registration, register_many

pytestmark = pytest.mark.services
CHROMIUM = "/usr/bin/chromium"
SWITCHES = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
RULES = {
    "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22a", "wcag22aa"]},
    "resultTypes": ["violations"],
}
RUN_AXE = """options => axe.run(document, options).then(
  results => results.violations.map(item => `${item.id}: ${item.nodes[0].html.slice(0, 120)}`))"""
TOO_WIDE = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
TEXTS = {
    "ja": (
        "【警戒レベル4 避難指示】○○地区 今すぐ避難",
        "阿武隈川があふれるおそれがあります。\n避難所:船岡小学校",
    ),
    "ja-easy": ("いますぐ にげてください", "川(かわ)の 水(みず)が ふえます。"),
    "en": ("Evacuate now", "The river may overflow."),
}


@dataclass(frozen=True)
class Site:
    """A running server and the notices on it, by the state they are in."""

    service: Service
    origin: str
    notices: dict[str, int]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        if os.environ.get("KAIRANBAN_REQUIRE_SERVICES") == "1":
            pytest.fail(f"no browser at {CHROMIUM}", pytrace=False)
        pytest.skip(f"no browser at {CHROMIUM}")
    async with async_playwright() as playwright:
        started = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield started
        await started.close()


@pytest_asyncio.fixture
async def site(service: Service) -> AsyncIterator[Site]:
    found = await _seed(service)
    async with TestServer(create_app(service)) as server:
        yield Site(service, str(server.make_url("")).rstrip("/"), found)


async def test_every_page_is_accessible_and_fits_phone_and_desk(browser: Browser, site: Site) -> None:
    public, staff = await browser.new_page(), await browser.new_page()
    found = await asyncio.gather(_check(public, site, _public_pages(site)), _check_console(staff, site))
    assert found == [[], []]


async def test_an_evacuation_order_is_sent_from_a_phone_without_script(browser: Browser, site: Site) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    page = await context.new_page()
    await _log_in(page, site)
    await page.get_by_role("link", name="緊急のお知らせを出す").click()
    await page.get_by_role("button", name="避難指示(警戒レベル4)").click()
    await page.get_by_role("button", name="確認画面へ進む").click()
    assert "「○○」が残っています" in await page.inner_text("main")
    await page.get_by_label("確認のため").fill("緊急　配信")
    await page.get_by_role("button", name="緊急配信を実行する").click()
    assert "まだ送信していません" in await page.inner_text("main")
    await page.get_by_label("「○○」が残っています").check()
    await page.get_by_label("確認のため").fill("緊急　配信")
    await page.get_by_role("button", name="緊急配信を実行する").click()
    assert await page.inner_text("#progress strong") == "まもなく配信"
    async with site.service.database.read() as connection:
        assert (await notices.recent(connection, 1))[0].approved_by == "tanaka"
    await context.close()


async def test_the_progress_page_follows_the_sending_and_then_rests(browser: Browser, site: Site) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800})
    page = await context.new_page()
    await _log_in(page, site)
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    await page.goto(f"{site.origin}/console/notices/{site.notices['sending']}")
    assert await page.inner_text("#progress strong") == "配信中"
    await _settle_everything(site.service)
    await page.wait_for_selector("#progress[data-state=finished]", timeout=5000)
    assert "受付20件" in await page.inner_text("#progress-live")
    count = len(asked)
    await page.wait_for_timeout(1500)
    assert len(asked) == count
    await context.close()


async def test_characters_are_counted_while_typing(browser: Browser, site: Site) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await _log_in(page, site)
    await page.goto(f"{site.origin}/console/notices/new")
    await page.fill("#title\\.ja", "あ😀")
    assert "あと 997 文字" in await page.inner_text("#title\\.ja-hint")
    await page.select_option("#segment", "babies")
    assert await page.is_checked("input[name=target][value=segment]")
    await context.close()


async def _log_in(page: Page, site: Site) -> None:
    await page.goto(f"{site.origin}/console/login")
    await page.fill("#login", "tanaka")
    await page.fill("#password", PASSWORD)
    await page.get_by_role("button", name="ログイン").click()
    await page.wait_for_url("**/console/")


async def _check(page: Page, site: Site, paths: list[str]) -> list[str]:
    found = []
    for path in paths:
        await page.goto(site.origin + path)
        found += await _faults(page, path)
    return found


async def _check_console(page: Page, site: Site) -> list[str]:
    await _log_in(page, site)
    return await _check(page, site, _console_pages(site)) + await _check_mistakes(page, site)


async def _check_mistakes(page: Page, site: Site) -> list[str]:
    """Pages that only a wrong form shows."""
    await page.goto(f"{site.origin}/console/notices/new")
    await page.get_by_role("button", name="確認画面へ進む").click()
    found = await _faults(page, "compose with errors")
    await page.goto(f"{site.origin}/console/notices/{site.notices['draft']}/confirm")
    await page.get_by_label("確認のため").fill("配信")
    await page.get_by_role("button", name="緊急配信を実行する").click()
    return found + await _faults(page, "confirm with the wrong word")


async def _faults(page: Page, where: str) -> list[str]:
    """What is wrong with the page that is open: rules broken, too wide, or not exactly one first heading."""
    found = []
    await page.evaluate(AXE_SCRIPT)
    for width in (320, 390, 1280):
        await page.set_viewport_size({"width": width, "height": 900})
        if await page.evaluate(TOO_WIDE):
            found.append(f"{where} at {width}px: too wide")
        if width > 320:
            found += [f"{where} at {width}px: {fault}" for fault in await page.evaluate(RUN_AXE, RULES)]
    headings = await page.locator("h1").count()
    return found if headings == 1 else [*found, f"{where}: {headings} first headings"]


def _public_pages(site: Site) -> list[str]:
    token = site.service.keys.sign("unsubscribe", "1")
    return [
        "/",
        f"/n/{site.notices['finished']}",
        f"/n/{site.notices['drill']}",
        f"/unsubscribe/{token}",
        "/unsubscribe/x",
        "/nowhere",
        "/console/login",
    ]


def _console_pages(site: Site) -> list[str]:
    draft_id = site.notices["draft"]
    return [
        "/console/",
        "/console/notices",
        "/console/notices/new?urgency=urgent&template=evacuation4",
        f"/console/notices/{draft_id}/edit",
        f"/console/notices/{draft_id}/confirm",
        f"/console/notices/{site.notices['empty']}/confirm",
        *(f"/console/notices/{site.notices[key]}" for key in ("sending", "partly", "held", "scheduled")),
        "/console/reports",
        "/console/reports/indicators/line_registrations",
        "/console/none",
    ]


async def _seed(service: Service) -> dict[str, int]:
    chosen = Preferences(categories=frozenset({"saigai"}), areas=frozenset({"funaoka"}))
    people = [
        Registration("line", "line", line_id(n), chosen, jst(2020, 5, 1) + n * 20 * DAY) for n in range(40)
    ]
    people.append(Registration("mail", "mail", "someone@example.jp", chosen, jst(2021, 5, 1)))
    async with service.database.write() as connection:
        ids = await register_many(connection, service.keys, people, reason="import")
    found = {}
    for state in ("finished", "partly", "drill", "held", "scheduled", "draft", "empty", "sending"):
        found[state] = await _seed_notice(service, state, ids)
    return found


async def _seed_notice(service: Service, state: str, ids: list[int]) -> int:
    start = now_ms() - MINUTE
    urgent = replace(
        draft(category="saigai", urgency="urgent", texts=TEXTS), channels=("line", "mail", "webhook")
    )
    wanted = {
        "drill": replace(urgent, mode="drill"),
        "scheduled": replace(urgent, at=now_ms() + DAY),
        "empty": draft(),
    }.get(state, urgent)
    async with service.database.write() as connection:
        notice_id, _ = await notices.create(
            connection, wanted, submission_key=state, staff="tanaka", at=start
        )
        if state in ("draft", "empty"):
            return notice_id
        await notices.approve(connection, notice_id, staff="suzuki", at=start)
        if state == "held":
            await notices.hold(connection, notice_id, "予定の時刻から時間がたちすぎています。")
        elif state != "scheduled":
            await make_delivery(
                connection, [ids[:10], ids[10:20]], notice_id=notice_id, lane="urgent", at=start
            )
    if state in ("finished", "partly", "drill"):
        await _settle_everything(service, refused=2 if state == "partly" else 0)
    return notice_id


async def _settle_everything(service: Service, refused: int = 0) -> None:
    async with service.database.write() as connection:
        while claimed := await ledger.claim(
            connection, account="line", lane="urgent", owner="t", now=now_ms(), lease=MINUTE
        ):
            await ledger.record_part(
                connection,
                claimed,
                position=10,
                accepted=10 - refused,
                refused=[Refused(claimed.recipients[n], "invalid_recipient") for n in range(refused)],
                now=now_ms(),
                lease=MINUTE,
            )
