"""Mail: what leaves, and what each reply of a mail server means."""

import asyncio
import re
from collections import deque
from email import message_from_bytes, policy
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.channel import (
    AccountStopped,
    BatchRefused,
    CannotRender,
    Deferred,
    Part,
    Recipient,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.mail import session as mail_session
from channels.mail.errand import WINDOW
from channels.mail.messages import build_template, fill, quote_address
from channels.reasons import Reason
from channels.rendering import heading
from sandbox.mail.faults import SmtpFaults
from sandbox.mail.server import SmtpSandbox
from tests.channels.announcements import (
    LANGUAGES,
    RETRY_KEY,
    collect_until_error,
    deferred,
    mail_readers,
    notice,
    refusals,
    total,
    with_japanese,
)
from tests.channels.channel_settings import make_mail
from tests.channels.scripted_smtp import ScriptedSmtp

SENDER, LIST_ID = "しばた市 <notice@shibata.example.jp>", "notice.shibata.example.jp"


async def send(session, readers, announcement=None):
    prepared = session.channel.prepare(announcement or notice(), "ja")
    return await collect_until_error(session.send(prepared, readers, RETRY_KEY))


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
    assert message.get_content().rstrip().endswith(link)
    assert "危機管理課 0254-00-0000" in message.get_content()


async def test_the_message_id_is_the_same_when_the_mail_has_to_be_repeated(mail, mail_server):
    await send(mail, mail_readers(2))
    await send(mail, mail_readers(2))
    identifiers = [arrived.message_id for arrived in mail_server.mailroom.mails]
    assert (
        identifiers[:2]
        == identifiers[2:]
        == [f"<kairanban.21.{n}.{'m' * 16}@shibata.example.jp>" for n in (1, 2)]
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
    text = message_from_bytes(source, policy=policy.default).get_content()
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
        ("佐藤@example.jp", None),
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
    parts, error = await send(session, mail_readers(8), notice(urgency=urgency))
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


@pytest.mark.parametrize(
    ("faults", "error", "reason"),
    [
        (SmtpFaults(content="451 4.3.2 not now"), TemporaryFailure, "server_busy"),
        (SmtpFaults(sender="450 4.3.2 not now"), TemporaryFailure, "server_busy"),
        (SmtpFaults(sender="530 5.7.0 log in first"), AccountStopped, "authentication"),
        (SmtpFaults(sender="421 4.3.2 closing"), TemporaryFailure, "connection_lost"),
        (SmtpFaults(refuse={"*": "421 4.3.2 closing"}), TemporaryFailure, "connection_lost"),
        (SmtpFaults(content="421 4.3.2 closing"), TemporaryFailure, "connection_lost"),
        (SmtpFaults(content="hang"), UnknownOutcome, "no_answer"),
        (SmtpFaults(sender="hang"), TemporaryFailure, "connection_lost"),
        (SmtpFaults(greeting="hang"), TemporaryFailure, "unreachable"),
        (SmtpFaults(greeting="554 5.3.2 closed"), TemporaryFailure, "unreachable"),
        (SmtpFaults(drop_before_data=1), TemporaryFailure, "connection_lost"),
        (SmtpFaults(drop_in_data=1), UnknownOutcome, "no_answer"),
        (SmtpFaults(drop_after_data=1), UnknownOutcome, "no_answer"),
    ],
)
async def test_each_reply_has_its_meaning(mail_server, faults, error, reason):
    session = make_mail(await mail_server.start(), timeout=0.3)
    mail_server.faults = faults
    parts, raised = await send(session, mail_readers(3))
    assert parts == []
    assert isinstance(raised, error)
    assert raised.reason == reason
    await session.close()


@pytest.mark.parametrize(
    ("faults", "error", "reason"),
    [
        (SmtpFaults(sender="550 5.7.1 sender not allowed"), AccountStopped, "sender_refused"),
        (SmtpFaults(sender="451 4.3.0 busy"), TemporaryFailure, "server_busy"),
        (SmtpFaults(content="452 4.3.1 disk full"), TemporaryFailure, "server_busy"),
        (SmtpFaults(content="451 4.7.1 try again later"), TemporaryFailure, "server_busy"),
    ],
)
async def test_what_the_server_says_to_every_mail_ends_the_slice_after_a_few(
    mail_server, faults, error, reason
):
    session = make_mail(await mail_server.start())
    mail_server.faults = faults
    parts, raised = await send(session, mail_readers(60))
    assert total(parts) == len(deferred(parts)) == 5
    assert isinstance(raised, error)
    assert raised.reason == reason
    await session.close()


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


async def test_a_mail_that_is_too_large_by_one_octet_stops_the_batch_behind_those_that_fit(mail, mail_server):
    await send(mail, mail_readers(9))
    largest = max(len(arrived.source) for arrived in mail_server.mailroom.mails)
    server = SmtpSandbox(size=largest)
    session = make_mail(await server.start())
    parts, error = await send(session, mail_readers(12))
    assert (total(parts), type(error), error.reason) == (9, BatchRefused, "mail_too_large")
    assert server.mailroom.stats()["messages"] == 9
    await session.close()
    await server.stop()


def refusing_content(numbers):
    reply = "554 5.7.1 looks like spam"
    return SmtpFaults(refuse_content={f"reader{number}@*": reply for number in numbers})


@pytest.mark.parametrize("number", [1, 3, 12])
async def test_content_refused_for_one_reader_stops_nobody_else(mail, mail_server, number):
    mail_server.faults = refusing_content([number])
    parts, error = await send(mail, mail_readers(12))
    assert (error, total(parts)) == (None, 12)
    assert refusals(parts) == {number: ("content_refused", "5.7.1")}
    assert mail_server.mailroom.stats()["messages"] == 11


@pytest.mark.parametrize(("reply", "detail"), [("552 5.3.4 too big", "5.3.4"), ("554 reader1 no", "554")])
async def test_content_that_ten_readers_in_a_row_refuse_is_refused_for_all(mail, mail_server, reply, detail):
    mail_server.faults = SmtpFaults(content=reply)
    parts, error = await send(mail, mail_readers(25))
    assert isinstance(error, BatchRefused)
    assert error.reason == "content_refused"
    assert refusals(parts) == dict.fromkeys(range(1, 11), ("content_refused", detail))
    assert total(parts) == 10


async def test_content_that_somebody_accepted_is_never_refused_for_all(mail, mail_server):
    mail_server.faults = refusing_content(range(2, 30))
    parts, error = await send(mail, mail_readers(40))
    assert (error, total(parts)) == (None, 40)
    assert set(refusals(parts)) == set(range(2, 30))
    assert mail_server.mailroom.stats()["messages"] == 12


async def test_content_refused_nine_times_and_then_accepted_goes_on(mail, mail_server):
    mail_server.faults = refusing_content([*range(1, 10), *range(20, 35)])
    parts, error = await send(mail, mail_readers(40))
    assert (error, total(parts), len(refusals(parts))) == (None, 40, 24)


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_server_that_hangs_up_in_the_middle_keeps_what_it_took(pipelining):
    server = SmtpSandbox(pipelining=pipelining)
    session = make_mail(await server.start())
    server.faults = SmtpFaults(close_after=13)
    readers = mail_readers(20)
    parts, error = await send(session, readers)
    assert total(parts) == 13
    assert isinstance(error, TemporaryFailure)
    await send(session, readers[total(parts) :])
    assert server.mailroom.stats() == {"messages": 20, "recipients": 20, "duplicates": 0, "kept": 20}
    await session.close()
    await server.stop()


async def test_a_lost_answer_leaves_one_reader_in_doubt_and_no_more(mail, mail_server):
    readers = mail_readers(8)
    mail_server.faults = SmtpFaults(drop_after_data=1)
    parts, error = await send(mail, readers)
    assert (total(parts), type(error)) == (0, UnknownOutcome)
    await send(mail, readers)
    assert mail_server.mailroom.stats()["duplicates"] == 1


def watch_unreported(server, parts):
    """Count, at each mail the stand-in takes, how many it took that are in no Part that was written down."""
    counts = []
    add = server.mailroom.add

    def counting(*mail):
        add(*mail)
        told = sum(part.size - len(part.refused) - len(part.deferred) for part in parts)
        counts.append(server.mailroom.stats()["messages"] - told)

    server.mailroom.add = counting
    return counts


@pytest.mark.parametrize("pipelining", [True, False])
@pytest.mark.parametrize("later", [[], [1], [1, 25, 100], [*range(1, 31)]])
async def test_a_slow_ledger_is_never_more_than_the_window_behind(pipelining, later):
    server = SmtpSandbox(pipelining=pipelining)
    session = make_mail(await server.start())
    server.faults = SmtpFaults(refuse={f"reader{n}@*": "450 4.2.0 later" for n in later})
    parts: list[Any] = []
    unreported = watch_unreported(server, parts)
    async for part in session.send(session.channel.prepare(notice(), "ja"), mail_readers(100), RETRY_KEY):
        await asyncio.sleep(0.02)
        parts.append(part)
    assert WINDOW // 2 < max(unreported) <= WINDOW
    assert total(parts) == 100
    assert deferred(parts) == dict.fromkeys(later, "temporarily_refused")
    assert server.mailroom.stats()["messages"] == 100 - len(later)
    assert server.mailroom.stats()["duplicates"] == 0
    assert server.connections == 1
    await session.close()
    await server.stop()


@pytest.mark.parametrize("pipelining", [True, False])
async def test_a_sender_that_must_not_go_on_waits_for_what_is_under_way_and_ends(pipelining):
    server = SmtpSandbox(pipelining=pipelining)
    session = make_mail(await server.start())
    server.faults = SmtpFaults(latency_ms=5)
    arrived = server.mailroom.stats
    sending = session.send(
        session.channel.prepare(notice(), "ja"),
        mail_readers(100),
        RETRY_KEY,
        lambda: arrived()["messages"] < 40,
    )
    parts, error = await collect_until_error(sending)
    assert error is None
    assert 40 <= total(parts) <= 42
    assert total(parts) == arrived()["messages"]
    assert total((await send(session, mail_readers(3)))[0]) == 3
    await session.close()
    await server.stop()


async def test_a_sender_that_must_not_begin_sends_nothing(mail, mail_server):
    prepared = mail.channel.prepare(notice(), "ja")
    assert await collect_until_error(mail.send(prepared, mail_readers(3), RETRY_KEY, lambda: False)) == (
        [],
        None,
    )
    assert not mail_server.mailroom.mails


async def test_a_slow_server_has_never_much_that_is_not_written_down(monkeypatch):
    monkeypatch.setattr(mail_session, "RECORD_EVERY", 0.05)
    server = SmtpSandbox()
    session = make_mail(await server.start())
    server.faults = SmtpFaults(latency_ms=60)
    parts: list[Part] = []
    unreported = watch_unreported(server, parts)
    async for part in session.send(session.channel.prepare(notice(), "ja"), mail_readers(12), RETRY_KEY):
        parts.append(part)
    assert total(parts) == 12
    assert max(unreported) <= 4
    await session.close()
    await server.stop()


async def test_an_idle_connection_that_the_server_dropped_is_replaced(mail, mail_server):
    await send(mail, mail_readers(1))
    for transport in list(mail_server._transports):
        transport.abort()
    parts, error = await send(mail, mail_readers(1))
    assert (parts, error) == ([Part(1)], None)


async def test_a_connection_that_the_server_ends_between_two_batches_is_replaced(mail, mail_server):
    mail_server.faults = SmtpFaults(close_after=5)
    for _ in range(3):
        parts, error = await send(mail, mail_readers(5))
        assert (total(parts), error) == (5, None)
    assert mail_server.connections == 3


async def test_two_batches_use_two_connections_at_once_and_keep_them(mail, mail_server):
    mail_server.faults = SmtpFaults(latency_ms=1)
    readers = mail_readers(40)
    for _ in range(2):
        results = await asyncio.gather(
            send(mail, readers[:20]), send(mail, readers[20:]), send(mail, readers[:5])
        )
        assert [total(parts) for parts, _ in results] == [20, 20, 5]
    assert mail_server.connections == 2


async def test_a_wrong_password_stops_the_account():
    server = SmtpSandbox(login=("town", "right"))
    session = make_mail(await server.start(), login="town:wrong@")
    _, error = await send(session, mail_readers(1))
    assert isinstance(error, AccountStopped)
    assert "wrong" not in str(error)
    await session.close()
    await server.stop()


async def test_the_right_password_gets_in():
    server = SmtpSandbox(login=("town", "p@ss/word"))
    session = make_mail(await server.start(), login="town:p%40ss%2Fword@")
    parts, error = await send(session, mail_readers(1))
    assert (parts, error) == ([Part(1)], None)
    await session.close()
    await server.stop()


async def test_without_starttls_nothing_is_sent_in_the_clear(mail_server):
    session = make_mail(await mail_server.start(), scheme="smtp+starttls", login="town:password@")
    _, error = await send(session, mail_readers(1))
    assert isinstance(error, TemporaryFailure)
    assert error.reason == "tls"
    assert mail_server.mailroom.stats()["messages"] == 0


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
