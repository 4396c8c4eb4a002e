"""Takes the picture of the README from a running demo: `make screenshots`."""

from __future__ import annotations

import asyncio
import base64
import tempfile
from pathlib import Path

from playwright.async_api import Browser

from bot.demo.stage import Ports, Stage, staged
from tests.journeys.browser_story import (
    SATO,
    chromium,
    log_in,
    open_page,
    open_phone,
    open_report,
    send_notice,
    subscribe,
    write_notice,
)

PICTURE = Path(__file__).parents[2] / "docs" / "pictures" / "demo.png"
TALL_PHONE, TALL_DESK = {"width": 390, "height": 1000}, {"width": 1000, "height": 1180}
STYLE = (
    "body{margin:0;padding:16px;background:#eef1f5;font:16px sans-serif;display:flex;gap:16px;align-items:flex-start}"
    "figure{margin:0}img{width:100%;border:1px solid #99a;border-radius:6px}"
    "figcaption{padding:6px;text-align:center}"
)


async def main() -> None:
    with tempfile.TemporaryDirectory() as data:
        async with staged(Path(data), Ports(), lambda words: None) as stage, chromium() as browser:
            shots = await take(stage, browser)
            await compose(browser, shots)


async def take(stage: Stage, browser: Browser) -> list[tuple[bytes, int, str]]:
    """(PNG, relative width, caption) of each person's page."""
    phone = await open_page(browser, TALL_PHONE)
    await open_phone(stage, phone)
    await subscribe(stage, phone)
    staff = await open_page(browser, TALL_DESK)
    await log_in(stage, staff, "bosai")
    await write_notice(stage, staff)
    confirm = await staff.screenshot()
    await send_notice(staff)
    await phone.locator(f"[data-phone='{SATO}']").get_by_text("警戒レベル4").first.wait_for()
    officer = await open_page(browser, TALL_DESK)
    await log_in(stage, officer, "kikaku")
    await open_report(stage, officer)
    await officer.mouse.wheel(0, 280)
    await officer.wait_for_timeout(300)
    return [
        (await phone.screenshot(), 46, "住民のスマートフォン"),
        (confirm, 100, "職員: 送る前の確認"),
        (await officer.screenshot(), 100, "企画: 目標と実績"),
    ]


async def compose(browser: Browser, shots: list[tuple[bytes, int, str]]) -> None:
    figures = "".join(
        f"<figure style='flex:{width}'><img alt='' src='data:image/png;base64,{base64.b64encode(png).decode()}'>"
        f"<figcaption>{caption}</figcaption></figure>"
        for png, width, caption in shots
    )
    page = await open_page(browser, {"width": 1500, "height": 400})
    await page.set_content(f"<html lang=ja><style>{STYLE}</style>{figures}</html>")
    await page.screenshot(path=PICTURE, full_page=True)


if __name__ == "__main__":
    asyncio.run(main())
