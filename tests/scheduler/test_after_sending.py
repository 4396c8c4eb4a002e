"""After sending: what a person stops does not leave, and a correction reaches those whom the notice reached."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from channels.channel import BatchRefused, Part, Refusal
from channels.reasons import Reason
from content.clock import DAY, now_ms
from content.keys import Keys
from content.ledger.recipients import unpack
from content.notices import triggers
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.register import subscriber_changes
from content.register.subscribers import Preferences
from content.staff import audit
from content.town import Town
from scheduler import after_sending, fanout, notice_service, retrying
from scheduler.checks import NoticeRefused
from scheduler.fanout import plan_next
from scheduler.sweeps import summarise_old, sweep
from scheduler.triggers import fire_due
from tests.factories import create_town, make_subscriber, segment
from tests.scheduler.scripted import (
    Fresh,
    Stage,
    deliveries_of,
    eventually,
    get_notice,
    make_stage,
    plan_all,
    rows_of,
    run_sql,
    sending,
    settled,
    states,
    tally_of,
)

SAIGAI: dict[str, Any] = {"category": "saigai", "urgency": "urgent"}


async def send_out(stage: Stage, **changes: Any) -> int:
    """A notice that has gone out to everybody who is meant."""
    notice_id = await stage.notice(**{**SAIGAI, **changes})
    await fire_due(stage.context)
    await plan_all(stage)
    await drain(stage, notice_id)
    return notice_id


async def drain(stage: Stage, notice_id: int) -> None:
    found = await deliveries_of(stage.database, notice_id)
    async with sending(stage.context):
        for row in found.values():
            await eventually(lambda row=row: settled(stage.database, row.id), hurry=stage)  # type: ignore[misc]


async def follow(stage: Stage, notice_id: int, kind: NoticeKind = NoticeKind.CORRECTION) -> int:
    """A correction or withdrawal, approved."""
    spec = await after_sending.follow_up(stage.context, notice_id, kind)
    return await notice_service.post(stage.context, spec, submission_key=uuid4().hex, staff="cli:sato")


async def recipients_of(stage: Stage, notice_id: int) -> set[int]:
    """Fires and plans it; everybody in its batches, who must stand in one only."""
    await fire_due(stage.context)
    await plan_all(stage)
    ids = [
        one
        for row in (await deliveries_of(stage.database, notice_id)).values()
        for batch in await rows_of(stage.database, row.id)
        for one in unpack(batch.recipients)
    ]
    assert len(ids) == len(set(ids))
    return set(ids)


async def leave(stage: Stage, subscriber_id: int) -> None:
    async with stage.database.write() as connection:
        await subscriber_changes.leave(connection, subscriber_id, reason="form", at=now_ms())


async def newcomer(stage: Stage) -> None:
    async with stage.database.write() as connection:
        await make_subscriber(
            connection, stage.context.keys, address=f"U{uuid4().hex}", categories={"saigai"}, at=now_ms()
        )


async def test_a_correction_goes_to_those_who_were_reached_and_are_still_here(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    stage.line.then(Part(2, (Refusal(ids[0], Reason.INVALID_RECIPIENT),)))
    original = await send_out(stage)
    await leave(stage, ids[5])
    assert await recipients_of(stage, await follow(stage, original)) == set(ids[1:5])


async def test_preferences_do_not_keep_a_correction_away(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    original = await send_out(stage)
    async with stage.database.write() as connection:
        nothing = Preferences(categories=frozenset(), language="en")
        await subscriber_changes.change_preferences(connection, ids[0], nothing, at=now_ms(), reason="form")
    assert ids[0] in await recipients_of(stage, await follow(stage, original))


async def test_newcomers_hear_of_no_correction(stage: Stage) -> None:
    ids = await stage.subscribers(2)
    original = await send_out(stage)
    await newcomer(stage)
    assert await recipients_of(stage, await follow(stage, original)) == set(ids)


async def test_a_segment_that_was_changed_or_closed_does_not_matter(stage: Stage) -> None:
    ids = await stage.subscribers(3)
    rule = {"field": "language", "any_of": ["ja"]}
    with_segment = make_stage(create_town(segments=[segment(rule)]), stage.database, stage.context.keys)
    original = await send_out(with_segment, target=Target("segment", "chosen"))
    nobody = {"field": "language", "any_of": ["en"]}
    changed = make_stage(create_town(segments=[segment(nobody)]), stage.database, stage.context.keys)
    assert await recipients_of(changed, await follow(changed, original)) == set(ids)
    closed = make_stage(create_town(segments=[]), stage.database, stage.context.keys)
    assert await recipients_of(closed, await follow(closed, original)) == set(ids)


async def test_approving_a_correction_stops_what_has_not_left(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    delivery_id = (await deliveries_of(stage.database, original))["line"].id
    correction = await follow(stage, original)
    assert set(await states(stage.database, delivery_id)) == {"settled"}
    tally = await tally_of(stage.database, delivery_id)
    assert (tally.refused, tally.reason) == (4, "corrected")
    # They were meant, so the corrected words are the first that they get.
    assert await recipients_of(stage, correction) == set(ids)
    await drain(stage, correction)
    assert sorted(stage.line.accepted) == ids


async def test_a_withdrawal_goes_to_nobody_who_cannot_have_got_the_notice(stage: Stage) -> None:
    await stage.subscribers(4)
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    delivery_id = (await deliveries_of(stage.database, original))["line"].id
    rest = asyncio.Event()
    stage.line.then(2)
    stage.line.then(rest)
    async with sending(stage.context):
        await eventually(lambda: _accepted(stage, delivery_id, 2))
        await after_sending.stop(stage.context, original, staff="cli:sato")
        rest.set()
        await eventually(lambda: settled(stage.database, delivery_id))
    got = set(stage.line.accepted)
    assert 2 <= len(got) <= 4
    assert await recipients_of(stage, await follow(stage, original, NoticeKind.WITHDRAWAL)) == got


async def _accepted(stage: Stage, delivery_id: int, number: int) -> bool:
    return (await tally_of(stage.database, delivery_id)).accepted >= number


async def test_a_stop_in_mid_batch_ends_what_is_on_the_wire_and_no_more(stage: Stage) -> None:
    await stage.subscribers(8)
    stage.line.batch_size = 4
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    delivery_id = (await deliveries_of(stage.database, original))["line"].id

    async def stop_now() -> None:
        assert await after_sending.stop(stage.context, original, staff="cli:sato")
        await asyncio.sleep(0.5)

    stage.line.then(1, stop_now, 1)
    async with sending(stage.context):
        await eventually(lambda: settled(stage.database, delivery_id))
    tally = await tally_of(stage.database, delivery_id)
    assert tally.accepted + tally.refused == 8 and tally.open == tally.unknown == 0
    assert tally.accepted <= 2 and len(stage.line.calls) == 1
    assert (await notice_service.status(stage.context, original)).state == "stopped"


async def test_stopping_during_planning_leaves_the_rest_unplanned(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 2)
    await stage.subscribers(5)
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    assert await plan_next(stage.context)
    assert await after_sending.stop(stage.context, original, staff="cli:sato")
    await plan_all(stage)
    status = await notice_service.status(stage.context, original)
    assert (status.state, status.planned, status.accepted) == ("stopped", 2, 0)


async def test_stopping_twice_and_after_the_end_says_that_there_was_nothing(stage: Stage) -> None:
    await stage.subscribers(2)
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    assert await after_sending.stop(stage.context, original, staff="cli:sato")
    assert not await after_sending.stop(stage.context, original, staff="cli:sato")
    done = await send_out(stage)
    assert not await after_sending.stop(stage.context, done, staff="cli:sato")
    assert (await notice_service.status(stage.context, done)).state == "finished"
    async with stage.database.read() as connection:
        entries = await audit.entries(connection, f"notice {original}", action="notice.stopped")
    assert [entry.actor for entry in entries] == ["cli:sato"]


async def test_what_is_due_and_has_not_begun_is_cancelled_by_a_stop(stage: Stage) -> None:
    original = await stage.notice(**SAIGAI)
    assert await after_sending.stop(stage.context, original, staff="cli:sato")
    assert await fire_due(stage.context) == 0


async def test_a_batch_of_a_dead_process_is_not_sent_after_a_stop(stage: Stage) -> None:
    await stage.subscribers(2)
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    delivery_id = (await deliveries_of(stage.database, original))["line"].id
    await run_sql(
        stage.database,
        "UPDATE batch SET state = 'claimed', lease_owner = 'dead', lease_until = 1 WHERE delivery_id = :id",
        id=delivery_id,
    )
    assert await after_sending.stop(stage.context, original, staff="cli:sato")
    await sweep(stage.context)
    assert set(await states(stage.database, delivery_id)) == {"settled"}
    assert (await tally_of(stage.database, delivery_id)).unknown == 2


async def test_a_correction_of_a_correction_goes_to_everybody_of_the_chain(stage: Stage) -> None:
    ids = await stage.subscribers(4)
    original = await send_out(stage)
    first = await follow(stage, original)
    # The first correction was stopped before anything left, so nobody has it.
    assert await after_sending.stop(stage.context, first, staff="cli:sato")
    second = await follow(stage, original)
    await recipients_of(stage, second)
    await drain(stage, second)
    third = await follow(stage, second)
    assert await recipients_of(stage, third) == set(ids)


@pytest.mark.parametrize("kind", [NoticeKind.CORRECTION, NoticeKind.WITHDRAWAL])
async def test_what_has_not_gone_out_cannot_be_corrected(stage: Stage, kind: NoticeKind) -> None:
    draft = await stage.notice(approved=False)
    booked = await stage.notice(at=now_ms() + DAY)
    cancelled = await stage.notice(at=now_ms() + DAY)
    await notice_service.cancel(stage.context, cancelled, staff="cli:sato")
    for notice_id, words in ((draft, "下書き"), (booked, "予約"), (cancelled, "取り消した")):
        with pytest.raises(NoticeRefused, match=words):
            await follow(stage, notice_id, kind)


async def test_after_ninety_days_the_reason_and_the_way_out_are_told(stage: Stage) -> None:
    await stage.subscribers(2)
    original = await send_out(stage)
    await run_sql(stage.database, "UPDATE delivery SET created_at = 1")
    await summarise_old(stage.context)
    with pytest.raises(NoticeRefused, match=r"90日.*新しいお知らせ"):
        await follow(stage, original)


@pytest.mark.parametrize("held", [False, True], ids=["waiting", "held"])
async def test_a_second_correction_takes_the_place_of_one_that_has_not_begun(
    stage: Stage, held: bool
) -> None:
    ids = await stage.subscribers(3)
    original = await send_out(stage)
    first = await follow(stage, original)
    if held:
        async with stage.database.write() as connection:
            await triggers.hold(connection, first, "保守モード")
    second = await follow(stage, original)
    assert await recipients_of(stage, second) == set(ids)
    assert await recipients_of(stage, first) == set()
    assert (await notice_service.status(stage.context, first)).state == "cancelled"


async def test_a_notice_is_withdrawn_once(stage: Stage) -> None:
    await stage.subscribers(1)
    original = await send_out(stage)
    withdrawal = await follow(stage, original, NoticeKind.WITHDRAWAL)
    with pytest.raises(NoticeRefused, match="すでに"):
        await follow(stage, original, NoticeKind.WITHDRAWAL)
    await recipients_of(stage, withdrawal)
    # A withdrawal that was a mistake itself can be corrected, with the words of the beginning.
    again = await after_sending.follow_up(stage.context, withdrawal, NoticeKind.CORRECTION)
    assert again.texts == (await get_notice(stage.database, original)).spec.texts


async def test_a_broadcast_is_corrected_by_a_broadcast(stage: Stage) -> None:
    account = {"key": "line", "channel": "line", "everyone": "broadcast"}
    town = make_stage(create_town(accounts=[account]), stage.database, stage.context.keys)
    ids = await town.subscribers(3)
    original = await send_out(town, target=Target("everyone"))
    correction = await follow(town, original)
    assert await recipients_of(town, correction) == set(ids)
    await drain(town, correction)
    assert len(town.line.broadcasts) == 2 and not town.line.calls
    # What went to a list is not corrected to everybody, whatever the profile says by now.
    lists = make_stage(
        create_town(accounts=[{**account, "everyone": "multicast"}]), stage.database, stage.context.keys
    )
    other = await follow(town, await send_out(lists, target=Target("everyone")))
    assert await recipients_of(town, other) == set(ids)
    await drain(town, other)
    assert len(town.line.broadcasts) == 2 and sorted(town.line.accepted) == ids


async def test_the_withdrawal_speaks_every_language_of_the_notice(stage: Stage) -> None:
    await stage.subscribers(1)
    texts = {"ja": ("避難指示", "本文"), "en": ("Evacuate", "Body"), "ja-easy": ("にげて", "本文")}
    original = await send_out(stage, texts=texts)
    spec = await after_sending.follow_up(stage.context, original, NoticeKind.WITHDRAWAL)
    assert {tag: title for tag, (title, _) in spec.texts.items()} == {
        tag: title for tag, (title, _) in texts.items()
    }
    assert "取り消します" in spec.texts["ja"][1]
    assert "withdrawn" in spec.texts["en"][1] and "取（と）り消（け）します" in spec.texts["ja-easy"][1]


async def test_planning_of_a_correction_goes_on_where_it_broke_off(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fanout, "SLICE", 3)
    ids = await stage.subscribers(11)
    original = await send_out(stage)
    correction = await follow(stage, original)
    await fire_due(stage.context)
    assert await plan_next(stage.context)
    # Another process takes over from what the database knows.
    other = make_stage(stage.context.town, stage.database, stage.context.keys)
    assert await recipients_of(other, correction) == set(ids)


STEPS = st.lists(
    st.tuples(
        st.sampled_from(["accept", "refuse one", "join", "leave", "change", "stop", "correct", "withdraw"]),
        st.integers(0, 7),
    ),
    max_size=8,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS, size=st.integers(1, 8))
async def test_recipients_of_a_correction_are_those_of_the_original_minus_those_gone(
    fresh_database: Fresh, town: Town, keys: Keys, steps: list[tuple[str, int]], size: int
) -> None:
    await _history(make_stage(town, await fresh_database(), keys), steps, size)


async def _history(stage: Stage, steps: list[tuple[str, int]], size: int) -> None:
    ids = await stage.subscribers(size)
    original = await stage.notice(**SAIGAI)
    await fire_due(stage.context)
    await plan_all(stage)
    meant, gone, newest = set(ids), set[int](), original
    for step, number in steps:
        one = ids[number % size]
        if step == "accept":
            await drain(stage, original)
        elif step == "refuse one":
            stage.line.then(Part(1, (Refusal(ids[0], Reason.INVALID_RECIPIENT),)))
        elif step == "join":
            await newcomer(stage)
        elif step == "leave" and one not in gone:
            await leave(stage, one)
            gone.add(one)
        elif step == "change" and one not in gone:
            async with stage.database.write() as connection:
                chosen = Preferences(categories=frozenset(), language="en")
                await subscriber_changes.change_preferences(
                    connection, one, chosen, at=now_ms(), reason="form"
                )
        elif step == "stop":
            await after_sending.stop(stage.context, newest, staff="cli:sato")
        elif step in ("correct", "withdraw"):
            kind = NoticeKind.CORRECTION if step == "correct" else NoticeKind.WITHDRAWAL
            try:
                newest = await follow(stage, newest, kind)
            except NoticeRefused:
                continue
            found = await recipients_of(stage, newest)
            assert found <= meant - gone
    last = await follow(stage, original)
    assert await recipients_of(stage, last) <= meant - gone


async def test_only_those_refused_for_a_passing_reason_are_sent_to_again(stage: Stage) -> None:
    ids = await stage.subscribers(6)
    stage.line.then(
        Part(2, (Refusal(ids[0], Reason.TEMPORARILY_REFUSED), Refusal(ids[1], Reason.INVALID_RECIPIENT)))
    )
    stage.line.then(1, BatchRefused(Reason.SENDER_REFUSED, "差出人"))
    stage.line.then(BatchRefused(Reason.CONTENT_REFUSED, "内容"))
    original = await send_out(stage)
    delivery_id = (await deliveries_of(stage.database, original))["line"].id
    before = await tally_of(stage.database, delivery_id)
    assert (before.accepted, before.refused) == (1, 5)
    keys = {row.retry_key for row in await rows_of(stage.database, delivery_id)}
    stage.line.calls.clear()
    assert await retrying.retry(stage.context, original, staff="cli:sato") == 2
    await drain(stage, original)
    assert sorted(stage.line.accepted) == [ids[0], ids[3]]
    assert not keys & {call.retry_key for call in stage.line.calls}
    after = await tally_of(stage.database, delivery_id)
    assert (after.planned, after.accepted, after.refused, after.open) == (before.planned, 3, 3, 0)
    status = await notice_service.status(stage.context, original)
    assert sum(number for _, _, number in status.reasons) == 3
    with pytest.raises(NoticeRefused, match="送り直せる宛先はありません"):
        await retrying.retry(stage.context, original, staff="cli:sato")
    # And whoever heard of it at the second try hears of its correction.
    assert await recipients_of(stage, await follow(stage, original)) == {ids[0], ids[2], ids[3]}
    with pytest.raises(NoticeRefused, match="訂正か取り消し"):
        await retrying.retry(stage.context, original, staff="cli:sato")
