"""Claim, send, settle: what the ledger says after whatever the service outside does."""

from __future__ import annotations

import asyncio
import ssl
from collections import Counter

import pytest

from channels.channel import (
    AccountStopped,
    BatchRefused,
    DeliveryStopped,
    Part,
    Refusal,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.reasons import Reason
from content.clock import HOUR, MINUTE, SECOND, now_ms
from content.database import Database
from content.keys import Keys
from content.ledger import account_outages
from content.ledger.account_outages import stopped_accounts
from content.register.subscriber_changes import erase, leave
from content.town import Town
from scheduler import failures, fanout, lane
from scheduler.fanout import plan_next
from scheduler.town_context import BUDGET
from scheduler.triggers import fire_due
from tests.scheduler.scripted import (
    Script,
    Stage,
    deliveries_of,
    eventually,
    make_stage,
    refusals_of,
    rows_of,
    run_sql,
    sending,
    settled,
    states,
    tally_of,
)

BUSY = TemporaryFailure(Reason.SERVER_BUSY, "あとで")
NO_ANSWER = UnknownOutcome(Reason.NO_ANSWER, "応答なし")
REFUSED = BatchRefused(Reason.INVALID_MESSAGE, "内容が不正")
QUOTA = DeliveryStopped(Reason.QUOTA, "上限")
REVOKED = AccountStopped(Reason.CREDENTIALS, "トークンが無効")


async def until_settled(stage: Stage, delivery_id: int) -> None:
    """Without waiting out the pauses before retries."""
    await eventually(lambda: settled(stage.database, delivery_id), hurry=stage)


async def until_states(stage: Stage, delivery_id: int, *wanted: str) -> None:
    async def reached() -> bool:
        return await states(stage.database, delivery_id) == list(wanted)

    await eventually(reached)


async def until_given_back(stage: Stage, delivery_id: int) -> None:
    """Until every batch has been tried and waits for its next try."""

    async def reached() -> bool:
        rows = await rows_of(stage.database, delivery_id)
        return all(row.attempt and row.state in ("ready", "unknown") for row in rows)

    await eventually(reached)


async def test_what_was_accepted_is_settled_with_its_times(stage: Stage) -> None:
    ids = await stage.subscribers(5)
    delivery_id = await stage.deliver([ids[:3], ids[3:]])
    before = now_ms()
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert [call.recipients for call in stage.line.calls] == [tuple(ids[:3]), tuple(ids[3:])]
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown, found.open) == (5, 0, 0, 0)
    assert found.first_accepted_at and found.last_accepted_at
    assert before <= found.first_accepted_at <= found.last_accepted_at <= now_ms()
    for row, call in zip(await rows_of(stage.database, delivery_id), stage.line.calls, strict=True):
        assert (row.state, row.attempt, row.position, row.reason) == ("settled", 1, row.size, "")
        assert row.retry_key == call.retry_key
        assert row.settled_at >= before


async def test_each_batch_goes_out_in_its_language(small_stage: Stage) -> None:
    ids = await small_stage.subscribers(2)
    japanese = await small_stage.deliver([ids], language="ja")
    english = await small_stage.deliver([ids], language="en")
    async with sending(small_stage.context):
        for delivery_id in (japanese, english):
            await until_settled(small_stage, delivery_id)
    assert [call.language for call in small_stage.line.calls] == ["ja", "en"]


async def test_one_refused_recipient_has_a_row_with_the_reason_and_the_others_are_accepted(
    stage: Stage,
) -> None:
    a, b, c = await stage.subscribers(3)
    delivery_id = await stage.deliver([[a, b, c]])
    stage.line.then(Part(3, (Refusal(b, Reason.MAILBOX_UNKNOWN, "5.1.1"),)))
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert await refusals_of(stage.database, delivery_id) == {b: "mailbox_unknown"}
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused) == (2, 1)


