"""Displays: their addresses, their health, and what they do when news comes, goes, or cannot be heard."""

from __future__ import annotations

import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestServer
from playwright.async_api import Browser, async_playwright, expect

from bot.app import create_app
from bot.service import Service
from content.clock import HOUR, MINUTE, now_ms
from content.notices import displays
from content.notices.states import NoticeKind
from content.staff import audit, member_changes, members
from tests.bot.resident.test_pages import TEXTS, publish
from tests.bot.test_web_in_browser import CHROMIUM, SWITCHES
from tests.bot.web_visitor import Visitor

ROUTINE = {
    "ja": (
        "春の交通安全運動が始まります",
        "4月6日から15日までです。\n自転車に乗るときはヘルメットをかぶりましょう。",
    )
}
# Looked at by people: set it to a folder to have the pictures.
PICTURES = os.environ.get("KAIRANBAN_TEST_PICTURES", "")


async def add(service: Service, **changes: object) -> str:
    """The path of a new display."""
    async with service.database.write() as connection:
        _, key = await displays.add(
            connection,
            **{
                "name": "船岡駅",
                "audience": "citizens",
                "place": "",
                "chime": True,
                "by": "tanaka",
                "at": now_ms(),
            }
            | changes,  # type: ignore[arg-type]
        )
    return f"/signage/{key}"


async def test_a_display_without_a_script_goes_from_screen_to_screen_by_itself(
    stranger: Visitor, service: Service
) -> None:
    path = await add(service)
    assert "いま、お知らせはありません" in (await stranger.get(path)).text
    await publish(service, texts=ROUTINE)
    await publish(service, texts=TEXTS)
    first = await stranger.get(path)
    assert f'content="10; url={path}?n=2"' in first.html
    second = await stranger.get(f"{path}?n=2")
    for page, shown in ((first, "避難してください"), (second, "春の交通安全運動")):
        visible = re.sub(r"<article[^>]* hidden>.*?</article>", "", page.html, flags=re.DOTALL)
        assert shown in re.sub(r"<[^>]*>", "", visible)
    for odd in ("0", "99", "-1", "x", "1" * 50, "二"):
        assert (await stranger.get(f"{path}?n={odd}")).status == 200


async def test_an_address_that_nobody_has_or_that_was_ended_shows_nothing(
    stranger: Visitor, service: Service
) -> None:
    path = await add(service)
    await publish(service, texts=ROUTINE)
    async with service.database.write() as connection:
        (found,) = await displays.everyone(connection)
        assert await displays.end(connection, found.id, at=now_ms())
        assert not await displays.end(connection, found.id, at=now_ms())
    for address in (path, f"/signage/{'a' * 32}", f"{path}/slides"):
        page = await stranger.get(address)
        assert page.status == 404 and "春の" not in page.text


async def test_it_is_known_when_a_display_was_seen_and_how_its_clock_goes(
    stranger: Visitor, service: Service
) -> None:
    path = await add(service)
    now = now_ms()
    service.database.now = lambda: now  # type: ignore[method-assign]
    for clock, ahead in ((now + 12 * MINUTE, 12 * MINUTE), ("later", None), ("9" * 40, None), ("-5", None)):
        now += MINUTE
        await stranger.get(f"{path}/slides?clock={clock if ahead is None else now + ahead}")
        async with service.database.read() as connection:
            (found,) = await displays.everyone(connection)
        assert (found.seen_at, found.clock_ahead) == (now, ahead)
    # Once a minute is enough to write it down.
    now += 1000
    await stranger.get(f"{path}/slides")
    async with service.database.read() as connection:
        assert (await displays.everyone(connection))[0].seen_at == now - 1000


