"""An empty mail to the town's address: who is answered, who is not, and what a mail server is told."""

from __future__ import annotations

import asyncio
import smtplib
from collections.abc import AsyncIterator
from dataclasses import replace

import pytest
import pytest_asyncio
from sqlalchemy import select

from bot.letters import letter_sender
from bot.mail_in import server
from bot.mail_in.letters import who_asks
from bot.mail_in.server import taking_mail
from bot.service import Service
from bot.settings import MailSettings
from content.register.mail_requests import mail_request
from content.register.states import Route

JOIN = "touroku@town.example.jp"
OWN = (JOIN, "oshirase@town.example.jp")
EMPTY = b"Subject: \r\n\r\n"


@pytest.mark.parametrize(
    ("sender", "content"),
    [
        ("", EMPTY),
        ("hanako", EMPTY),
        ("MAILER-DAEMON@example.jp", EMPTY),
        ("owner-list@example.jp", EMPTY),
        ("list-request@example.jp", EMPTY),
        ("Oshirase@town.example.jp", EMPTY),
        (JOIN, EMPTY),
        ("hanako@example.jp", b"Auto-Submitted: auto-replied (vacation)\r\n\r\n"),
        ("hanako@example.jp", b"Precedence: bulk\r\n\r\n"),
        ("hanako@example.jp", b"List-Id: <club.example.jp>\r\n\r\n"),
        ("hanako@example.jp", b'Content-Type: multipart/report; boundary="x"\r\n\r\n'),
    ],
)
def test_no_machine_is_answered(sender: str, content: bytes) -> None:
    assert who_asks(sender, content, OWN) is None


@pytest.mark.parametrize(
    "content", [EMPTY, b"", b"\xff\xfe\x00", b"Auto-Submitted: no\r\n\r\n", b"x" * 100_000]
)
def test_a_person_is_answered_whatever_the_mail_holds(content: bytes) -> None:
    assert who_asks("Hanako@Example.JP", content, OWN) == "Hanako@example.jp"


@pytest_asyncio.fixture
async def port(service: Service) -> AsyncIterator[int]:
    settings = service.settings.model_copy(deep=True)
    settings.mail.join_address, settings.mail.intake_listen = JOIN, "127.0.0.1:0"
    context = replace(service.context, send_letter=letter_sender(settings, service.town))
    async with taking_mail(Service(settings, context)) as number:
        yield number


async def asked(service: Service) -> list[str]:
    async with service.database.read() as connection:
        return list(await connection.scalars(select(mail_request.c.route)))


def bring(port: int, sender: str, *recipients: str, content: bytes = EMPTY) -> tuple[int, bytes]:
    """The last answer of the server to a mail server."""
    with smtplib.LMTP("127.0.0.1", port, timeout=30) as client:
        client.ehlo()
        client.mail(sender)
        for recipient in recipients:
            answer = client.rcpt(recipient)
        return client.data(content) if answer[0] == 250 else answer


async def test_an_empty_mail_becomes_a_request(service: Service, port: int) -> None:
    assert (await asyncio.to_thread(bring, port, "hanako@example.jp", JOIN.upper()))[0] == 250
    assert await asked(service) == [Route.MAIL]


async def test_a_bounce_is_taken_and_not_answered(service: Service, port: int) -> None:
    assert (await asyncio.to_thread(bring, port, "", JOIN))[0] == 250
    assert await asked(service) == []


async def test_other_mailboxes_and_crowds_of_them_are_refused(service: Service, port: int) -> None:
    assert (await asyncio.to_thread(bring, port, "hanako@example.jp", "root@town.example.jp"))[0] == 550
    assert (await asyncio.to_thread(bring, port, "hanako@example.jp", JOIN, JOIN))[0] == 452


async def test_a_flood_from_one_domain_and_a_full_queue_are_to_come_again(
    service: Service, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server, "ASKS_OF_DOMAIN", 1)
    answers = [(await asyncio.to_thread(bring, port, f"{name}@example.jp", JOIN))[0] for name in ("a", "b")]
    assert answers == [250, 450]
    monkeypatch.setattr("content.register.mail_requests.MOST_WAITING", 1)
    assert (await asyncio.to_thread(bring, port, "c@example.com", JOIN))[0] == 451
    assert len(await asked(service)) == 1


async def test_what_is_too_large_is_refused(service: Service, port: int) -> None:
    large = EMPTY + b"0123456789abcdef\r\n" * (server.LARGEST // 16)
    assert (await asyncio.to_thread(bring, port, "hanako@example.jp", JOIN, content=large))[0] == 552
    assert await asked(service) == []


def test_an_intake_without_an_address_is_refused() -> None:
    with pytest.raises(ValueError, match="join_address"):
        MailSettings(intake_listen="127.0.0.1:2424")
