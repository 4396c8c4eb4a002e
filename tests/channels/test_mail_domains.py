"""Mail domains in trouble, or with limits: first the rules alone, then with a mail server at the other end."""

import asyncio
from time import monotonic
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.channel import Recipient, TemporaryFailure, UnknownOutcome
from channels.mail.domains import (
    FAILURES,
    FIRST_LOOK,
    FIRST_PAUSE,
    LONGEST_PAUSE,
    MEMORY,
    DomainLimit,
    MailDomains,
    Wait,
)
from channels.mail.verdicts import MAX_WAIT
from channels.reasons import Reason
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
from tests.channels.scripted_smtp import DROP, HANG, LATE, ScriptedSmtp

BAD, GOOD = "bad.example.jp", "good.example.jp"
# Seconds that a silent domain is waited for; a good one answers sooner on a busy machine too.
STALL = 0.6


class Clock:
    def __init__(self):
        self.now = 1_000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def domains(clock):
    return MailDomains(clock=clock)


def fail(domains, times, name=BAD):
    for _ in range(times):
        assert domains.admit(name, urgent=False) == "go"
        domains.failed(name)


def close(domains, clock):
    """Closed by a stall, and on until the probe is due."""
    domains.admit(BAD, urgent=False)
    assert domains.stalled(BAD)
    clock.now += FIRST_LOOK
    assert domains.admit(BAD, urgent=False) == "alone"
    assert not domains.stalled(BAD)
    clock.now += FIRST_PAUSE * 1.25


def keep_waiting_once(domains, clock):
    """Kept somebody waiting, and answered when it was given time."""
    domains.admit(BAD, urgent=False)
    domains.stalled(BAD)
    clock.now += FIRST_LOOK
    domains.admit(BAD, urgent=False)
    domains.answered(BAD)


def test_a_domain_is_closed_after_failures_in_a_row_and_others_are_not(domains):
    fail(domains, FAILURES)
    wait = domains.admit(BAD, urgent=True)
    assert isinstance(wait, Wait) and wait.reason == "domain_unreachable" and wait.seconds > 0
    assert domains.admit(GOOD, urgent=False) == "go"


def test_one_answer_between_the_failures_keeps_a_domain_open(domains):
    fail(domains, FAILURES - 1)
    domains.admit(BAD, urgent=False)
    domains.answered(BAD)
    fail(domains, FAILURES - 1)
    assert domains.admit(BAD, urgent=False) == "go"


def test_failures_of_long_ago_are_forgotten(domains, clock):
    fail(domains, FAILURES - 1)
    clock.now += MEMORY + 1
    fail(domains, 1)
    assert domains.admit(BAD, urgent=False) == "go"


def test_one_probe_at_a_time_tries_a_closed_domain(domains, clock):
    close(domains, clock)
    assert domains.admit(BAD, urgent=False) == "alone"
    assert isinstance(domains.admit(BAD, urgent=True), Wait)
    domains.left(BAD)
    assert domains.admit(BAD, urgent=False) == "alone"


def test_a_probe_that_is_answered_opens_the_domain(domains, clock):
    close(domains, clock)
    domains.admit(BAD, urgent=False)
    domains.answered(BAD)
    assert [domains.admit(BAD, urgent=False) for _ in range(3)] == ["go"] * 3


def test_each_failed_probe_doubles_the_pause_up_to_the_longest(domains, clock):
    close(domains, clock)
    pauses = []
    for _ in range(8):
        assert domains.admit(BAD, urgent=False) == "alone"
        domains.failed(BAD)
        started = clock.now
        while isinstance(domains.admit(BAD, urgent=False), Wait):
            clock.now += 1
        domains.left(BAD)
        pauses.append(clock.now - started)
    expected = [min(FIRST_PAUSE * 2**n, LONGEST_PAUSE) for n in range(1, 9)]
    assert all(0.7 <= pause / full <= 1.3 for pause, full in zip(pauses, expected, strict=True))


def test_mails_that_were_under_way_when_a_domain_closed_do_not_lengthen_the_pause(domains, clock):
    for _ in range(5):
        domains.admit(BAD, urgent=False)
    for _ in range(5):
        domains.stalled(BAD)
    clock.now += FIRST_PAUSE * 1.25
    assert domains.admit(BAD, urgent=False) == "alone"