async def test_staff_add_a_display_and_see_its_address_once(stranger: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        member = await members.find(connection, "tanaka")
        await member_changes.set_role(connection, member, "administrator")
    admin = stranger
    await admin.enter(service, "tanaka")
    wanted = {"name": "道の駅", "audience": "visitors", "place": "funaoka"}
    assert "表示板はまだありません" in (await admin.get("/console/displays")).text
    for wrong, said in (
        ({"name": ""}, "名前を"),
        ({"audience": "x"}, "だれに"),
        ({"place": "nowhere"}, "地区を"),
    ):
        page = await admin.submit(
            await admin.get("/console/displays"), "/console/displays", {**wanted, **wrong}
        )
        assert page.status == 422 and said in page.text
    made = await admin.submit(await admin.get("/console/displays"), "/console/displays", wanted)
    (path,) = re.findall(r"/signage/[\w-]{32}", made.html)
    assert (await admin.get(path)).status == 200
    twice = await admin.submit(await admin.get("/console/displays"), "/console/displays", wanted)
    assert twice.status == 422 and "もうあります" in twice.text
    page = await admin.get("/console/displays")
    assert "動いています" in page.text and path not in page.html
    now = now_ms() + HOUR
    service.database.now = lambda: now  # type: ignore[method-assign]
    assert "つながっていません" in (await admin.get("/console/displays")).text
    ended = await admin.submit(await admin.get("/console/displays"), "/console/displays/1/end")
    assert "止めました" in ended.text and (await admin.get(path)).status == 404
    async with service.database.read() as connection:
        acts = [item.action for item in await audit.entries(connection, limit=5)]
    assert acts[:2] == ["display.ended", "display.added"]


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    if not Path(CHROMIUM).exists():
        pytest.skip("no Chromium on this machine")
    async with async_playwright() as playwright:
        opened = await playwright.chromium.launch(executable_path=CHROMIUM, args=SWITCHES)
        yield opened
        await opened.close()


@pytest.mark.services
@pytest.mark.slow
async def test_an_alarm_takes_over_gives_back_and_silence_is_said(service: Service, browser: Browser) -> None:
    path = await add(service)
    await publish(service, texts=ROUTINE)
    server = TestServer(create_app(service))
    await server.start_server()
    context = await browser.new_context(viewport={"width": 1920, "height": 1080})
    page = await context.new_page()
    problems: list[str] = []
    page.on(
        "console",
        lambda message: problems.append(message.text) if "Content Security" in message.text else None,
    )
    await page.goto(str(server.make_url(path)))
    heading = page.locator(".slide:visible h1")
    await expect(heading).to_have_text("春の交通安全運動が始まります")
    await picture(page, "routine")
    number = await publish(service, urgency="urgent", texts=TEXTS)
    # Five seconds, and what a busy machine takes for a page.
    await expect(heading).to_have_text("【緊急】避難してください", timeout=15_000)
    await picture(page, "urgent")
    # The display's own clock is a year off: nothing of it is believed.
    await page.evaluate("Date.now = () => 1e12")
    await publish(service, texts={"ja": ("終わり", "終わり")}, kind=NoticeKind.WITHDRAWAL, corrects=number)
    await expect(heading).not_to_have_text("【緊急】避難してください", timeout=15_000)
    await page.wait_for_function("navigator.serviceWorker.controller !== null")
    await context.set_offline(True)
    await expect(page.locator("#offline")).to_be_visible(timeout=30_000)
    await picture(page, "offline")
    # A power cut while there is no network.
    await page.reload()
    await expect(page.locator(".slide:visible h1")).not_to_be_empty()
    await expect(page.locator("#offline")).to_be_visible(timeout=30_000)
    await context.set_offline(False)
    await expect(page.locator("#offline")).to_be_hidden(timeout=30_000)
    assert problems == []
    await context.close()
    await server.close()


async def picture(page, name: str) -> None:
    if not PICTURES:
        return
    for width, height in ((1920, 1080), (1080, 1920)):
        await page.set_viewport_size({"width": width, "height": height})
        await page.wait_for_timeout(200)
        await page.screenshot(path=str(Path(PICTURES) / f"{name}-{width}.png"))
