"""LINE refuses a whole list for one bad id: who is at fault is found, and nobody is sent to twice over it."""

import asyncio
from collections import deque
from dataclasses import dataclass, field
from random import Random
from typing import Any
from uuid import uuid4

import pytest
from aiohttp import web
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.channel import BatchRefused, Part, Recipient, TemporaryFailure, UnknownOutcome
from channels.line import session as line_session
from channels.line.channel import LineChannel
from channels.line.session import LineSession
from tests.channels.announcements import RETRY_KEY, collect, line_friends, notice
from tests.channels.line_server import Answer, LineServer


@dataclass
class Slice:
    """A batch as the ledger keeps it."""

    rest: list[Recipient]
    key: str
    maybe_sent: bool = False


@dataclass
class Books:
    """What a ledger does with the parts: it writes down one after the other, and starts new batches for the deferred."""

    session: LineSession
    prepared: Any
    open: deque[Slice] = field(default_factory=deque)
    refused: dict[int, str] = field(default_factory=dict)
    accepted: list[int] = field(default_factory=list)
    failures: int = 0

    async def play(self, friends: list[Recipient], most: int = 2_000) -> None:
        self.open.append(Slice(friends, RETRY_KEY))
        while self.open and (most := most - 1):
            current = self.open.popleft()
            try:
                async for part in self.session.send(
                    self.prepared, list(current.rest), current.key, maybe_sent=current.maybe_sent
                ):
                    self._write(current, part)
            except BatchRefused as error:
                self.refused |= {one.subscriber_id: error.reason for one in current.rest}
                current.rest = []
            except (TemporaryFailure, UnknownOutcome) as error:
                self.failures += 1
                current.maybe_sent |= isinstance(error, UnknownOutcome)
            if current.rest:
                self.open.append(current)
        assert not self.open

    def _write(self, current: Slice, part: Part) -> None:
        done, current.rest = current.rest[: part.size], current.rest[part.size :]
        current.maybe_sent = False
        elsewhere = {item.subscriber_id for item in part.refused} | {
            item.subscriber_id for item in part.deferred
        }
        self.refused |= {item.subscriber_id: item.reason for item in part.refused}
        self.accepted += [one.subscriber_id for one in done if one.subscriber_id not in elsewhere]
        if part.deferred:
            assert part.apart
            deferred = {item.subscriber_id for item in part.deferred}
            moved = [one for one in done if one.subscriber_id in deferred]
            self.open.append(Slice(moved, str(uuid4())))


def books(line: LineSession) -> Books:
    return Books(line, line.channel.prepare(notice(), "ja"))


@pytest.fixture(autouse=True)
def no_time_to_wait(monkeypatch):
    """A no to a list that may have been accepted is believed at once, as if it had lasted."""
    monkeypatch.setattr(line_session, "BELIEVED_AFTER", 0.0)


@pytest.mark.parametrize(
    "bad",
    [{1}, {500}, {250, 251}, {77, 300, 499}, {*range(1, 21)}, {*range(481, 501)}, {*range(1, 501, 5)}],
    ids=["first", "last", "middle", "three", "twenty lead", "twenty trail", "every fifth"],
)
async def test_a_bad_id_is_refused_alone_and_everyone_else_is_reached_once(line, line_server, bad):
    friends = line_friends(500)
    line_server.bad_ids = {friends[number - 1].address for number in bad}
    ledger = books(line)
    await ledger.play(friends)
    assert ledger.refused == dict.fromkeys(bad, "invalid_recipient")
    assert sorted(line_server.delivered) == sorted(
        friend.address for friend in friends if friend.subscriber_id not in bad
    )
    assert len(ledger.accepted) == 500 - len(bad)


async def test_one_bad_id_costs_few_calls(line, line_server):
    friends = line_friends(500)
    line_server.bad_ids = {friends[123].address}
    await books(line).play(friends)
    assert len(line_server.multicasts) < 40