@pytest.mark.parametrize(
    ("error", "state"), [(BUSY, "ready"), (NO_ANSWER, "unknown"), (RuntimeError("defect"), "unknown")]
)
async def test_what_failed_waits_and_goes_out_again_under_the_same_key(
    stage: Stage, error: Exception, state: str
) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    stage.line.then(error)
    before = now_ms()
    async with sending(stage.context):
        await until_given_back(stage, delivery_id)
        (row,) = await rows_of(stage.database, delivery_id)
        assert row.state == state
        assert row.not_before >= before + SECOND // 2
        assert row.reason == getattr(error, "reason", "internal")
        assert (row.lease_owner, row.position, row.attempt) == ("", 0, 1)
        await until_settled(stage, delivery_id)
    first, second = stage.line.calls
    assert (first.retry_key, first.recipients) == (second.retry_key, second.recipients)
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.attempt, row.accepted, row.reason) == (2, 2, "")


async def test_an_error_without_words_settles_like_any_other(small_stage: Stage) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(1)])
    small_stage.line.then(ssl.SSLError())
    async with sending(small_stage.context):
        await until_given_back(small_stage, delivery_id)


async def test_a_refused_batch_is_over_and_the_next_one_goes(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids[:2], ids[2:]])
    stage.line.then(REFUSED)
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    first, second = await rows_of(stage.database, delivery_id)
    assert (first.refused, first.accepted, first.reason) == (2, 0, "invalid_message")
    assert (second.refused, second.accepted) == (0, 2)
    assert len(stage.line.calls) == 2


async def test_what_cannot_be_rendered_is_refused_and_nothing_is_sent(small_stage: Stage) -> None:
    small_stage.line.cannot_render = True
    delivery_id = await small_stage.deliver([await small_stage.subscribers(2)])
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    assert small_stage.line.calls == []
    (row,) = await rows_of(small_stage.database, delivery_id)
    assert (row.refused, row.reason) == (2, "cannot_render")


