"""Mail: what leaves, and which reader a reply of a mail server is about."""

import asyncio
import re
from collections import deque
from email import message_from_bytes, policy

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.channel import (
    BatchRefused,
    CannotRender,
    Deferred,
    Part,
    Recipient,
)
from channels.mail.messages import build_template, fill, quote_address
from channels.reasons import Reason
from channels.rendering import heading
from sandbox.mail.faults import SmtpFaults
from sandbox.mail.server import SmtpSandbox
from tests.channels.announcements import (
    LANGUAGES,
    deferred,
    mail_readers,
    notice,
    refusals,
    send,
    total,
    with_japanese,
)
from tests.channels.channel_settings import make_mail
from tests.channels.scripted_smtp import ScriptedSmtp

SENDER, LIST_ID = "しばた市 <notice@shibata.example.jp>", "notice.shibata.example.jp"


def parsed(mail):
    return message_from_bytes(mail.source, policy=policy.default)


async def test_each_reader_gets_an_own_envelope_and_an_own_address_line(mail, mail_server):
    readers = mail_readers(60)
    parts, error = await send(mail, readers)
    assert error is None
    assert parts == [Part(25), Part(25), Part(10)]
    for reader, arrived in zip(readers, mail_server.mailroom.mails, strict=True):
        assert arrived.recipient == parsed(arrived)["To"] == reader.address
        assert parsed(arrived)["Bcc"] is None and parsed(arrived)["Cc"] is None
    assert mail_server.connections == 1


