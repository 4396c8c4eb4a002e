"""Mail domains in trouble, or with limits: the rules alone."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

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
from channels.reasons import Reason
from tests.channels.mail_clock import BAD, GOOD, Clock, keep_waiting_once


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
