"""One resident by mail, from the empty mail to the one-click stop, over a real SMTP and a real LMTP server."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from functools import partial
from urllib.parse import urlsplit
from uuid import uuid4

import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from sqlalchemy import update

from bot.app import create_app
from bot.mail_in.server import taking_mail
from bot.service import Service, open_town_context
from content.clock import DAY, now_ms
from content.ledger.tallies import refusal_reasons
from content.notices import notice_changes
from content.register import bounces
from sandbox.mail.server import SmtpSandbox
from scheduler.letters import send_letters
from scheduler.sender import Sender
from scheduler.triggers import fire_due
from tests.bot.mail_in.returned_mails import report
from tests.bot.mail_in.test_joining import bring
from tests.bot.web_visitor import Visitor
from tests.factories import spec
from tests.scheduler.scripted import Stage, deliveries_of, eventually, plan_all, settled

JOIN, BOUNCES, HANAKO = "touroku@town.example.jp", "bounce.town.example.jp", "hanako@example.jp"


@dataclass
class Hall:
    """The service between two mail servers: one that it sends to, and one that hands over to it."""

    service: Service
    mail: SmtpSandbox
    lmtp_port: int
    visitor: Visitor
    sender: Sender

    async def bring(self, envelope_sender: str, to: str, content: bytes = b"Subject: \r\n\r\n") -> None:
        answer = await asyncio.to_thread(bring, self.lmtp_port, envelope_sender, to, content=content)
        assert answer[0] == 250

    def newest(self) -> EmailMessage:
        found = message_from_bytes(self.mail.mailroom.mails[-1].source, policy=default)
        assert isinstance(found, EmailMessage)
        return found

    async def post(self, title: str) -> int:
        """A notice to everybody, sent and settled; its number."""
        async with self.service.database.write() as connection:
            notice_id, _ = await notice_changes.create(
                connection,
                spec(category="saigai", texts={"ja": (title, "本文です。")}, channels=("mail",)),
                submission_key=uuid4().hex,
                staff="tanaka",
                at=now_ms(),
            )
            await notice_changes.approve(connection, notice_id, staff="tanaka", at=now_ms())
        await fire_due(self.service.context)
        await plan_all(Stage(self.service.context, {}))
        for row in (await deliveries_of(self.service.database, notice_id)).values():
            self.service.database.wakeups.wake("batches")
            await eventually(partial(settled, self.service.database, row.id))
        return notice_id

    async def a_day_later(self) -> None:
        async with self.service.database.write() as connection:
            await connection.execute(update(bounces.bounce).values(at=bounces.bounce.c.at - DAY))

    async def reasons(self, notice_id: int) -> list[tuple[str, str, int]]:
        async with self.service.database.read() as connection:
            return await refusal_reasons(connection, notice_id)


@pytest_asyncio.fixture
async def hall(service: Service) -> AsyncIterator[Hall]:
    mail = SmtpSandbox()
    settings = service.settings.model_copy(deep=True)
    settings.mail.smtp_url = SecretStr(f"smtp://127.0.0.1:{await mail.start()}")
    settings.mail.join_address, settings.mail.bounce_domain = JOIN, BOUNCES
    settings.mail.intake_listen = "127.0.0.1:0"
    own = Service(settings, open_town_context(settings, service.town, service.database, service.keys))
    sender = Sender(own.context, "tester")
    running = asyncio.create_task(sender.run())
    async with taking_mail(own) as port, TestClient(TestServer(create_app(own))) as client:
        yield Hall(own, mail, port, Visitor(client), sender)
    await sender.stop(2.0)
    await asyncio.wait_for(running, 30)
    await mail.stop()


async def test_from_an_empty_mail_to_the_one_click_stop(hall: Hall) -> None:
    # She writes an empty mail, and follows the link of the letter.
    await hall.bring(HANAKO, JOIN)
    while await send_letters(hall.service.context):
        pass
    link = re.search(r"https?://\S+", hall.newest().get_content())
    assert link
    page = await hall.visitor.get(urlsplit(link[0]).path)
    page = await hall.visitor.submit(page, page.path, {})
    assert "登録しました" in page.text

    # Three notices on three days come back.
    for number in range(3):
        await hall.post(f"お知らせ{number}")
        arrived = hall.mail.mailroom.mails[-1]
        assert arrived.recipient == HANAKO and arrived.sender.endswith(f"@{BOUNCES}")
        await hall.bring("", arrived.sender, report(recipient=HANAKO))
        await hall.a_day_later()
    assert len({mail.sender for mail in hall.mail.mailroom.mails if mail.sender.endswith(BOUNCES)}) == 3

    # The next one is not sent to her, and says so.
    before = len(hall.mail.mailroom.mails)
    assert await hall.reasons(await hall.post("届かない")) == [("mail", "suppressed", 1)]
    assert len(hall.mail.mailroom.mails) == before

    # Staff let it go on.
    await hall.visitor.enter(hall.service, "tanaka")
    page = await hall.visitor.get("/console/unreachable")
    found = re.search(r'name="subscriber" value="(\d+)"', page.html)
    assert found
    page = await hall.visitor.submit(page, "/console/unreachable", {"subscriber": found[1]})
    assert "送信を再開しました" in page.text
    assert await hall.reasons(await hall.post("また届く")) == []
    newest = hall.newest()
    assert "また届く" in str(newest["Subject"])
    assert [part.get_content_type() for part in newest.iter_parts()] == ["text/plain", "text/html"]

    # Her mail program stops it with one POST (RFC 8058).
    stop = urlsplit(str(newest["List-Unsubscribe"]).strip("<>")).path
    answer = await hall.visitor.client.post(stop, data={"List-Unsubscribe": "One-Click"})
    assert answer.status == 200
    before = len(hall.mail.mailroom.mails)
    await hall.post("もう届かない")
    assert len(hall.mail.mailroom.mails) == before
