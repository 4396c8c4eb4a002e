"""One urgent notice on every way out that is fetched, then a correction and a withdrawal on all of them, through the door."""

from __future__ import annotations

import asyncio
import json
import re
import time
from functools import partial
from pathlib import Path

import feedparser
import pytest
from lxml import etree

from bot.outlets.cap import NAMESPACE
from content.clock import now_ms
from content.database import Database
from content.notices import displays
from tests.journeys.deployment import Deployment, deployed, until

pytestmark = pytest.mark.slow
# What the towns are promised, on a machine that has nothing else to do.
MINUTE = 60.0
WORDS = "阿武隈川があふれるおそれがあります。今すぐ避難してください。"


async def fetch(town: Deployment, path: str, **headers: str) -> tuple[int, str]:
    async with town.session.get(f"{town.web_url}{path}", headers=headers) as answer:
        return answer.status, await answer.text()


async def display(town: Deployment) -> str:
    database = Database(town.environment["KAIRANBAN_DATABASE_URL"])
    async with database.write() as connection:
        _, key = await displays.add(
            connection, name="船岡駅", audience="citizens", place="", chime=False, by="admin", at=now_ms()
        )
    await database.close()
    return f"/signage/{key}/slides"


async def test_a_correction_is_everywhere_within_a_minute(tmp_path: Path) -> None:
    copies = tmp_path / "copies"
    async with deployed(
        tmp_path, KAIRANBAN_MAIL__SMTP_URL="smtp://127.0.0.1:1", KAIRANBAN_WEB__COPIES=str(copies)
    ) as town:
        line = await town.start_line()
        await town.registered_and_slow(line, line=3, mail=0, latency_ms=0)
        slides = await display(town)
        await town.serve()
        posted = await town.json(
            *("notice", "post", "--category", "saigai", "--urgent", "--channel", "line", "--wait", "--json"),
            *("--title", "【警戒レベル4】避難指示", "--body", WORDS, *accepting()),
        )
        first = posted["public_id"]
        await everywhere(town, copies, slides, first, "避難指示", [first], "Alert")
        corrected = await town.json(
            *(
                "notice",
                "correct",
                str(posted["id"]),
                "--title",
                "【警戒レベル4】避難所の訂正",
                "--wait",
                "--json",
            ),
            *("--body", f"{WORDS}避難所は槻木中学校です。", *accepting()),
        )
        second = corrected["public_id"]
        took = await everywhere(town, copies, slides, second, "避難所の訂正", [second], "Update")
        assert took < MINUTE
        async with asyncio.timeout(MINUTE):
            while "このお知らせには訂正があります" not in (await fetch(town, f"/n/{first}"))[1]:
                await asyncio.sleep(0.2)
        assert "このお知らせには訂正があります" in (copies / "n" / f"{first}.html").read_text(
            encoding="utf-8"
        )
        await town.json("notice", "withdraw", str(corrected["id"]), "--wait", "--json", *accepting())
        await until(lambda: shows(town, slides, "取り消"), "the display to say that it is over", MINUTE)


def accepting() -> list[str]:
    return [
        part
        for code in ("repeated", "unusual-number", "template-differs", "level-term", "level-differs")
        for part in ("--accept", code)
    ]


async def shows(town: Deployment, path: str, words: str) -> bool:
    return words in re.sub(r"<[^>]*>", "", (await fetch(town, path))[1])


async def everywhere(
    town: Deployment, copies: Path, slides: str, name: str, words: str, active: list[str], message: str
) -> float:
    """Seconds until page, copy, feeds, alerts and display have it."""
    begun = time.monotonic()
    for path in (f"/n/{name}", "/archive", *(f"/feeds/notices.{kind}" for kind in ("rss", "atom", "json"))):
        await until(partial(shows, town, path, words), f"{path} to show it", MINUTE)
    await until(lambda: shows(town, slides, words), "the display to show it", MINUTE)

    async def in_force() -> bool:
        found = feedparser.parse((await fetch(town, "/feeds/cap.atom"))[1].encode())
        return [entry.id.rpartition(".")[2] for entry in found.entries] == active

    await until(in_force, "the alerts in force", MINUTE)
    alert = etree.fromstring((await fetch(town, f"/cap/{name}.xml"))[1].encode())
    assert alert.findtext("cap:msgType", None, {"cap": NAMESPACE}) == message

    async def is_copied() -> bool:
        copy = copies / "n" / f"{name}.html"
        return copy.is_file() and words in copy.read_text(encoding="utf-8")

    await until(is_copied, "the copy on disk", MINUTE)
    took = time.monotonic() - begun
    # A reader that asks all the time is told that nothing has changed.
    async with town.session.get(f"{town.web_url}/feeds/notices.json") as answer:
        etag, listed = answer.headers["ETag"], json.loads(await answer.text())
    assert listed["items"][0]["url"].endswith(name)
    assert [(await fetch(town, "/feeds/notices.json", **{"If-None-Match": etag}))[0] for _ in range(5)] == [
        304
    ] * 5
    return took
