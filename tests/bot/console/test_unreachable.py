"""Addresses that get no mail any more, on screen, in the report and at the command line; and mail to them again."""

from __future__ import annotations

from bot.service import Service
from content.clock import now_ms
from content.register import bounces
from content.register.states import BounceKind
from content.register.suppressing import note_bounce
from content.staff import audit
from tests.bot.web_visitor import Visitor
from tests.factories import NEWCOMER, make_subscriber

PATH = "/console/unreachable"


async def suppress(service: Service) -> int:
    async with service.database.write() as connection:
        one = await make_subscriber(connection, service.keys, NEWCOMER)
        await note_bounce(connection, one.id, 1, BounceKind.COMPLAINT, status="", at=now_ms())
    return one.id


async def test_staff_see_who_gets_no_mail_and_send_again(tanaka: Visitor, service: Service) -> None:
    assert "届かない方はいません" in (await tanaka.get(PATH)).text
    number = await suppress(service)
    page = listed = await tanaka.get(PATH)
    assert "迷惑メールとして報告" in page.text and NEWCOMER.address not in page.html
    assert (
        "1件には、メールが続けて戻ってきたため送っていません" in (await tanaka.get("/console/reports")).text
    )
    page = await tanaka.submit(page, PATH, {"subscriber": str(number)})
    assert "送信を再開しました" in page.text and "届かない方はいません" in page.text
    page = await tanaka.submit(listed, PATH, {"subscriber": str(number)})
    assert "もう送信が再開されています" in page.text
    async with service.database.read() as connection:
        assert await bounces.suppressed_since(connection, number) is None
        acts = await audit.entries(connection, f"subscriber {number}")
    assert [(act.actor, act.action) for act in acts] == [("tanaka", "subscriber.suppression_lifted")]


async def test_who_may_only_look_finds_no_button(kikaku: Visitor, service: Service) -> None:
    await suppress(service)
    page = await kikaku.get(PATH)
    assert "迷惑メールとして報告" in page.text and "再開する" not in page.html
