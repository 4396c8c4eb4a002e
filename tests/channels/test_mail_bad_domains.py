"""Mail domains in trouble, or with limits, with a mail server at the other end."""

import asyncio
from time import monotonic
from typing import Any

import pytest

from channels.channel import Recipient, TemporaryFailure, UnknownOutcome
from channels.mail.domains import (
    FAILURES,
    FIRST_LOOK,
    FIRST_PAUSE,
    DomainLimit,
    MailDomains,
)
from channels.mail.verdicts import MAX_WAIT
from sandbox.mail.faults import SmtpFaults
from tests.channels.announcements import (
    RETRY_KEY,
    collect,
    deferred,
    notice,
    refusals,
    send,
    total,
)
from tests.channels.channel_settings import make_mail
from tests.channels.mail_clock import BAD, GOOD, Clock, keep_waiting_once
from tests.channels.scripted_smtp import DROP, HANG, LATE, ScriptedSmtp

# Seconds that a silent domain is waited for; a good one answers sooner on a busy machine too.
STALL = 0.6


def readers(count, bad):
    """Readers 1 … count; those in `bad` live in the bad domain."""
    return [Recipient(n, f"reader{n}@{BAD if n in bad else GOOD}") for n in range(1, count + 1)]


@pytest.fixture
async def make(mail_server):
    opened: list[Any] = []

    async def open_session(**options):
        port = await mail_server.start() if not opened else opened[0][1]
        session = make_mail(port, **options)
        opened.append((session, port))
        return session

    yield open_session
    for session, _ in opened:
        await session.close()


@pytest.mark.parametrize("urgency", ["urgent", "routine"])
@pytest.mark.parametrize("bad", [{1}, {3, 4, 20}, {30}, {1, 15, 30}, set(range(1, 31))])
async def test_a_domain_that_hangs_at_rcpt_costs_one_stall_and_one_connection(
    make, mail_server, bad, urgency
):
    clock = Clock()
    session = await make(stall=STALL, domains=MailDomains(clock=clock))
    mail_server.faults = SmtpFaults(refuse={f"*@{BAD}": "hang"})
    begun = monotonic()
    parts, error = await send(session, readers(30, bad), urgency=urgency)
    # A stall for each of them would take this long on two connections.
    assert monotonic() - begun < STALL * 30 / 2
    assert (error, refusals(parts), total(parts)) == (None, {}, 30)
    assert deferred(parts) == dict.fromkeys(bad, "domain_unreachable")
    first = next(item for part in parts for item in part.deferred)
    assert first.retry_after == FIRST_LOOK
    assert mail_server.mailroom.stats()["messages"] == 30 - len(bad)
    assert mail_server.mailroom.stats()["duplicates"] == 0
    assert mail_server.connections <= 2
    clock.now += FIRST_LOOK
    parts, _ = await send(session, readers(1, {1}), urgency=urgency)
    assert parts[0].deferred[0].retry_after == MAX_WAIT[urgency == "urgent"]


async def test_a_domain_that_needs_time_to_answer_gets_it_at_the_second_look():
    """A server that asks another before it answers: longer than the others can be made to wait."""
    clock = Clock()
    async with ScriptedSmtp({1: {"RCPT": LATE}, 2: {"RCPT": LATE}}) as server:
        session = make_mail(server.port, timeout=30.0, stall=30.0, domains=MailDomains(clock=clock))
        parts, _ = await send(session, readers(1, {1}))
        assert deferred(parts) == {1: "domain_unreachable"}
        clock.now += FIRST_LOOK
        for several in (1, 2):
            parts, error = await send(session, readers(several, {1, 2}))
            assert (error, deferred(parts), total(parts)) == (None, {}, several)
        await session.close()


async def test_a_hanging_domain_is_known_to_all_connections_and_lanes(make, mail_server):
    domains = MailDomains()
    routine, urgent = await make(stall=STALL, domains=domains), await make(stall=30.0, domains=domains)
    mail_server.faults = SmtpFaults(refuse={f"*@{BAD}": "hang"})
    await send(routine, readers(1, {1}))
    begun = monotonic()
    parts, error = await send(urgent, readers(5, {2, 3}))
    # Less than a single stall of its own.
    assert monotonic() - begun < 30.0
    assert (error, set(deferred(parts))) == (None, {2, 3})


async def test_a_domain_that_came_back_gets_its_mail(make, mail_server):
    clock = Clock()
    session = await make(stall=STALL, domains=MailDomains(clock=clock))
    mail_server.faults = SmtpFaults(refuse={f"*@{BAD}": "hang"})
    await send(session, readers(3, {1, 2, 3}))
    mail_server.faults = SmtpFaults()
    parts, _ = await send(session, readers(3, {1, 2, 3}))
    assert set(deferred(parts)) == {1, 2, 3}
    clock.now += FIRST_PAUSE * 1.25
    parts, _ = await send(session, readers(5, {2}))
    assert set(deferred(parts)) == {2}, "whoever is behind does not wait for the probe"
    parts, error = await send(session, readers(1, {1}))
    assert (error, deferred(parts), total(parts)) == (None, {}, 1)
    parts, error = await send(session, readers(5, {2}))
    assert (error, deferred(parts), total(parts)) == (None, {}, 5)