async def test_a_mail_says_what_list_it_is_from_and_how_to_leave_it(mail, mail_server):
    await send(mail, mail_readers(1))
    message = parsed(mail_server.mailroom.mails[0])
    link = "https://notice.shibata.example.jp/unsubscribe/token-1"
    assert message["List-Unsubscribe"] == f"<{link}>"
    assert message["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert message["List-Id"] == "<notice.shibata.example.jp>"
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime.utcoffset() is not None
    assert message["From"] == SENDER
    assert message.get_body(("plain",)).get_content().rstrip().endswith(link)
    assert "危機管理課 0254-00-0000" in message.get_body(("plain",)).get_content()


async def test_the_message_id_is_the_same_when_the_mail_has_to_be_repeated(mail, mail_server):
    await send(mail, mail_readers(2))
    await send(mail, mail_readers(2))
    identifiers = [arrived.message_id for arrived in mail_server.mailroom.mails]
    assert (
        identifiers[:2]
        == identifiers[2:]
        == [f"<kairanban.21.{n}.{21:016x}@shibata.example.jp>" for n in (1, 2)]
    )
    assert mail_server.mailroom.stats()["duplicates"] == 2


@given(title=st.text(alphabet=st.characters(codec="utf-8"), min_size=1, max_size=300))
@settings(max_examples=100, deadline=None)
def test_any_title_comes_back_as_the_same_subject(title):
    announcement = with_japanese(title=title + "。", mode="drill")
    message = rendered(announcement)
    assert message["Subject"] == heading(announcement, "ja")
    assert not message.defects


@given(title=st.text(alphabet="abc XYZ=?_日本🌊\u3000", min_size=1, max_size=120))
@settings(max_examples=100, deadline=None)
def test_mixed_titles_come_back_as_the_same_subject(title):
    announcement = with_japanese(title=title + "1", urgency="routine")
    assert rendered(announcement)["Subject"] == heading(announcement, "ja")


@given(body=st.text(alphabet=st.characters(codec="utf-8"), max_size=400), number=st.integers(1, 10**9))
@settings(max_examples=60, deadline=None)
def test_any_text_comes_back_whole_and_no_line_is_longer_than_smtp_allows(body, number):
    announcement = with_japanese(body="始" + body + "終")
    source = source_of(announcement, number)
    assert all(len(line) <= 78 for line in source.split(b"\r\n"))
    assert b"\n" not in source.replace(b"\r\n", b"")
    assert source.endswith(b"\r\n")
    assert not any(line.startswith(b".") for line in source.split(b"\r\n")), "SMTP would take it for the end"
    text = message_from_bytes(source, policy=policy.default).get_body(("plain",)).get_content()
    assert f"unsubscribe/{number}" in text
    assert "始" in text and "終" in text


def source_of(announcement, number=1):
    template = build_template(announcement, "ja", SENDER, LIST_ID)
    link = f"https://x.example.jp/unsubscribe/{number}"
    return fill(template, to="a@example.jp", message_id=f"<{number}@x.example.jp>", unsubscribe_url=link)


def rendered(announcement):
    return message_from_bytes(source_of(announcement), policy=policy.default)


@pytest.mark.parametrize(
    ("address", "on_the_wire"),
    [
        ("sato@example.jp", "sato@example.jp"),
        ("a..b@docomo.ne.jp", '"a..b"@docomo.ne.jp'),
        ("a.@ezweb.ne.jp", '"a."@ezweb.ne.jp'),
        (".a@docomo.ne.jp", '".a"@docomo.ne.jp'),
        ('"a..b"@docomo.ne.jp', '"a..b"@docomo.ne.jp'),
        ('a"b@docomo.ne.jp', '"a\\"b"@docomo.ne.jp'),
        ("sato@日本語.jp", "sato@xn--wgv71a119e.jp"),
        ("佐藤@example.jp", "佐藤@example.jp"),
        ("佐藤 花子@example.jp", None),
        ("佐\u202e藤@example.jp", None),
        ("no-at-sign", None),
        ("@example.jp", None),
        ("a@b>\r\nDATA", None),
        ("a\r\nBcc: x@example.jp", None),
        ("", None),
    ],
)
def test_old_mobile_addresses_are_quoted_and_what_is_no_address_is_not_sent(address, on_the_wire):
    assert quote_address(address) == on_the_wire


async def test_an_old_mobile_address_arrives_and_a_broken_one_is_refused(mail, mail_server):
    readers = [Recipient(1, "a..b@docomo.ne.jp"), Recipient(2, "broken"), Recipient(3, "c.@ezweb.ne.jp")]
    parts, error = await send(mail, readers)
    assert error is None and total(parts) == 3
    assert refusals(parts) == {2: ("invalid_address", "")}
    assert [
        found[1] for m in mail_server.mailroom.mails if (found := re.search(rb"^To: (.*)\r$", m.source, re.M))
    ] == [
        b'"a..b"@docomo.ne.jp',
        b'"c."@ezweb.ne.jp',
    ]


@pytest.mark.parametrize("pipelining", [True, False])
async def test_an_address_in_another_script_arrives_where_the_server_takes_it(pipelining):
    server = SmtpSandbox(pipelining=pipelining)
    session = make_mail(await server.start())
    readers = [Recipient(1, "a@example.jp"), Recipient(2, "花子@例え.jp"), Recipient(3, "c@example.jp")]
    parts, error = await send(session, readers)
    assert (error, refusals(parts), total(parts)) == (None, {}, 3)
    found = [mail for mail in server.mailroom.mails if "花子@xn--r8jz45g.jp".encode() in mail.source]
    assert len(found) == 1
    await session.close()
    await server.stop()


async def test_where_it_takes_none_that_reader_alone_is_refused_with_a_remedy():
    async with ScriptedSmtp({}) as server:
        session = make_mail(server.port)
        readers = [Recipient(1, "花子@example.jp"), *mail_readers(3), Recipient(9, "花男@example.jp")]
        parts, error = await send(session, readers)
        assert (error, total(parts)) == (None, 5)
        assert refusals(parts) == dict.fromkeys((1, 9), ("address_needs_utf8", ""))
        assert sum(server.taken.values()) == 3
        await session.close()


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize(
    ("reply", "reason", "detail"),
    [
        ("550 5.1.1 <reader3@mail.example.jp> unknown", "mailbox_unknown", "5.1.1"),
        ("550 no such user reader3@mail.example.jp", "mailbox_unknown", "550"),
        ("552 5.2.2 mailbox full", "refused", "5.2.2"),
        ("554 5.7.1 relay denied", "refused", "5.7.1"),
    ],
)
async def test_a_refused_reader_stops_nobody_else(pipelining, reply, reason, detail):
    server = SmtpSandbox(pipelining=pipelining)
    session = make_mail(await server.start())
    server.faults = SmtpFaults(refuse={"reader3@*": reply})
    parts, error = await send(session, mail_readers(12))
    assert error is None
    assert total(parts) == 12
    assert refusals(parts) == {3: (reason, detail)}
    assert server.mailroom.stats()["messages"] == 11
    await session.close()
    await server.stop()


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("urgency", ["urgent", "routine"])
async def test_a_reader_who_is_deferred_holds_nobody_up(pipelining, urgency):
    server = SmtpSandbox(pipelining=pipelining)
    session = make_mail(await server.start())
    server.faults = SmtpFaults(refuse={"reader[147]@*": "450 4.2.0 greylisted reader3@mail.example.jp"})
    parts, error = await send(session, mail_readers(8), urgency=urgency)
    assert (error, refusals(parts), total(parts)) == (None, {}, 8)
    wait = 20 if urgency == "urgent" else 60
    later = [item for part in parts for item in part.deferred]
    assert later == [Deferred(n, Reason.TEMPORARILY_REFUSED, "4.2.0", wait) for n in (1, 4, 7)]
    assert server.mailroom.stats()["messages"] == 5
    assert server.connections == 1
    await session.close()
    await server.stop()


@pytest.mark.parametrize(
    "reply", ["452 4.2.2 mailbox full", "450 4.1.1 cannot verify", "451 4.7.1 greylisting in action"]
)
async def test_one_mailbox_may_be_deferred_only_after_the_content(mail, mail_server, reply):
    mail_server.faults = SmtpFaults(refuse_content={"reader2@*": reply})
    parts, error = await send(mail, mail_readers(4))
    assert (error, refusals(parts), total(parts)) == (None, {}, 4)
    assert deferred(parts) == {2: "temporarily_refused"}
    assert mail_server.mailroom.stats()["messages"] == 3


async def test_a_mail_beyond_the_size_that_the_server_announces_is_refused_before_it_is_sent():
    server = SmtpSandbox(size=1_000)
    session = make_mail(await server.start())
    parts, error = await send(session, mail_readers(3))
    assert (parts, type(error)) == ([], BatchRefused)
    assert error.reason == "mail_too_large"
    assert "1000" in str(error)
    assert server.mailroom.stats()["messages"] == 0
    await session.close()
    await server.stop()


@pytest.mark.parametrize("reply", ["550 5.7.1 not now", "451 4.7.1 later"])
async def test_one_no_to_the_sender_defers_one_mail_and_refuses_nobody(reply):
    async with ScriptedSmtp({}, mail=deque(["250 fine"] * 7 + [reply])) as server:
        session = make_mail(server.port)
        parts, raised = await send(session, mail_readers(500))
        await session.close()
    assert raised is None
    assert list(deferred(parts)) == [8]
    assert not refusals(parts)
    assert len(server.taken) == 499


@pytest.mark.parametrize("every", [3, 10, 50])
async def test_a_later_to_some_contents_defers_those_and_lets_the_others_pass(every):
    script = {number: {"content": "451 4.7.1 try again later"} for number in range(every, 301, every)}
    async with ScriptedSmtp(script) as server:
        session = make_mail(server.port)
        parts, raised = await send(session, mail_readers(300))
        await session.close()
    assert raised is None
    assert deferred(parts) == dict.fromkeys(script, "server_busy")
    assert set(server.taken) == set(range(1, 301)) - script.keys()


async def test_a_mailbox_refused_only_after_the_content_is_that_readers_matter(mail, mail_server):
    mail_server.faults = SmtpFaults(content="550 5.1.1 no mailbox")
    parts, error = await send(mail, mail_readers(2))
    assert error is None
    assert refusals(parts) == {1: ("mailbox_unknown", "5.1.1"), 2: ("mailbox_unknown", "5.1.1")}


async def test_two_batches_use_two_connections_at_once_and_keep_them(mail, mail_server):
    mail_server.faults = SmtpFaults(latency_ms=1)
    readers = mail_readers(40)
    for _ in range(2):
        results = await asyncio.gather(
            send(mail, readers[:20]), send(mail, readers[20:]), send(mail, readers[:5])
        )
        assert [total(parts) for parts, _ in results] == [20, 20, 5]
    assert mail_server.connections == 2


async def test_the_right_password_gets_in():
    server = SmtpSandbox(login=("town", "p@ss/word"))
    session = make_mail(await server.start(), login="town:p%40ss%2Fword@")
    parts, error = await send(session, mail_readers(1))
    assert (parts, error) == ([Part(1)], None)
    await session.close()
    await server.stop()


@pytest.mark.parametrize("url", ["http://mail.example.jp", "smtp://", "mail.example.jp:25"])
def test_an_unusable_smtp_url_is_refused_at_once(url):
    from channels.mail.smtp import parse_smtp_url

    with pytest.raises(ValueError, match="SMTP URL"):
        parse_smtp_url(url)


def test_a_title_is_needed(mail):
    with pytest.raises(CannotRender) as caught:
        mail.channel.prepare(with_japanese(title=""), "ja")
    assert caught.value.field == "title"


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_preview_is_the_mail_as_read(mail, language):
    preview = mail.channel.preview(notice(mode="drill"), language)
    assert preview.headline == heading(notice(mode="drill"), language)
    assert preview.headline in preview.body


def test_every_mail_ends_with_the_ways_to_ones_settings_and_out():
    template = build_template(
        with_japanese(), "en", SENDER, LIST_ID, settings_url="https://x.example.jp/preferences"
    )
    source = fill(template, to="a@example.jp", message_id="<1@x>", unsubscribe_url="https://x.example.jp/u/1")
    text = message_from_bytes(source, policy=policy.default).get_body(("plain",)).get_content()
    assert text.splitlines()[-4:] == [
        "Change your settings:",
        "https://x.example.jp/preferences",
        "Stop these emails:",
        "https://x.example.jp/u/1",
    ]
