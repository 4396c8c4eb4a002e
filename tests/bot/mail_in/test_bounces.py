"""What mails to a bounce address say, and what of it the register learns at the LMTP door."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from email import message_from_bytes

import pytest
import pytest_asyncio
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from bot.mail_in.bounces import Failed, read_bounce, read_mail
from bot.mail_in.complaints import read_complaint
from bot.mail_in.returned import read_returned
from bot.mail_in.server import taking_mail
from bot.service import Service
from content.register import bounces
from content.register.bounce_addresses import bounce_local_part
from content.register.states import BounceKind
from content.register.subscribers import Subscriber
from content.register.tokens import subscriber_token
from tests.bot.mail_in.returned_mails import complaint, plain, report
from tests.bot.mail_in.test_joining import bring
from tests.factories import NEWCOMER, make_subscriber

DOMAIN = "bounce.town.example.jp"
HARD, UNCLEAR, SOFT = BounceKind.HARD, BounceKind.UNCLEAR, BounceKind.SOFT
QMAIL = (
    "Hi. This is the qmail-send program at mail.example.ne.jp.\n"
    "I'm afraid I wasn't able to deliver your message to the following addresses.\n"
    "This is a permanent error; I've given up. Sorry it didn't work out.\n\n"
    "<hanako@example.ne.jp>:\n{why}\n\n"
    "--- Below this line is a copy of the message.\n\nSubject: user unknown\n"
)


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (report(), HARD),
        (report("5.0.0", "smtp; 550 Unknown user"), HARD),
        (report("5.4.4", "X-Postfix; Host or domain name not found"), HARD),
        # A carrier says so of a reader's filter too.
        (report(recipient="hanako@docomo.ne.jp"), UNCLEAR),
        (report("5.0.0", "smtp; 550 Unknown user hanako@docomo.ne.jp", recipient="a@docomo.ne.jp"), UNCLEAR),
        (report(recipient="hanako@t.vodafone.ne.jp"), UNCLEAR),
        (report("5.0.0", "smtp; 554 delivery error"), UNCLEAR),
        (report("5.2.2", "smtp; 552 5.2.2 mailbox full"), SOFT),
        (report("4.4.1", "X-Postfix; connect to mx.example.com: Connection timed out"), SOFT),
        # About us or about the words, not about her.
        (report("5.7.1", "smtp; 554 5.7.1 rejected as spam"), None),
        (report("5.0.0", "smtp; 550 blocked by our reputation list"), None),
        (report("5.6.0", "smtp; 550 5.6.0 bad content"), None),
        (report("5.1.8", "smtp; 553 5.1.8 sender domain not found"), None),
        (report("4.4.7", action="delayed"), None),
        (report("2.0.0", action="delivered"), None),
        (plain("次の宛先にメールを届けられませんでした。\n<a@docomo.ne.jp>: 550 Unknown user"), UNCLEAR),
        (
            plain("<a@ezweb.ne.jp>: User unknown", sender="Postmaster@ezweb.ne.jp", charset="iso-2022-jp"),
            UNCLEAR,
        ),
        (plain("宛先のアドレスが見つかりません。\na@softbank.ne.jp", charset="iso-2022-jp"), UNCLEAR),
        (plain("あて先が存在しません: a@example.ne.jp", charset="shift_jis"), HARD),
        (plain("受信トレイの容量を超えています: a@softbank.ne.jp", charset="iso-2022-jp"), SOFT),
        (plain("メールボックスがいっぱいです: a@example.ne.jp"), SOFT),
        (plain(QMAIL.format(why="Sorry, no mailbox here by that name. (#5.1.1)")), UNCLEAR),
        (plain("迷惑メールと判定したため、受け取りませんでした。"), None),
        (plain("a@example.ne.jp へのメールが遅れています。引き続き、再送を試みます。user unknown"), None),
        # No report: somebody, or her machine, has answered.
        (plain("user unknown", sender="hanako@example.jp"), None),
        (plain("夏休みです。user unknown", sender="postmaster@example.jp", subject="自動返信: 不在"), None),
        (plain("こんにちは", sender="postmaster@example.jp"), None),
        (b"", None),
    ],
)
def test_what_a_returned_mail_says_of_its_address(content: bytes, kind: BounceKind | None) -> None:
    found = read_bounce(read_mail(content))
    assert (found and found.kind) == kind


def test_the_status_is_kept_for_staff() -> None:
    assert read_bounce(read_mail(report())) == Failed(HARD, "5.1.1")


@settings(max_examples=60)
@given(
    st.one_of(
        st.binary(max_size=2_000),
        st.builds(
            lambda at, junk: report()[:at] + junk + report()[at:], st.integers(0, 700), st.binary(max_size=60)
        ),
    )
)
def test_whatever_comes_it_is_read_without_an_error(content: bytes) -> None:
    mail = read_mail(content)
    assert read_bounce(mail) is None or read_bounce(mail).kind in BounceKind
    assert read_complaint(mail) is None


def _nested(levels: int) -> bytes:
    """Parts in parts in parts."""
    opened = (
        f'Content-Type: multipart/mixed; boundary="{level}"\r\n\r\n--{level}\r\n' for level in range(levels)
    )
    return "".join(opened).encode()


@pytest.mark.parametrize(
    "content",
    [
        plain("a" * 60_000),
        plain("-" * 60_000),
        plain("宛先" * 20_000),
        plain("a@" * 30_000),
        plain("<" * 60_000),
        _nested(1_200),
    ],
    ids=["one word", "hyphens", "half a phrase", "signs", "brackets", "nested"],
)
def test_what_is_built_to_be_slow_is_read_in_a_moment(content: bytes) -> None:
    began = time.process_time()
    assert read_returned(content) == (None, None)
    assert time.process_time() - began < 2


@pytest_asyncio.fixture
async def door(service: Service) -> AsyncIterator[int]:
    own = service.settings.model_copy(deep=True)
    own.mail.bounce_domain, own.mail.intake_listen = DOMAIN, "127.0.0.1:0"
    async with taking_mail(Service(own, service.context)) as port:
        yield port


@pytest_asyncio.fixture
async def newcomer(service: Service) -> Subscriber:
    async with service.database.write() as connection:
        return await make_subscriber(connection, service.keys, NEWCOMER)


async def noted(service: Service) -> list[tuple[int, str]]:
    async with service.database.read() as connection:
        columns = select(bounces.bounce.c.version_id, bounces.bounce.c.kind)
        return [tuple(row) for row in await connection.execute(columns)]


async def test_a_bounce_is_noted_once_for_its_registration(
    service: Service, door: int, newcomer: Subscriber
) -> None:
    local = bounce_local_part(service.keys, newcomer.id, 7, newcomer.salt)
    for spelling in (local, local.upper()):
        answer = await asyncio.to_thread(bring, door, "", f"{spelling}@{DOMAIN}", content=report())
        assert answer[0] == 250
    assert await noted(service) == [(7, HARD)]


async def test_forged_addresses_replies_and_senders_change_nothing(
    service: Service, door: int, newcomer: Subscriber
) -> None:
    local = bounce_local_part(service.keys, newcomer.id, 7, newcomer.salt)
    forged = bounce_local_part(service.keys, newcomer.id, 7, newcomer.salt + 1)
    vacation = plain("いま不在です", sender="hanako@example.jp", subject="自動返信")
    for sender, to, content in (
        ("", forged, report()),
        ("", local, vacation),
        ("hanako@example.jp", local, report()),
        ("", "complaints", report()),
        ("", "complaints", complaint(f"{forged}@{DOMAIN}")),
        ("", "complaints", complaint(f"{local}@{DOMAIN}", kind="not-spam")),
    ):
        answer = await asyncio.to_thread(bring, door, sender, f"{to}@{DOMAIN}", content=content)
        assert answer[0] == 250
    assert await noted(service) == []


async def test_other_mailboxes_of_the_domain_are_refused(door: int) -> None:
    for to in (f"root@{DOMAIN}", f"b-1-2-3@{DOMAIN}", "complaints@town.example.jp"):
        assert (await asyncio.to_thread(bring, door, "", to, content=report()))[0] == 550


@pytest.mark.parametrize("by", ["sender", "link", "own address"])
async def test_a_complaint_stops_mails_at_once(
    service: Service, door: int, newcomer: Subscriber, by: str
) -> None:
    local = bounce_local_part(service.keys, newcomer.id, 7, newcomer.salt)
    token = subscriber_token(service.keys, "unsubscribe", newcomer.id, newcomer.salt)
    content = {
        "sender": complaint(f"{local}@{DOMAIN}"),
        "link": complaint("", f"https://town.example.jp/unsubscribe/{token}"),
        "own address": complaint("somebody@example.com", "https://town.example.jp/unsubscribe/1.x"),
    }[by]
    to = "complaints"
    if by == "own address":
        assert read_complaint(message_from_bytes(content)) is None
        content, to = complaint(f"{local}@{DOMAIN}"), local
    await asyncio.to_thread(bring, door, "fbl@example.com", f"{to}@{DOMAIN}", content=content)
    async with service.database.read() as connection:
        assert await bounces.suppressed_since(connection, newcomer.id) is not None
