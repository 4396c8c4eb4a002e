"""The pages in a real browser: accessible, not wider than the screen, and usable with and without script."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from datetime import time
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from axe_playwright_python.base import AXE_SCRIPT
from playwright.async_api import Browser, Page, async_playwright, expect
from sqlalchemy import update

from bot.app import create_app
from bot.service import Service
from channels.reasons import Reason
from content.clock import DAY, MINUTE, now_ms
from content.ledger import account_outages
from content.ledger.batches import claim, record_part
from content.ledger.deferring import RefusedRecipient
from content.ledger.deliveries import batch
from content.notices import notice_changes, notices, triggers
from content.notices.recurrence import RecurrenceRule, read_closure
from content.register import subscribers
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from content.register.tokens import subscriber_token
from scheduler.shortages import Shortage, record_shortage
from tests.bot.sheets_story import bring
from tests.bot.web_visitor import PASSWORD
from tests.factories import jst, line_id, make_delivery, public_page, spec

pytestmark = pytest.mark.services
# For every file that takes the browser from here: five seconds are too few on a busy machine.
expect.set_options(timeout=30_000)
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

# Some of its days are public holidays.
MONTHLY = RecurrenceRule(
    "day", time(7), days=(3, 11, 23), on_holiday="before", closures=(read_closure("12/29~1/3"),)
)


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
    found = await asyncio.gather(_check(public, site, await _public_pages(site)), _check_console(staff, site))
    assert [*found] == [[], []]


async def test_what_staff_are_told_of_a_stopped_account_is_accessible_too(
    browser: Browser, site: Site
) -> None:
    refused = site.notices["sending"]
    async with site.service.database.write() as connection:
        await connection.execute(
            update(batch)
            .where(batch.c.state == "ready")
            .values(reason="credentials", not_before=now_ms() + DAY)
        )
        await connection.run_sync(
            account_outages.begin, "line", reason=Reason.CREDENTIALS, now=now_ms() - DAY
        )
        await record_shortage(
            connection, refused, Shortage("line", left=12_000, reserved=300, needed=41_000), at=now_ms()
        )
    page = await browser.new_page()
    await _log_in(page, site)
    paths = ["/console/", f"/console/notices/{refused}"]
    assert await _check(page, site, paths) == []
    assert "待っている20件は" in await page.get_by_role("alert").inner_text()
    assert "今月あと12,000通" in await page.inner_text("main")


async def test_stopping_and_correcting_are_accessible_and_fit_a_phone(browser: Browser, site: Site) -> None:
    page = await browser.new_page()
    await _log_in(page, site)
    number = site.notices["sending"]
    acts = ("stop-sending", "correct", "withdraw")
    paths = [f"/console/notices/{number}", *(f"/console/notices/{number}/{act}" for act in acts)]
    assert await _check(page, site, paths) == []
    # What a frightened member of staff needs stands before the figures.
    await page.goto(f"{site.origin}/console/notices/{number}")
    await expect(page.get_by_role("link", name="配信を止める")).to_be_visible()
    # At one moment: the page renews that part by itself.
    above, below = await page.evaluate(
        "() => ['a[href$=\"/stop-sending\"]', 'table'].map(part =>"
        " document.querySelector(part).getBoundingClientRect().y)"
    )
    assert above < below


async def test_after_signing_out_the_way_back_shows_nothing_of_before(browser: Browser, site: Site) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await _log_in(page, site)
    for path in ("/console/notices", "/console/reports"):
        await page.goto(f"{site.origin}{path}")
    await page.get_by_role("button", name="ログアウト").click()
    assert page.url.endswith("/console/login")
    for _ in range(2):
        await page.go_back()
        assert "/console/login?next=" in page.url
        assert await page.get_by_label("パスワード").is_visible()
    await context.close()


async def test_an_evacuation_order_is_sent_from_a_phone_without_script(browser: Browser, site: Site) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    page = await context.new_page()
    await _log_in(page, site)
    await page.get_by_role("link", name="緊急のお知らせを出す").click()
    await page.get_by_role("button", name="避難指示(警戒レベル4)").click()
    await page.get_by_role("checkbox", name="船岡").first.check()
    await page.get_by_label("川の名前", exact=True).fill("○○川")
    await page.get_by_label("避難所", exact=True).fill("船岡小学校")
    await page.get_by_role("button", name="確認画面へ進む").click()
    assert "書きかけの所が残っています:「○○川" in await page.inner_text("main")
    await page.get_by_label("確認のため").fill("緊急　配信")
    await page.get_by_role("button", name="緊急配信を実行する").click()
    assert "まだ送信していません" in await page.inner_text("main")
    for box in await page.get_by_label("確認しました").all():
        await box.check()
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
    await page.wait_for_selector("#progress[data-state=finished]")
    assert "受付20件" in await page.inner_text("#progress-live")
    count = len(asked)
    await page.wait_for_timeout(1500)
    assert len(asked) == count
    await context.close()


async def test_a_recurring_notice_is_written_on_a_phone_without_script_and_with_the_keyboard_alone(
    browser: Browser, site: Site
) -> None:
    context = await browser.new_context(viewport={"width": 390, "height": 800}, java_script_enabled=False)
    page = await context.new_page()
    await _log_in(page, site)
    await page.goto(f"{site.origin}/console/notices/new")
    await page.get_by_label("件名", exact=True).fill("粗大ごみの日")
    await page.get_by_label("本文", exact=True).fill("明日です。")
    await page.get_by_label("分野", exact=True).select_option("kosodate")
    assert not await page.get_by_label("終わりの日").is_visible()
    await page.get_by_label("すぐに").focus()
    for key in ("ArrowDown", "ArrowDown", "Tab", "ArrowDown", "Tab"):
        await page.keyboard.press(key)
    # 第1, 第2, …, then the days of the week.
    for key in ("Tab", "Space", *["Tab"] * 4, "Tab", "Space", *["Tab"] * 6):
        await page.keyboard.press(key)
    assert await page.evaluate("document.activeElement.id") == "time"
    await page.fill("#time", "07:00")
    await page.get_by_role("button", name="確認画面へ進む").click()
    assert "毎月 第2 火曜日 07:00" in await page.inner_text("main")
    assert await page.locator(".dates li").count() == 5
    await page.get_by_label("確認のため").fill("くり返し配信")
    await page.get_by_role("button", name="くり返し配信を始める").click()
    await page.get_by_role("link", name="くり返しを止める").click()
    await page.get_by_role("button", name="くり返しを止める").click()
    assert "くり返しを止めました" in await page.inner_text("main")
    await context.close()


async def test_a_time_typed_for_another_choice_is_not_sent(browser: Browser, site: Site) -> None:
    context = await browser.new_context()
    page = await context.new_page()
    await _log_in(page, site)
    await page.goto(f"{site.origin}/console/notices/new")
    await page.check("input[name=when][value=at]")
    await page.fill("#at", "2090-01-01T09:00")
    await page.check("input[name=when][value=now]")
    assert await page.is_disabled("#at") and not await page.is_visible("#at")
    await page.check("input[name=when][value=at]")
    assert await page.input_value("#at") == "2090-01-01T09:00" and await page.is_enabled("#at")
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
    await page.check("input[name=when][value=repeat]")
    await page.check("input[name=repeat][value=nth]")
    await page.get_by_role("button", name="確認画面へ進む").click()
    found += await _faults(page, "a rule with errors")
    await page.goto(f"{site.origin}/console/notices/{site.notices['draft']}/confirm")
    await page.get_by_label("確認のため").fill("配信")
    await page.get_by_role("button", name="緊急配信を実行する").click()
    found += await _faults(page, "confirm with the wrong word")
    await page.get_by_label("確認のため").fill("緊急配信")
    await page.get_by_role("button", name="緊急配信を実行する").click()
    return found + await _faults(page, "confirm with findings that nobody has answered")


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


async def _public_pages(site: Site) -> list[str]:
    database = site.service.database
    async with database.read() as connection:
        person = await subscribers.get(connection, 1)
    assert person is not None
    token = subscriber_token(site.service.keys, "unsubscribe", person.id, person.salt)
    return [
        "/",
        await public_page(database, site.notices["finished"]),
        await public_page(database, site.notices["drill"]),
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
        f"/console/notices/{draft_id}/cancel",
        f"/console/notices/{draft_id}/copy",
        f"/console/notices/{site.notices['empty']}/confirm",
        f"/console/notices/{site.notices['pattern']}/confirm",
        f"/console/notices/{site.notices['series']}/stop",
        f"/console/notices/{site.notices['scheduled']}/take-back",
        *(
            f"/console/notices/{site.notices[key]}"
            for key in ("sending", "partly", "held", "scheduled", "series", "occurrence")
        ),
        "/console/segments",
        "/console/segments/new",
        "/console/templates",
        "/console/templates/new",
        "/console/word-calendars",
        "/console/word-calendars/new",
        "/console/notices?words=xyz&state=held",
        "/console/calendar",
        "/console/groups",
        "/console/unreachable",
        "/console/accounts",
        "/console/alarms",
        f"/console/notices/{site.notices['drill']}/drill",
        "/console/reports",
        "/console/reports/monthly-mail",
        "/console/reports/notices",
        "/console/reports/indicators/line_registrations",
        "/console/plans",
        "/console/plans/shibata-5",
        "/console/plan-records/indicator/line_registrations",
        "/console/plan-records/policy/shibata-5-1-1",
        "/console/sheets/shibata-5/2022",
        "/console/sheets/shibata-5/2022/shibata-5-1-1",
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
    await bring(service, "shibata")
    found = {}
    for state in ("finished", "partly", "drill", "held", "scheduled", "draft", "empty", "pattern", "sending"):
        found[state] = await _seed_notice(service, state, ids)
    found["series"] = await _seed_notice(service, "series", ids)
    found["occurrence"] = await _seed_occurrence(service, found["series"])
    return found


async def _seed_occurrence(service: Service, series_id: int) -> int:
    async with service.database.write() as connection:
        series = await notices.get(connection, series_id)
        assert series is not None and series.due_at is not None
        step = await triggers.next_occurrence(connection, series, series.due_at)
        assert step is not None
        return step.notice_id


async def _seed_notice(service: Service, state: str, ids: list[int]) -> int:
    start = now_ms() - MINUTE
    urgent = replace(
        spec(category="saigai", urgency="urgent", texts=TEXTS), channels=("line", "mail", "webhook")
    )
    wanted = {
        "drill": replace(urgent, mode="drill"),
        "scheduled": replace(urgent, at=now_ms() + DAY),
        "empty": spec(),
        "pattern": spec(rule=MONTHLY),
        "series": spec(rule=MONTHLY),
    }.get(state, urgent)
    async with service.database.write() as connection:
        notice_id, _ = await notice_changes.create(
            connection, wanted, submission_key=state, staff="tanaka", at=start
        )
        if state in ("draft", "empty", "pattern"):
            return notice_id
        await notice_changes.approve(connection, notice_id, staff="suzuki", at=start)
        if state == "held":
            await triggers.hold(connection, notice_id, "予定の時刻から時間がたちすぎています。")
        elif state not in ("scheduled", "series"):
            await make_delivery(
                connection, [ids[:10], ids[10:20]], notice_id=notice_id, lane="urgent", at=start
            )
    if state in ("finished", "partly", "drill"):
        await _settle_everything(service, refused=2 if state == "partly" else 0)
    return notice_id


async def _settle_everything(service: Service, refused: int = 0) -> None:
    async with service.database.write() as connection:
        while claimed := await connection.run_sync(
            claim, account="line", lane="urgent", owner="t", now=now_ms(), lease=MINUTE
        ):
            await connection.run_sync(
                record_part,
                claimed[0],
                since=0,
                position=10,
                accepted=10 - refused,
                refused=[
                    RefusedRecipient(claimed[0].recipients[n], "invalid_recipient") for n in range(refused)
                ],
                now=now_ms(),
                lease=MINUTE,
            )