async def test_a_used_up_quota_stops_this_delivery_and_says_so_while_mail_goes_on(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    line = await stage.deliver([ids[:2], ids[2:4], ids[4:]])
    readers = await stage.subscribers(4, "mail")
    other = await stage.deliver([readers[:2], readers[2:]], account="mail")
    stage.line.then(QUOTA)
    async with sending(stage.context):
        await until_settled(stage, line)
        await until_settled(stage, other)
    stopped = await tally_of(stage.database, line)
    assert (stopped.state, stopped.reason) == ("stopped", "quota")
    assert (stopped.planned, stopped.refused, stopped.accepted, stopped.open) == (6, 6, 0, 0)
    assert len(stage.line.calls) == 1
    assert (await tally_of(stage.database, other)).accepted == 4


async def test_a_quota_used_up_half_way_keeps_what_was_accepted_before(small_stage: Stage) -> None:
    ids = await small_stage.subscribers(6)
    delivery_id = await small_stage.deliver([ids[:2], ids[2:4], ids[4:]])
    small_stage.line.then().then(1, QUOTA)
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    found = await tally_of(small_stage.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (3, 3, 0)


async def test_a_delivery_stopped_by_quota_while_it_is_planned_still_counts_everybody(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 2)
    await stage.subscribers(6)
    notice_id = await stage.notice(category="saigai")
    await fire_due(stage.context)
    delivery_id = (await deliveries_of(stage.database, notice_id))["line"].id
    for _ in range(20):
        stage.line.then(QUOTA)
    assert await plan_next(stage.context) == 1
    async with sending(stage.context):

        async def refused_once() -> bool:
            return bool((await rows_of(stage.database, delivery_id))[0].reason == "quota")

        await eventually(refused_once)
        while await plan_next(stage.context):
            pass
        await until_settled(stage, delivery_id)
    found = await tally_of(stage.database, delivery_id)
    assert (found.state, found.reason) == ("stopped", "quota")
    assert (found.planned, found.refused, found.open) == (6, 6, 0)


async def test_a_stopped_account_is_not_asked_on_for_every_batch(small_stage: Stage) -> None:
    ids = await small_stage.subscribers(10)
    delivery_id = await small_stage.deliver([[one] for one in ids])
    for _ in ids:
        small_stage.line.then(REVOKED)
    async with sending(small_stage.context):
        await eventually(lambda: _has_reason(small_stage, delivery_id, "credentials"))
        await asyncio.sleep(0.2)
    assert len(small_stage.line.calls) == 1
    assert set(await states(small_stage.database, delivery_id)) == {"ready"}
    assert await stopped_now(small_stage) == {"line"}


async def stopped_now(stage: Stage) -> set[str]:
    async with stage.database.read() as connection:
        return await stopped_accounts(connection)


async def _has_reason(stage: Stage, delivery_id: int, reason: str) -> bool:
    return reason in {row.reason for row in await rows_of(stage.database, delivery_id)}


async def test_a_stopped_account_waits_and_then_goes_on_where_it_was(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(failures, "STOPPED_ACCOUNT_WAIT", 100)
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([ids[:2], ids[2:]])
    stage.line.then(REVOKED).then(REVOKED)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert sorted(stage.line.accepted) == ids
    assert len(stage.line.calls) == 4
    assert await stopped_now(stage) == set()


async def test_an_outage_that_another_process_found_ends_with_an_acceptance_of_this_one(
    stage: Stage,
) -> None:
    async with stage.database.write() as connection:
        await connection.run_sync(account_outages.begin, "line", reason="credentials", now=now_ms())
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert await stopped_now(stage) == set()


async def test_who_left_or_was_erased_after_the_fan_out_is_skipped_and_counted(stage: Stage) -> None:
    ids = await stage.subscribers(5)
    delivery_id = await stage.deliver([ids])
    async with stage.database.write() as connection:
        await leave(connection, ids[0], reason="stopped", at=now_ms())
        await erase(connection, ids[3], reason="asked", at=now_ms())
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert stage.line.calls[0].recipients == (ids[1], ids[2], ids[4])
    assert await refusals_of(stage.database, delivery_id) == {ids[0]: "unsubscribed", ids[3]: "unsubscribed"}
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused, found.open) == (3, 2, 0)


async def test_a_batch_of_which_all_unsubscribed_settles_without_a_call(small_stage: Stage) -> None:
    ids = await small_stage.subscribers(2)
    delivery_id = await small_stage.deliver([ids])
    async with small_stage.database.write() as connection:
        for one in ids:
            await leave(connection, one, reason="stopped", at=now_ms())
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    assert small_stage.line.calls == []
    assert (await tally_of(small_stage.database, delivery_id)).refused == 2


async def test_a_batch_that_broke_off_goes_on_behind_whoever_is_settled(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    delivery_id = await stage.deliver([ids])
    stage.line.then(2, NO_ANSWER).then(Part(1, (Refusal(ids[2], Reason.REFUSED),)), BUSY)
    async with sending(stage.context):
        await until_given_back(stage, delivery_id)
        (row,) = await rows_of(stage.database, delivery_id)
        assert (row.position, row.accepted) == (2, 2)
        await until_settled(stage, delivery_id)
    assert [call.recipients for call in stage.line.calls] == [tuple(ids), tuple(ids[2:]), tuple(ids[3:])]
    assert len({call.retry_key for call in stage.line.calls}) == 1
    assert Counter(stage.line.accepted) == Counter(ids[:2] + ids[3:])
    found = await tally_of(stage.database, delivery_id)
    assert (found.accepted, found.refused, found.unknown) == (5, 1, 0)


async def test_who_leaves_while_the_batch_waits_for_its_retry_is_not_sent_to(small_stage: Stage) -> None:
    ids = await small_stage.subscribers(4)
    delivery_id = await small_stage.deliver([ids])
    small_stage.line.then(1, BUSY)
    async with sending(small_stage.context):
        await until_given_back(small_stage, delivery_id)
        async with small_stage.database.write() as connection:
            for one in (ids[0], ids[1]):
                await leave(connection, one, reason="stopped", at=now_ms())
        await until_settled(small_stage, delivery_id)
    assert small_stage.line.calls[1].recipients == tuple(ids[2:])
    assert await refusals_of(small_stage.database, delivery_id) == {ids[1]: "unsubscribed"}
    assert (await tally_of(small_stage.database, delivery_id)).accepted == 3


async def test_a_quota_answer_to_a_batch_in_doubt_keeps_other_batches_in_doubt_open(
    small_stage: Stage,
) -> None:
    ids = await small_stage.subscribers(4)
    delivery_id = await small_stage.deliver([ids[:2], ids[2:]])
    small_stage.line.then(NO_ANSWER).then(QUOTA)
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    # The first may have arrived, so it was asked again with its key instead of being called refused.
    assert [call.recipients for call in small_stage.line.calls] == [
        tuple(ids[:2]),
        tuple(ids[2:]),
        tuple(ids[:2]),
    ]
    found = await tally_of(small_stage.database, delivery_id)
    assert (found.accepted, found.refused) == (2, 2)


@pytest.mark.parametrize("lane", ["urgent", "routine"])
@pytest.mark.parametrize(
    ("error", "outcome"), [(BUSY, "refused"), (REVOKED, "refused"), (NO_ANSWER, "unknown")]
)
async def test_when_no_retry_fits_into_the_budget_the_rest_is_settled_for_what_it_is(
    small_stage: Stage, lane: str, error: Exception, outcome: str
) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(3)], lane=lane)
    await small_stage.age(BUDGET[lane] - 5 * SECOND)
    # After so many tries the next wait is longer than the time left.
    await run_sql(small_stage.database, "UPDATE batch SET attempt = 10")
    small_stage.line.then(error)
    async with sending(small_stage.context):
        await eventually(lambda: settled(small_stage.database, delivery_id))
    (row,) = await rows_of(small_stage.database, delivery_id)
    assert (row.accepted, getattr(row, outcome), row.reason) == (0, 3, error.reason)  # type: ignore[attr-defined]
    assert len(small_stage.line.calls) == 1


async def test_after_progress_the_wait_is_that_of_a_first_failure(small_stage: Stage) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(3)])
    await run_sql(small_stage.database, "UPDATE batch SET attempt = 10")
    small_stage.line.then(1, BUSY)

    async def given_back() -> bool:
        return [row.reason for row in await rows_of(small_stage.database, delivery_id)] == [BUSY.reason]

    async with sending(small_stage.context):
        await eventually(given_back)
    (row,) = await rows_of(small_stage.database, delivery_id)
    assert row.attempt == 1
    assert row.not_before - now_ms() <= SECOND


