"""A browser, a sandbox of one's own, and phones on its pages."""

import os
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, Page, async_playwright, expect

from sandbox.line.phone.pages import add_routes
from tests.sandbox.phone.phone_browser import CHROMIUM, FLAGS, OpenPage
from tests.sandbox.phone.phone_fake import FakeSandbox
from tests.sandbox.phone.phone_pictures import picture

expect.set_options(timeout=30_000)


# One browser for all tests: starting it takes longer than most of them. Whatever it talks to therefore
# lives in the loop of the session too.
@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def browser() -> AsyncIterator[Browser]:
    if not CHROMIUM.exists():
        reason = f"{CHROMIUM} is not installed; the phone pages are only provable in a browser"
        if os.environ.get("KAIRANBAN_REQUIRE_SERVICES") == "1":
            pytest.fail(reason)
        pytest.skip(reason)
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=str(CHROMIUM), args=FLAGS)
        yield browser
        await browser.close()


@pytest.fixture
def sandbox() -> FakeSandbox:
    """Three residents: a parent, a 78-year-old, and a newcomer who reads English and has not joined yet."""
    sandbox = FakeSandbox("佐藤 美咲", "鈴木 茂")
    sandbox.add("Maria Silva", "none", "en")
    return sandbox


@pytest.fixture
def users(sandbox: FakeSandbox) -> list[str]:
    return list(sandbox.users)


@pytest_asyncio.fixture(loop_scope="session")
async def origin(sandbox: FakeSandbox) -> AsyncIterator[str]:
    """The address of a server with the pages and the control API."""
    app = web.Application()
    sandbox.routes(app)
    add_routes(app)
    app.router.add_get("/picture/{name}", picture)
    runner = web.AppRunner(app, shutdown_timeout=1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest_asyncio.fixture(loop_scope="session")
async def open_page(browser: Browser, origin: str) -> AsyncIterator[OpenPage]:
    """Opens a page of the sandbox, by default as wide as a phone, and waits until its stream stands."""

    context = await browser.new_context(locale="ja-JP")

    async def open_page(path: str, width: int = 390, height: int = 844) -> Page:
        page = await context.new_page()
        await page.set_viewport_size({"width": width, "height": height})
        page.on("pageerror", lambda error: pytest.fail(f"script error: {error}"))
        page.set_default_timeout(30_000)
        await page.goto(f"{origin}{path}")
        await page.wait_for_selector('[data-log][aria-busy="false"]', state="attached")
        return page

    yield open_page
    await context.close()