def test_a_rate_is_kept_and_those_who_wait_follow_each_other(clock):
    domains = MailDomains({"Slow.example.jp": DomainLimit(rate=2)}, clock)
    answers = [domains.admit("slow.example.jp", urgent=True) for _ in range(5)]
    assert answers == ["go", "go", *(Wait(Reason.DOMAIN_LIMIT, seconds) for seconds in (0.5, 1.0, 1.5))]
    clock.now += 0.5
    assert domains.admit("slow.example.jp", urgent=True) == "go"


@given(
    rate=st.floats(0.2, 50),
    steps=st.lists(st.tuples(st.floats(0, 3), st.booleans()), min_size=1, max_size=200),
)
@settings(max_examples=100, deadline=None)
def test_no_span_of_time_holds_more_mails_than_the_rate(rate, steps):
    clock = Clock()
    domains = MailDomains({BAD: DomainLimit(rate=rate)}, clock)
    sent = []
    for pause, urgent in steps:
        clock.now += pause
        if domains.admit(BAD, urgent=urgent) == "go":
            sent.append(clock.now)
    for first, begun in enumerate(sent):
        for last in range(first, len(sent)):
            assert last - first + 1 <= max(1.0, rate) + (sent[last] - begun) * rate + 1e-6


def test_routine_mail_leaves_room_for_urgent_mail(clock):
    domains = MailDomains({BAD: DomainLimit(rate=10)}, clock)
    while domains.admit(BAD, urgent=False) == "go":
        pass
    assert [domains.admit(BAD, urgent=True) for _ in range(5)] == ["go"] * 5
    clock.now += 0.2
    assert isinstance(domains.admit(BAD, urgent=False), Wait)
    assert domains.admit(BAD, urgent=True) == "go"


@pytest.mark.parametrize("rate", [0.1, 1, 1.5, 2, 40])
def test_routine_mail_alone_gets_the_whole_rate(clock, rate):
    domains = MailDomains({BAD: DomainLimit(rate=rate)}, clock)
    sent = 0
    for _ in range(round(20_000 / rate)):
        sent += domains.admit(BAD, urgent=False) == "go"
        clock.now += 0.01
    assert sent == pytest.approx(200, rel=0.2)


def test_no_more_mails_at_once_than_the_domain_wants(clock):
    domains = MailDomains({BAD: DomainLimit(connections=2)}, clock)
    assert [domains.admit(BAD, urgent=True) for _ in range(2)] == ["go", "go"]
    assert domains.admit(BAD, urgent=True).reason == "domain_limit"
    domains.answered(BAD)
    assert domains.admit(BAD, urgent=True) == "go"


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


def test_nobody_waits_for_a_domain_that_was_never_known_to_be_slow(domains):
    domains.admit(BAD, urgent=False)
    assert not domains.may_wait(BAD, "first")


def test_nobody_else_waits_for_a_domain_that_was_given_up_on_a_moment_ago(domains, clock):
    for _ in range(2):
        domains.admit(BAD, urgent=False)
    domains.stalled(BAD)
    assert not domains.may_wait(BAD, "second")
    assert domains.stalled(BAD), "it was given a moment only as well"
    clock.now += FIRST_LOOK
    assert domains.admit(BAD, urgent=False) == "alone"
    assert domains.may_wait(BAD, "third")


def test_a_slow_domain_is_probed_from_a_batch_without_others(domains, clock):
    domains.admit(BAD, urgent=False)
    domains.stalled(BAD)
    clock.now += FIRST_LOOK
    assert isinstance(domains.admit(BAD, urgent=False, others=lambda: True), Wait)
    assert domains.admit(BAD, urgent=False, others=lambda: False) == "alone"


def test_one_waits_for_a_slow_domain_at_a_time(domains, clock):
    keep_waiting_once(domains, clock)
    assert domains.may_wait(BAD, "first")
    assert not domains.may_wait(BAD, "second")
    domains.answered(BAD)
    assert domains.may_wait(BAD, "second")