@pytest.mark.parametrize("lane", ["urgent", "routine"])
async def test_within_the_budget_a_failure_is_tried_again(small_stage: Stage, lane: str) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(1)], lane=lane)
    await small_stage.age(BUDGET[lane] - 10 * SECOND)
    small_stage.line.then(BUSY)
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    assert (await tally_of(small_stage.database, delivery_id)).accepted == 1


@pytest.mark.parametrize("lane", ["urgent", "routine"])
async def test_after_a_long_downtime_what_was_never_sent_does_not_go_out_by_itself(
    stage: Stage, lane: str
) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)], lane=lane)
    await stage.age(BUDGET[lane] + SECOND)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert stage.line.calls == []
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.refused, row.unknown, row.reason) == (2, 0, "too_late")


async def test_after_a_long_downtime_what_may_have_arrived_stays_unknown_and_is_not_repeated(
    stage: Stage,
) -> None:
    delivery_id = await stage.deliver([await stage.subscribers(2)])
    stage.line.then(NO_ANSWER)
    async with sending(stage.context):
        await until_given_back(stage, delivery_id)
    # LINE forgets a retry key after a day: the same key would then deliver again.
    await stage.age(25 * HOUR)
    await stage.hurry()
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    assert len(stage.line.calls) == 1
    (row,) = await rows_of(stage.database, delivery_id)
    assert (row.refused, row.unknown, row.reason) == (0, 2, "too_late")


@pytest.mark.parametrize(("asked", "waits"), [(7.0, 7 * SECOND), (1e20, HOUR)])
async def test_a_wait_that_the_service_asks_for_is_kept_within_reason(
    small_stage: Stage, asked: float, waits: int
) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(1)])
    small_stage.line.then(TemporaryFailure(Reason.RATE, "間をあけて", retry_after=asked))
    before = now_ms()
    async with sending(small_stage.context):
        await until_given_back(small_stage, delivery_id)
    (row,) = await rows_of(small_stage.database, delivery_id)
    assert before + waits <= row.not_before <= now_ms() + waits


