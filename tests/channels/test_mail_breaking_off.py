"""A slice of mails that breaks off: what the server says to all of them, and what is known of those before."""

import asyncio
from typing import Any

import pytest

from channels.channel import (
    AccountStopped,
    BatchRefused,
    Part,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.mail import session as mail_session
from channels.mail.errand import WINDOW
from sandbox.mail.faults import SmtpFaults
from sandbox.mail.server import SmtpSandbox
from tests.channels.announcements import (
    RETRY_KEY,
    collect_until_error,
    deferred,
    mail_readers,
    notice,
    refusals,
    send,
    total,
)
from tests.channels.channel_settings import make_mail
from tests.channels.scripted_smtp import LATE, ScriptedSmtp


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
    # Whoever is silent is not waited for long; nobody else may be too slow.
    session = make_mail(await mail_server.start(), timeout=2.0 if "hang" in repr(faults) else 30.0)
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


async def test_a_wrong_password_stops_the_account():
    server = SmtpSandbox(login=("town", "right"))
    session = make_mail(await server.start(), login="town:wrong@")
    _, error = await send(session, mail_readers(1))
    assert isinstance(error, AccountStopped)
    assert "wrong" not in str(error)
    await session.close()
    await server.stop()


async def test_without_starttls_nothing_is_sent_in_the_clear(mail_server):
    session = make_mail(await mail_server.start(), scheme="smtp+starttls", login="town:password@")
    _, error = await send(session, mail_readers(1))
    assert isinstance(error, TemporaryFailure)
    assert error.reason == "tls"
    assert mail_server.mailroom.stats()["messages"] == 0


@pytest.mark.parametrize("pipelining", [True, False])
async def test_no_content_is_written_once_the_batch_may_be_anothers(pipelining):
    """The server takes its time over DATA; meanwhile the process stands still and its lease ends."""
    leased = True
    async with ScriptedSmtp({2: {"DATA": LATE}}, pipelining=pipelining) as server:
        session = make_mail(server.port, timeout=30.0)
        parts: list[Part] = []

        async def deliver() -> Exception | None:
            prepared = session.channel.prepare(notice(), "ja")
            sending = session.send(prepared, mail_readers(3), RETRY_KEY, lambda: leased)
            found, error = await collect_until_error(sending)
            parts.extend(found)
            return error

        task = asyncio.create_task(deliver())
        while not server.taken[1]:
            await asyncio.sleep(0.01)
        leased = False
        assert await task is None
        assert total(parts) == 1
        assert dict(server.taken) == {1: 1}
        await session.close()