async def test_ids_of_another_account_are_given_up_early(line, line_server):
    friends = line_friends(500)
    line_server.bad_ids = {friend.address for friend in friends}
    ledger = books(line)
    await ledger.play(friends)
    assert len(ledger.refused) == 500
    assert set(ledger.refused.values()) == {"invalid_recipient", "foreign_recipients"}
    assert len(line_server.multicasts) < 600
    assert line_server.delivered == []


async def test_an_unfounded_refusal_of_a_slice_is_asked_again_before_anybody_is_blamed(line, line_server):
    line_server.answers.append(Answer(400, {"message": "The property, to[1], is invalid"}))
    assert await collect(line.send(line.channel.prepare(notice(), "ja"), line_friends(500), RETRY_KEY)) == [
        Part(500)
    ]
    assert {request.headers["X-Line-Retry-Key"] for request in line_server.multicasts} == {RETRY_KEY}


@pytest.mark.parametrize("lost_answer", range(1, 12))
async def test_an_unfounded_refusal_and_a_lost_answer_reach_nobody_twice(line, line_server, lost_answer):
    """The only way found to LINE twice: parts went under other keys, then the whole list under its own."""
    line_server.refuse_next, line_server.lost_answer = 2, lost_answer
    ledger = books(line)
    await ledger.play(line_friends(500))
    assert len(line_server.delivered) == len(set(line_server.delivered)) == 500
    assert ledger.refused == {}


@pytest.mark.parametrize("refusals", range(1, 9))
async def test_refusals_of_a_list_that_may_have_been_accepted_send_to_nobody_again(
    line, line_server, refusals, monkeypatch
):
    """Parts of it under other keys would arrive beside the list under its own."""
    monkeypatch.setattr(line_session, "BELIEVED_AFTER", 60.0)
    line_server.lost_answer, line_server.refuse_accepted = 1, refusals
    ledger = books(line)
    await ledger.play(line_friends(500))
    assert len(line_server.delivered) == len(set(line_server.delivered)) == 500
    assert ledger.refused == {}


async def test_a_refusal_that_lasts_is_believed_although_an_answer_was_lost(line, line_server):
    line_server.answers.append(Answer(fault="reset"))
    friends = line_friends(60)
    line_server.bad_ids = {friends[20].address}
    ledger = books(line)
    await ledger.play(friends)
    assert len(line_server.delivered) == len(set(line_server.delivered)) == 59
    assert ledger.refused == {21: "invalid_recipient"}


@pytest.mark.parametrize("lost_answer", range(1, 24))
async def test_a_search_that_is_resumed_in_the_middle_reaches_nobody_twice(line, line_server, lost_answer):
    friends = line_friends(60)
    line_server.bad_ids = {friends[20].address}
    line_server.lost_answer = lost_answer
    ledger = books(line)
    await ledger.play(friends)
    assert len(line_server.delivered) == len(set(line_server.delivered)) == 59
    assert ledger.refused == {21: "invalid_recipient"}


@given(
    bad=st.sets(st.integers(1, 500), max_size=8),
    seed=st.integers(0, 1_000),
    failing=st.sampled_from([0.1, 0.25]),
)
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_slices_with_bad_ids_under_mixed_errors_come_to_an_end(bad, seed, failing):
    asyncio.run(_mixed(bad, seed, failing))


async def _mixed(bad: set[int], seed: int, failing: float) -> None:
    server = LineServer()
    server.dice, server.failing = Random(seed), failing
    runner = web.AppRunner(server.create_app())
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    session = LineChannel(api_base=f"http://127.0.0.1:{runner.addresses[0][1]}", token="t", timeout=30).open()
    try:
        friends = line_friends(500)
        server.bad_ids = {friends[number - 1].address for number in bad}
        ledger = books(session)
        await ledger.play(friends)
    finally:
        await session.close()
        await runner.cleanup()
    assert len(server.delivered) == len(set(server.delivered)) == 500 - len(bad)
    assert ledger.refused == dict.fromkeys(bad, "invalid_recipient")
