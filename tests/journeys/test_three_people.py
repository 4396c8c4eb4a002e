"""The resident, the member of staff and the planning officer, each in a real browser.

On every page of the story: no WCAG 2.2 A/AA violation that axe-core finds, nothing to scroll sideways.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Page, expect

from bot.demo.stage import Ports, Stage, staged
from tests.factories import public_page
from tests.journeys.browser_story import (
    CHROMIUM,
    DESK,
    PHONE,
    chromium,
    log_in,
    open_page,
    open_phone,
    open_report,
    send_notice,
    subscribe,
    write_notice,
)
from tests.journeys.deployment import free_port
from tests.journeys.residents_story import newcomer, parent, with_large_letters

WCAG = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    if not shutil.which(CHROMIUM):
        message = f"no Chromium at {CHROMIUM}; install Debian's package chromium"
        if os.environ.get("KAIRANBAN_REQUIRE_SERVICES") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    async with staged(tmp_path, Ports(web=free_port()), lambda words: None) as running:
        yield running


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desktop"])
async def test_the_three_stories_in_a_browser(stage: Stage, size: dict[str, int]) -> None:
    async with chromium() as browser:
        resident = await open_page(browser, PHONE)
        await open_phone(stage, resident)
        await is_usable_by_everyone(resident)
        await subscribe(stage, resident)
        await is_usable_by_everyone(resident)

        staff = await open_page(browser, size)
        await staff.goto(f"{stage.web_url}/console/login")
        await is_usable_by_everyone(staff)
        await log_in(stage, staff, "bosai")
        await is_usable_by_everyone(staff)
        await staff.goto(f"{stage.web_url}/console/notices/new?urgency=urgent")
        await is_usable_by_everyone(staff)
        await write_notice(stage, staff)
        await expect(staff.get_by_text("4,002").first).to_be_visible()
        await is_usable_by_everyone(staff)
        await send_notice(staff)
        await is_usable_by_everyone(staff)

        await expect(resident.locator("[data-log]")).to_contain_text("警戒レベル4 避難指示")
        await expect(resident.locator("[data-lock-screen]").first).to_contain_text("【緊急】")
        await is_usable_by_everyone(resident)

        if size == PHONE:
            await with_large_letters(resident)
            for page in (resident, await parent(stage, browser), await newcomer(stage, browser)):
                await is_usable_by_everyone(page)

        public = await open_page(browser, size)
        for path in ("/", "/poster", "/subscribe", await public_page(stage.service.database, 1)):
            await public.goto(f"{stage.web_url}{path}")
            await is_usable_by_everyone(public)
        await expect(public.get_by_text("Evacuate now").first).to_be_visible()

        officer = await open_page(browser, size)
        await log_in(stage, officer, "kikaku")
        await open_report(stage, officer)
        await expect(officer.get_by_role("cell", name="62.2%").first).to_be_visible()
        await expect(officer.locator("svg[role=img]:visible").first).to_be_visible()
        await is_usable_by_everyone(officer)
        await officer.goto(f"{stage.web_url}/console/reports")
        await is_usable_by_everyone(officer)

        for url in (f"{stage.inbox_url}/", f"{stage.hooks_url}/", f"{stage.line_url}/_sandbox/phones"):
            await public.goto(url)
            await is_usable_by_everyone(public)


async def is_usable_by_everyone(page: Page) -> None:
    results: Any = await Axe().run(page, options=WCAG)
    found = [
        f"{item['id']}: {item['help']} {[node['target'] for node in item['nodes']][:3]}"
        for item in results.response["violations"]
    ]
    assert not found, f"{page.url}\n" + "\n".join(found)
    wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert wider <= 0, f"{page.url} scrolls sideways by {wider} px"
