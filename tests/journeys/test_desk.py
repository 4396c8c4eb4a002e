"""A morning at the desk, with a phone in the hand: a drill, a send stopped in its middle, and a correction."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from aiohttp import ClientSession
from playwright.async_api import Page, expect
from sqlalchemy import select

from bot.demo.stage import Ports, Stage, staged
from content.ledger.deliveries import batch, delivery
from content.ledger.recipients import unpack
from scheduler import notice_service
from scheduler.notice_status import Status
from tests.journeys.browser_story import CHROMIUM, PHONE, chromium, log_in, open_page

pytestmark = [pytest.mark.services, pytest.mark.slow]
ENDED = re.compile("配信済み|一部不達")
MULTICAST = {"path": "*multicast"}


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    if not shutil.which(CHROMIUM):
        message = f"no Chromium at {CHROMIUM}; install Debian's package chromium"
        if os.environ.get("KAIRANBAN_REQUIRE_SERVICES") == "1":
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    async with staged(tmp_path, Ports(), lambda words: None) as running:
        yield running


async def test_a_drill_a_stop_and_a_correction(stage: Stage) -> None:
    async with chromium() as browser:
        page = await open_page(browser, PHONE)
        page.set_default_timeout(60_000)
        await log_in(stage, page, "bosai")
        await _drill_from_home_to_its_report(page)
        await _stop_in_the_middle(stage, page)
        await _correct_after_the_segment_was_changed(stage, page)


async def _drill_from_home_to_its_report(page: Page) -> None:
    await page.get_by_role("link", name="お知らせを作る").click()
    await page.get_by_label("分野").first.select_option("saigai")
    await page.fill("[name='title.ja']", "避難訓練のお知らせ")
    await page.fill("[name='body.ja']", "船岡小学校へ避難する訓練です。歩く道を確かめてください。")
    await page.locator("[name=mode][value=drill]").check()
    await page.get_by_role("button", name="確認画面へ進む").click()
    await expect(page.locator(".impact-mode")).to_contain_text("【訓練】")
    await _approve(page)
    await expect(page.locator("#progress")).to_contain_text(ENDED)
    await page.get_by_role("link", name="訓練の報告").click()
    steps = page.get_by_role("table")
    await expect(steps).to_contain_text("お知らせを承認した")
    await expect(steps).to_contain_text("bosai")
    assert re.search(r"\d+\.\d", await steps.inner_text())


async def _stop_in_the_middle(stage: Stage, page: Page) -> None:
    async with ClientSession() as session:
        slow = {"target": "api", "action": {"type": "latency", "ms": 1_500}, "match": MULTICAST}
        async with session.post(f"{stage.line_url}/_sandbox/faults", json=slow) as answer:
            answer.raise_for_status()
        stage.smtp.faults.latency_ms = 400
        await _write_urgent(stage, page, "断水のお知らせ", "船岡地区で断水しています。給水車が来ます。")
        await _approve(page)
        await page.get_by_role("link", name="配信を止める").click()
        await expect(page.locator("main")).to_contain_text("もう出た分は取り戻せません")
        await page.get_by_role("button", name="配信を止める").click()
        await expect(page.locator("#progress")).to_contain_text("配信中止")
        stage.smtp.faults.latency_ms = 0
        async with session.delete(f"{stage.line_url}/_sandbox/faults") as answer:
            answer.raise_for_status()
    stopped = await _status(stage, page)
    assert stopped.open == 0
    assert 0 < stopped.accepted < stopped.planned


async def _correct_after_the_segment_was_changed(stage: Stage, page: Page) -> None:
    await _write_urgent(
        stage, page, "橋の通行止め", "阿武隈川の橋を通れません。遠回りしてください。", segment="abukuma"
    )
    await _approve(page)
    await expect(page.locator("#progress")).to_contain_text(ENDED)
    original = await _status(stage, page)
    await page.goto(f"{stage.web_url}/console/segments/abukuma")
    chosen = page.locator("[name=area]:checked")
    while await chosen.count():
        await chosen.first.uncheck()
    await page.locator("[name=area][value=shibata]").check()
    await page.get_by_role("button", name="保存する").click()
    await page.goto(f"{stage.web_url}/console/notices/{original.notice.id}")
    await page.get_by_role("link", name="訂正を送る").click()
    await page.fill("[name='body.ja']", "阿武隈川の橋は、歩いてなら通れます。")
    await page.get_by_role("button", name="確認へ進む").click()
    await _approve(page)
    await expect(page.locator("#progress")).to_contain_text(ENDED)
    corrected = await _status(stage, page)
    assert corrected.notice.corrects == original.notice.id
    sent, corrected_to = [await _recipients(stage, item.notice.id) for item in (original, corrected)]
    assert corrected_to and corrected_to <= sent
    assert len(corrected_to) == original.accepted


async def _write_urgent(stage: Stage, page: Page, title: str, body: str, segment: str = "") -> None:
    await page.goto(f"{stage.web_url}/console/notices/new")
    await page.get_by_label("分野").first.select_option("saigai")
    await page.fill("[name='title.ja']", title)
    await page.fill("[name='body.ja']", body)
    await page.locator("[name=urgency][value=urgent]").check()
    if segment:
        await page.locator("[name=target][value=segment]").check()
        await page.locator("[name=segment]").select_option(segment)
    await page.get_by_role("button", name="確認画面へ進む").click()
    await expect(page.get_by_role("heading", level=1)).to_have_text("送信前の確認")


async def _approve(page: Page) -> None:
    """What the page asks: a tick for each finding, and its word."""
    for box in await page.locator("[name=accept]").all():
        await box.check()
    await page.fill("[name=word]", await page.locator("label[for=word] strong").inner_text())
    await page.locator("form[action$='/approve'] button[type=submit]").click()
    await expect(page.locator("#progress")).to_be_visible()


async def _status(stage: Stage, page: Page) -> Status:
    found = re.search(r"/notices/(\d+)", page.url)
    assert found, page.url
    return await notice_service.status(stage.service.context, int(found[1]))


async def _recipients(stage: Stage, notice_id: int) -> set[int]:
    question = select(batch.c.recipients).join(delivery, batch.c.delivery_id == delivery.c.id)
    async with stage.service.database.read() as connection:
        rows = (await connection.scalars(question.where(delivery.c.notice_id == notice_id))).all()
    everybody = [one for row in rows for one in unpack(row)]
    assert len(everybody) == len(set(everybody))
    return set(everybody)
