"""Whom a notice waits for hears of it over a real mail server, and its writer what became of it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from email import message_from_bytes
from email.policy import default

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer
from pydantic import SecretStr
from sqlalchemy import func, select

from bot.service import Service
from bot.settings import Settings
from bot.staff_notes import note_sender
from content.clock import DAY, HOUR, MINUTE
from content.register import trial_addresses
from content.staff import members
from content.staff.notes import NoteKind, staff_note
from content.town import Town
from sandbox.mail.server import SmtpSandbox
from scheduler import approval
from scheduler.note_sending import next_nag, send_notes
from scheduler.town_context import StaffNote
from tests.bot.console.test_approval import action, id_of, two_person_town, written
from tests.bot.web_visitor import Visitor
from tests.factories import line_id


@pytest.fixture
def town() -> Town:
    return two_person_town()


@dataclass
class Desk:
    """The town hall with a mail server; `read` empties the mailboxes: (recipient, subject, text)."""

    service: Service
    mail: SmtpSandbox

    async def read(self) -> list[tuple[str, str, str]]:
        while await send_notes(self.service.context):
            pass
        found = []
        for mail in self.mail.mailroom.mails:
            sent = message_from_bytes(mail.source, policy=default)
            body = sent.get_body()
            assert body is not None
            found.append((mail.recipient, str(sent["Subject"]), body.get_content()))
        self.mail.mailroom.clear()
        return found

    async def left(self) -> int:
        async with self.service.database.read() as connection:
            return await connection.scalar(select(func.count()).select_from(staff_note)) or 0


def with_mail(settings: Settings, port: int) -> Settings:
    changed = settings.model_copy(deep=True)
    changed.mail.smtp_url = SecretStr(f"smtp://127.0.0.1:{port}")
    return changed


@pytest_asyncio.fixture
async def desk(service: Service) -> AsyncIterator[Desk]:
    """tanaka and suzuki have confirmed a mailbox each."""
    mail = SmtpSandbox()
    settings = with_mail(service.settings, await mail.start())
    async with service.database.write() as connection:
        for login in ("tanaka", "suzuki"):
            member = await members.find(connection, login)
            assert member is not None
            await trial_addresses.add(
                connection,
                service.keys,
                staff_id=member.id,
                account="mail",
                channel="mail",
                plain=f"{login}@shibata.example.jp",
                at=1,
            )
    own = Service(settings, replace(service.context, send_note=note_sender(settings, service.town)))
    yield Desk(own, mail)
    await mail.stop()


async def test_whoever_may_approve_hears_of_it_and_the_writer_of_what_came_back(
    tanaka: Visitor, suzuki: Visitor, service: Service, desk: Desk
) -> None:
    confirm = await written(tanaka, service)
    await tanaka.submit(confirm, action(confirm, "submit"))
    ((to, subject, text),) = await desk.read()
    assert to == "suzuki@shibata.example.jp" and subject.startswith("承認のお願い:乳幼児健診のお知らせ")
    assert f"/console/notices/{id_of(confirm)}" in text and "4月10日に行います" not in text
    theirs = await suzuki.get(f"/console/notices/{id_of(confirm)}")
    await suzuki.submit(theirs, action(confirm, "return"), {"remark": "会場を書いてください"})
    ((to, subject, text),) = await desk.read()
    assert to == "tanaka@shibata.example.jp" and "差し戻されました" in subject
    assert "理由:会場を書いてください" in text
    assert await desk.left() == 0


async def test_who_was_faster_saves_the_others_a_note(
    tanaka: Visitor, suzuki: Visitor, service: Service, desk: Desk
) -> None:
    confirm = await written(tanaka, service)
    await tanaka.submit(confirm, action(confirm, "submit"))
    await suzuki.approve(await suzuki.get(f"/console/notices/{id_of(confirm)}"))
    assert [(to, subject.split(":")[0]) for to, subject, _ in await desk.read()] == [
        ("tanaka@shibata.example.jp", "承認されました")
    ]
    assert await desk.left() == 0


async def test_an_urgent_notice_of_one_person_asks_until_it_was_looked_at(
    tanaka: Visitor, suzuki: Visitor, service: Service, desk: Desk
) -> None:
    confirm = await written(tanaka, service, category="saigai", urgency="urgent")
    await tanaka.approve(confirm, "緊急配信")
    ((to, subject, _),) = await desk.read()
    assert to == "suzuki@shibata.example.jp" and subject.startswith("送った後の確認のお願い")
    assert await desk.left() == 1, "the next one waits for its time"
    assert await approval.review(service.context, id_of(confirm), staff="suzuki", remark="")
    async with service.database.write() as connection:
        await connection.execute(staff_note.update().values(due_at=0))
    assert await desk.read() == [] and await desk.left() == 0


def test_it_nags_before_the_hour_is_over_when_it_is_and_then_each_hour_for_a_day() -> None:
    until = 10 * HOUR
    assert next_nag(until, until - HOUR) == until - 15 * MINUTE
    assert next_nag(until, until - 15 * MINUTE) == until
    assert next_nag(until, until) == until + HOUR
    assert next_nag(until, until + DAY) is None


async def test_while_the_mail_server_is_away_a_note_waits_and_then_gives_up(
    tanaka: Visitor, service: Service, desk: Desk
) -> None:
    confirm = await written(tanaka, service)
    await tanaka.submit(confirm, action(confirm, "submit"))
    await desk.mail.stop()
    for left in (*[1] * 6, 0):
        await send_notes(desk.service.context)
        assert await desk.left() == left
        async with service.database.write() as connection:
            await connection.execute(staff_note.update().values(due_at=0))


async def test_without_a_confirmed_address_the_page_alone_asks(
    tanaka: Visitor, service: Service, desk: Desk
) -> None:
    async with service.database.write() as connection:
        suzuki = await members.find(connection, "suzuki")
        assert suzuki is not None
        await trial_addresses.remove_all_of(connection, suzuki.id)
    confirm = await written(tanaka, service)
    await tanaka.submit(confirm, action(confirm, "submit"))
    assert await desk.read() == [] and await desk.left() == 0


async def test_by_line_a_repeat_carries_the_same_key_and_counts_as_sent(service: Service) -> None:
    seen: list[str] = []

    async def push(request: web.Request) -> web.Response:
        seen.append(request.headers["X-Line-Retry-Key"])
        return web.json_response(
            {"sentMessages": []}, status=200 if len(seen) == 1 else 409, headers={"x-line-request-id": "1"}
        )

    app = web.Application()
    app.router.add_post("/v2/bot/message/push", push)
    async with TestServer(app) as server:
        settings = service.settings.model_copy(deep=True)
        settings.line.api_base = str(server.make_url("")).rstrip("/")
        send = note_sender(settings, service.town)
        assert send is not None
        note = StaffNote(
            id=7,
            kind=NoteKind.SUBMITTED,
            channel="line",
            address=line_id(1),
            notice_id=3,
            title="健診",
            by="tanaka",
            remark="",
            until=None,
            late=False,
        )
        await send(note)
        await send(note)
    assert len(seen) == 2 and len(set(seen)) == 1
