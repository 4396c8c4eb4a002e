"""The pages as the server hands them out, without a browser."""

import aiohttp
import pytest

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def fetch(address: str) -> tuple[int, str, aiohttp.ClientResponse]:
    async with aiohttp.ClientSession() as session, session.get(address) as answer:
        return answer.status, await answer.text(), answer


@pytest.mark.parametrize("path", ["/_sandbox/phones", "/_sandbox/phone/U1"])
async def test_every_page_says_that_nothing_reaches_line(origin: str, path: str) -> None:
    status, html, _ = await fetch(origin + path)
    assert status == 200
    assert "SANDBOX – LINEには送信されません" in html


async def test_pages_are_japanese_first_and_english_on_request(origin: str) -> None:
    _, japanese, _ = await fetch(f"{origin}/_sandbox/phones?ids=a,b")
    _, english, _ = await fetch(f"{origin}/_sandbox/phones?ids=a,b&lang=en")
    assert '<html lang="ja">' in japanese and 'href="/_sandbox/phones?ids=a,b&amp;lang=en"' in japanese
    assert '<html lang="en">' in english and "nothing is sent to LINE" in english


async def test_a_page_takes_twelve_phones_and_no_more(origin: str) -> None:
    twelve = ",".join(f"u{number}" for number in range(12))
    assert (await fetch(f"{origin}/_sandbox/phones?ids={twelve}"))[0] == 200
    assert (await fetch(f"{origin}/_sandbox/phones?ids={twelve},u12"))[0] == 400


async def test_ids_cannot_carry_markup_into_the_page(origin: str) -> None:
    _, html, _ = await fetch(f'{origin}/_sandbox/phones?ids="><script>alert(1)</script>,ok')
    assert "alert(1)" not in html
    assert 'data-ids="ok"' in html


async def test_scripts_come_from_the_sandbox_only(origin: str) -> None:
    _, _, answer = await fetch(f"{origin}/_sandbox/phones")
    assert "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert "unsafe" not in answer.headers["Content-Security-Policy"]


@pytest.mark.parametrize("name", ["nothing.js", "..%2Fpages.py", "words.json"])
async def test_only_the_static_files_are_served(origin: str, name: str) -> None:
    assert (await fetch(f"{origin}/_sandbox/static/{name}"))[0] == 404