@pytest.mark.parametrize("reply", [HANG, DROP])
@pytest.mark.parametrize("bad", [1, 3, 5])
async def test_a_server_that_holds_its_answers_back_over_a_bad_domain_leaves_one_reader_in_doubt_once(
    reply, bad
):
    async with ScriptedSmtp({bad: {"RCPT": reply}}, lazy=True) as server:
        session = make_mail(server.port, stall=STALL, timeout=2 * STALL)
        rest, doubts = readers(5, {bad}), 0
        later: dict[int, str] = {}
        while rest:
            parts, error = await send(session, rest)
            doubts += isinstance(error, UnknownOutcome)
            later |= deferred(parts)
            rest = rest[total(parts) :]
        await session.close()
    assert later == {bad: "domain_unreachable"}
    assert server.taken.keys() == set(range(1, 6)) - {bad}
    assert server.taken.total() - 4 == doubts <= 1


async def test_a_domain_that_refuses_everybody_for_now_is_left_alone_after_a_while(make, mail_server):
    session = await make()
    mail_server.faults = SmtpFaults(refuse={f"*@{BAD}": "451 4.4.1 no answer from host"})
    parts, error = await send(session, readers(60, set(range(1, 41))))
    assert (error, refusals(parts), total(parts)) == (None, {}, 60)
    reasons = list(deferred(parts).values())
    assert reasons == ["temporarily_refused"] * FAILURES + ["domain_unreachable"] * 30
    assert mail_server.mailroom.stats()["messages"] == 20


@pytest.mark.parametrize(
    "reply", ["450 4.2.0 greylisted", "451 4.7.1 Greylisting in action", "452 4.2.2 full"]
)
async def test_greylisting_and_full_mailboxes_close_no_domain(make, mail_server, reply):
    session = await make()
    mail_server.faults = SmtpFaults(refuse={f"*@{BAD}": reply})
    parts, _ = await send(session, readers(30, set(range(1, 31))))
    assert set(deferred(parts).values()) == {"temporarily_refused"}


async def test_a_server_that_hangs_up_over_one_domain_does_not_block_the_batch_for_ever(make, mail_server):
    session = await make()
    mail_server.faults = SmtpFaults(refuse={f"*@{BAD}": "421 4.7.0 go away"})
    rest, tries = readers(6, {2, 5}), 0
    later: dict[int, str] = {}
    while rest:
        parts, error = await send(session, rest)
        assert error is None or isinstance(error, TemporaryFailure)
        later |= deferred(parts)
        rest, tries = rest[total(parts) :], tries + 1
    assert tries <= 5
    assert later == {2: "domain_unreachable", 5: "domain_unreachable"}
    assert mail_server.mailroom.stats() == {"messages": 4, "recipients": 4, "duplicates": 0, "kept": 4}


async def test_a_limited_domain_lets_the_others_pass(make, mail_server):
    domains = MailDomains({BAD: DomainLimit(rate=2)})
    session = await make(domains=domains)
    parts, error = await send(session, readers(30, set(range(1, 21))), urgency="urgent")
    assert (error, refusals(parts), total(parts)) == (None, {}, 30)
    assert set(deferred(parts).values()) == {"domain_limit"}
    assert 2 <= 20 - len(deferred(parts)) <= 4
    assert mail_server.mailroom.stats()["messages"] == 30 - len(deferred(parts))


async def test_connections_to_a_limited_domain_are_counted_over_all_batches(make, mail_server):
    session = await make(connections=5, domains=MailDomains({BAD: DomainLimit(connections=1)}))
    mail_server.faults = SmtpFaults(latency_ms=20)
    batches = [
        [Recipient(100 * part + n, f"reader{100 * part + n}@{BAD}") for n in range(5)] for part in range(5)
    ]
    prepared = session.channel.prepare(notice(), "ja")
    results = await asyncio.gather(*(collect(session.send(prepared, part, RETRY_KEY)) for part in batches))
    assert all(total(parts) == 5 for parts in results)
    later = {number for parts in results for number in deferred(parts)}
    assert mail_server.mailroom.stats()["messages"] == 25 - len(later)
    assert later


async def test_a_batch_given_up_in_the_middle_frees_the_connections_of_its_domains(make, mail_server):
    domains = MailDomains({BAD: DomainLimit(connections=1)})
    session = await make(domains=domains)
    parts = session.send(session.channel.prepare(notice(), "ja"), readers(40, set(range(1, 41))), RETRY_KEY)
    await anext(parts)
    await parts.aclose()
    assert domains.admit(BAD, urgent=True) == "go"


async def test_a_hanging_domain_holds_one_connection_and_not_all_of_them():
    """All connections meet the domain at the same moment, and it is known to answer late."""
    clock = Clock()
    domains = MailDomains(clock=clock)
    keep_waiting_once(domains, clock)
    async with ScriptedSmtp({number: {"RCPT": "hang"} for number in range(1, 5)}) as server:
        session = make_mail(server.port, connections=4, timeout=60.0, stall=60.0, domains=domains)
        prepared = session.channel.prepare(notice(), "ja")
        sends = [
            asyncio.create_task(
                collect(session.send(prepared, [Recipient(n, f"reader{n}@{BAD}")], RETRY_KEY))
            )
            for n in range(1, 5)
        ]
        async with asyncio.timeout(60):
            while sum(task.done() for task in sends) < 3:
                await asyncio.sleep(0.05)
        still_waiting = [task for task in sends if not task.done()]
        assert len(still_waiting) == 1
        still_waiting[0].cancel()
        ended = [task.result() for task in sends if task is not still_waiting[0]]
        await asyncio.gather(*sends, return_exceptions=True)
        await session.close()
    assert {reason for parts in ended for reason in deferred(parts).values()} == {"domain_unreachable"}
