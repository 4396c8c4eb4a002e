"""What staff read: no setting's name, no bare language tag, no English sentence, on no page and in no error."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from dataclasses import replace

from aiohttp.test_utils import TestClient, TestServer

from bot.app import create_app
from bot.service import Service
from content.clock import now_ms
from content.ledger import account_outages
from content.notices import triggers
from tests.bot.console.test_progress import sent_notice
from tests.bot.web_visitor import Page, Visitor
from tests.factories import make_notice

TEXTS = {"ja": ("断水のお知らせ", "あす断水します。"), "en": ("外", "外"), "ja-easy": ("水", "水")}
FOREIGN = re.compile(r'<(\w+)[^>]*\blang="en"[^>]*>.*?</\1>', re.DOTALL)
FAULTS = {
    "a setting's name": re.compile(r"KAIRANBAN_|also_carries|birth_month|children_aged"),
    "a bare language tag": re.compile(r"[((「](?:ja|ja-easy|en)[))」]|(?<![\w-])ja-easy(?![\w-])"),
    "an English sentence": re.compile(r"\b[A-Za-z']{2,}(?: [A-Za-z']{2,}){3,}"),
    "a word of the code": re.compile(r"\b(?:None|Traceback|undefined|subscribed|routine)\b"),
}


def faults(page: Page) -> list[str]:
    read = replace(page, html=FOREIGN.sub(" ", page.html)).text
    return [
        f"{page.path} ({page.status}): {what}: {found[0]}"
        for what, pattern in FAULTS.items()
        if (found := pattern.search(read))
    ]


async def pages(visitor: Visitor, service: Service, notices: dict[str, int]) -> AsyncIterator[Page]:
    """Every page without parameters that this member may open, those of the notices, and some mistakes."""
    app = create_app(service)
    for resource in app.router.resources():
        path = resource.canonical
        if path.startswith("/console") and "{" not in path:
            page = await visitor.get(path)
            if page.status == 200:
                yield page
    for number in notices.values():
        for below in ("", "/edit", "/confirm", "/progress", "/drill", "/stop"):
            yield await visitor.get(f"/console/notices/{number}{below}")
    yield await visitor.get("/console/notices?from=x&words=zzz")
    yield await visitor.get("/console/nowhere")
    yield await visitor.get("/console/settings")
    yield await visitor.write(title__ja="", body__ja="", title__en="x", mode="test", target="segment")
    yield await visitor.write(title__en="x", category="nothing", channels=[], urgency="", when="at", at="x")
    yield await visitor.write(title__en="x", mode="test")
    yield await visitor.write(target="group", group="nobody")
    yield await visitor.write(target="segment", segment="nobody")


async def test_no_page_shows_staff_a_setting_a_tag_or_english(tanaka: Visitor, service: Service) -> None:
    found = []
    async for page in pages(tanaka, service, await _seed(service)):
        found += faults(page)
    assert not found


async def test_a_channel_that_is_not_set_up_is_told_without_the_names_of_settings(service: Service) -> None:
    bare = service.settings.model_copy(
        update={"mail": service.settings.mail.model_copy(update={"sender": ""})}
    )
    unset = replace(service, settings=bare)
    async with TestClient(TestServer(create_app(unset))) as client:
        visitor = Visitor(client)
        await visitor.enter(unset, "tanaka")
        found = []
        for path in ("/console/", "/console/accounts", "/console/notices/new"):
            page = await visitor.get(path)
            found += faults(page)
        assert "設定されていません" in page.text
        written = await visitor.write(channels=["mail"])
        found += faults(written)
    assert written.status == 422 and not found


async def _seed(service: Service) -> dict[str, int]:
    async with service.database.write() as connection:
        drafts = await make_notice(
            connection, approved=False, texts=TEXTS, category="saigai", urgency="urgent"
        )
        held = await make_notice(connection, texts=TEXTS, mode="drill")
        await triggers.hold(connection, held, "配信予定から時間がたちすぎています。")
        await connection.run_sync(account_outages.begin, "line", reason="credentials", now=now_ms())
    return {"draft": drafts, "held": held, "sent": await sent_notice(service, accepted=7, refused=3)}
