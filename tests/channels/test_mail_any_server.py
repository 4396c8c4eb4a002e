"""Whatever a mail server answers and whenever it hangs up: everybody is accounted for exactly once."""

import asyncio
from collections import Counter

import pytest
import uvloop
from hypothesis import given, settings
from hypothesis import strategies as st

from channels.channel import AccountStopped, BatchRefused, Recipient, TemporaryFailure, UnknownOutcome
from tests.channels.announcements import deferred, refusals, send, total
from tests.channels.channel_settings import make_mail
from tests.channels.scripted_smtp import DROP, HANG, TAKE_AND_DROP, ScriptedSmtp

REFUSALS = ["550 5.1.1 unknown", "554 5.7.1 no", "550 no such user", "552-5.2.2 mailbox\r\n552 5.2.2 full"]
DELAYS = [
    "450 4.2.0 later",
    "451 4.7.1 greylisted",
    "451 4.4.1 no answer",
    "452 4.3.1 disk full",
    "421 4.3.2 bye",
]
ODD = ["250 what", "999 what", "hello", "530 5.7.0 log in first", DROP]
LINES = st.one_of(
    st.fixed_dictionaries({"RCPT": st.sampled_from([*REFUSALS, *DELAYS, *ODD[1:]])}),
    st.fixed_dictionaries({"DATA": st.sampled_from([*REFUSALS, *DELAYS, *ODD])}),
    st.fixed_dictionaries({"content": st.sampled_from([*REFUSALS, *DELAYS, *ODD[1:], TAKE_AND_DROP])}),
)
HANGS = st.sampled_from([{"RCPT": HANG}, {"DATA": HANG}, {"content": HANG}])


@st.composite
def scripts(draw, most=45):
    """How many readers, and what happens to some of them; a hang takes its time, so it comes at most once."""
    count = draw(st.integers(1, most))
    numbers = st.integers(1, count)
    script = draw(st.dictionaries(numbers, LINES, max_size=count))
    if draw(st.integers(0, 9)) == 0:
        script[draw(numbers)] = dict(draw(HANGS))
    return count, script


SERVERS = st.fixed_dictionaries(
    {"pipelining": st.booleans(), "lazy": st.booleans(), "careless": st.booleans()}
)


def readers(count):
    return [
        Recipient(number, f"reader{number}@mail{number % 3}.example.jp") for number in range(1, count + 1)
    ]


def mail_to(server):
    return make_mail(server.port, stall=0.1, timeout=0.3, connections=1)


async def once(count, script, options):
    async with ScriptedSmtp(script, **options) as server:
        session = mail_to(server)
        parts, error = await send(session, readers(count))
        await session.close()
    return parts, error, server.taken


@pytest.mark.parametrize("loop_factory", [asyncio.new_event_loop, uvloop.new_event_loop])
@given(plan=scripts(), options=SERVERS)
@settings(max_examples=150, deadline=None)
def test_everybody_is_accepted_refused_deferred_or_open_and_the_server_agrees(loop_factory, plan, options):
    count, script = plan
    with asyncio.Runner(loop_factory=loop_factory) as runner:
        parts, error, taken = runner.run(once(count, script, options))
    refused, later, settled = refusals(parts), deferred(parts), total(parts)
    assert settled == count if error is None else settled < count
    for part in parts:
        assert part.size > 0
    assert not refused.keys() & later.keys()
    assert max([*refused, *later], default=0) <= settled
    accepted = set(range(1, settled + 1)) - refused.keys() - later.keys()
    in_doubt = {settled + 1} if isinstance(error, UnknownOutcome) else set()
    assert max(taken.values(), default=0) <= 1
    assert accepted <= taken.keys() <= accepted | in_doubt
    assert refused.keys() <= script.keys()
    assert {number for number, reason in later.items() if reason == "temporarily_refused"} <= script.keys()


async def until_done(count, script, options):
    """As the ledger does: what is open is tried again, behind what the Parts say."""
    doubts = 0
    refused: dict[int, tuple[str, str]] = {}
    later: dict[int, str] = {}
    async with ScriptedSmtp(script, once=True, **options) as server:
        session = mail_to(server)
        rest = readers(count)
        while rest:
            parts, error = await send(session, rest)
            refused |= refusals(parts)
            later |= deferred(parts)
            rest = rest[total(parts) :]
            if isinstance(error, BatchRefused):
                refused |= {recipient.subscriber_id: (error.reason, "") for recipient in rest}
                break
            assert error is None or isinstance(error, (TemporaryFailure, UnknownOutcome, AccountStopped))
            doubts += isinstance(error, UnknownOutcome)
        await session.close()
    return doubts, refused, later, server.taken


@given(plan=scripts(), options=SERVERS)
@settings(max_examples=100, deadline=None)
def test_after_any_number_of_failures_nobody_is_missing_and_only_those_in_doubt_get_it_twice(plan, options):
    count, script = plan
    doubts, refused, later, taken = asyncio.run(until_done(count, script, options))
    everybody = set(range(1, count + 1))
    assert taken.keys() | refused.keys() | later.keys() == everybody
    assert not refused.keys() & later.keys()
    twice = Counter(taken) - Counter(taken.keys())
    assert twice.total() <= doubts