@pytest.mark.parametrize(("lane", "longest"), [("urgent", 15 * SECOND), ("routine", 5 * MINUTE)])
async def test_waits_grow_up_to_the_longest_of_the_lane(small_stage: Stage, lane: str, longest: int) -> None:
    ids = await small_stage.subscribers(3)
    delivery_id = await small_stage.deliver([[one] for one in ids], lane=lane)
    async with small_stage.database.write() as connection:
        await connection.exec_driver_sql("UPDATE batch SET attempt = seq * 20")
    for _ in ids:
        small_stage.line.then(BUSY)
    before = now_ms()
    async with sending(small_stage.context):
        await eventually(lambda: _all_have_reason(small_stage, delivery_id))
    after = now_ms()
    waits = [row.not_before for row in await rows_of(small_stage.database, delivery_id)]
    assert before + 500 <= waits[0] <= after + 1000
    for late in waits[1:]:
        assert before + longest / 2 <= late <= after + longest


async def _all_have_reason(stage: Stage, delivery_id: int) -> bool:
    return {row.reason for row in await rows_of(stage.database, delivery_id)} == {"server_busy"}


async def test_a_retry_never_stands_in_front_of_a_first_attempt(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    delivery_id = await stage.deliver([[one] for one in ids])
    async with stage.database.write() as connection:
        await connection.exec_driver_sql("UPDATE batch SET attempt = 3, state = 'unknown' WHERE seq = 0")
        await connection.exec_driver_sql("UPDATE batch SET attempt = 1 WHERE seq = 1")
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    assert [call.recipients[0] for call in stage.line.calls] == [ids[2], ids[3], ids[1], ids[0]]


async def test_an_urgent_notice_passes_a_routine_one_whose_channel_hangs(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    gate = asyncio.Event()
    stage.line.then(gate)
    routine = await stage.deliver([ids])
    async with sending(stage.context):
        await until_states(stage, routine, "claimed")
        urgent = await stage.deliver([ids], lane="urgent")
        await until_settled(stage, urgent)
        assert await states(stage.database, routine) == ["claimed"]
        gate.set()
        await until_settled(stage, routine)


async def test_no_more_batches_are_sent_at_once_than_the_channel_allows_and_half_as_many_wait_ready(
    town: Town, sqlite_database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lane, "AHEAD", 16)
    stage = make_stage(town, sqlite_database, keys, line=Script(concurrency=4))
    ids = await stage.subscribers(8)
    gate = asyncio.Event()
    for _ in ids:
        stage.line.then(gate)
    delivery_id = await stage.deliver([[one] for one in ids])
    async with sending(stage.context):
        await until_states(stage, delivery_id, *["claimed"] * 6, *["ready"] * 2)
        await asyncio.sleep(0.1)
        assert len(stage.line.calls) == 4
        gate.set()
        await until_settled(stage, delivery_id)


async def test_two_senders_on_one_database_send_every_batch_once(
    town: Town, database: Database, keys: Keys
) -> None:
    script = Script(concurrency=3)
    here = make_stage(town, database, keys, line=script)
    there = make_stage(town, Database(database.url), keys, line=script)
    ids = await here.subscribers(40)
    delivery_id = await here.deliver([[one] for one in ids])
    try:
        async with sending(here.context), sending(there.context):
            await until_settled(here, delivery_id)
    finally:
        await there.database.close()
    assert Counter(script.accepted) == Counter(ids)
    assert (await tally_of(database, delivery_id)).accepted == 40


async def test_a_broadcast_is_one_call_and_accepts_everybody(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    delivery_id = await stage.deliver([ids], kind="broadcast")
    async with sending(stage.context):
        await until_settled(stage, delivery_id)
    (row,) = await rows_of(stage.database, delivery_id)
    assert stage.line.broadcasts == [row.retry_key]
    assert (row.accepted, row.position) == (3, 3)


async def test_a_broadcast_in_doubt_is_repeated_with_the_same_key(small_stage: Stage) -> None:
    delivery_id = await small_stage.deliver([await small_stage.subscribers(3)], kind="broadcast")
    small_stage.line.then(NO_ANSWER)
    async with sending(small_stage.context):
        await until_settled(small_stage, delivery_id)
    (row,) = await rows_of(small_stage.database, delivery_id)
    assert small_stage.line.broadcasts == [row.retry_key] * 2
    assert row.accepted == 3
