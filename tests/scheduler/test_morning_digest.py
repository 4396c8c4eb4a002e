"""朝のまとめ: the routine notices of a day in one message, each accounted for by itself."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.channel import Part, Refusal
from channels.digest import LIMIT, as_digest
from channels.reasons import Reason
from channels.rendering import utf16_length
from content.clock import DAY, now_ms, to_jst
from content.database import Database
from content.keys import Keys
from content.ledger.morning import Waiting, by_what_they_wait_for
from content.ledger.recipients import unpack
from content.notices import notices
from content.notices.attachments import Attachments
from content.notices.digests import next_morning
from content.notices.segments import Target
from content.register.registration import Registration, register_many
from content.register.states import Pace
from content.register.subscribers import Preferences
from scheduler import after_sending, morning
from scheduler.town_context import announcement
from scheduler.triggers import fire_due
from tests.factories import create_town, jst, line_id
from tests.scheduler.scripted import (
    Stage,
    deliveries_of,
    eventually,
    fire,
    make_stage,
    plan_all,
    refusals_of,
    rows_of,
    run_sql,
    sending,
    settled,
    tally_of,
)

DIGEST = Preferences(categories=frozenset({"kosodate", "saigai", "event"}), pace=Pace.MORNING)
AT_ONCE = Preferences(categories=frozenset({"kosodate", "saigai", "event"}))
ONLY_EVENTS = Preferences(categories=frozenset({"saigai", "event"}), pace=Pace.MORNING)


@pytest.fixture
def stage(database: Database, keys: Keys) -> Stage:
    return make_stage(create_town(), database, keys)


async def register(stage: Stage, *chosen: Preferences) -> list[int]:
    rows = [Registration("line", "line", line_id(number), one, now_ms()) for number, one in enumerate(chosen)]
    async with stage.database.write() as connection:
        return await register_many(connection, stage.context.keys, rows, reason="import")


async def at_the_time(stage: Stage) -> None:
    """As if it were half past seven."""
    past = now_ms() - 1
    await run_sql(
        stage.database,
        "UPDATE batch SET not_before = :past, created_at = :past WHERE lane = 'morning'",
        past=past,
    )
    await morning.look(stage.context)


async def all_settled(stage: Stage, *deliveries: int) -> bool:
    await morning.look(stage.context)
    return all([await settled(stage.database, delivery_id) for delivery_id in deliveries])


def sent(stage: Stage) -> list[tuple[int, ...]]:
    return sorted(call.recipients for call in stage.line.calls)


async def test_one_message_carries_the_notices_of_a_day_and_each_counts_its_readers(stage: Stage) -> None:
    both, now, events = await register(stage, DIGEST, AT_ONCE, ONLY_EVENTS)
    first = (await fire(stage))["line"]
    second = (await fire(stage, category="event"))["line"]
    await plan_all(stage)
    waiting = [row for item in (first, second) for row in await rows_of(stage.database, item)]
    due = {row.not_before for row in waiting if row.lane == "morning"}
    assert [to_jst(at).strftime("%H:%M") for at in due] == ["07:30"]
    async with sending(stage.context):
        await eventually(lambda: _is_at_rest(stage, second))
        assert sent(stage) == [(now,), (now,)]
        await at_the_time(stage)
        await eventually(lambda: all_settled(stage, first, second))
    # One message for her who chose both, though there were two notices.
    assert sorted(sent(stage)) == sorted([(now,), (now,), (both,), (events,)])
    for delivery_id, number in ((first, 2), (second, 3)):
        found = await tally_of(stage.database, delivery_id)
        assert (found.planned, found.accepted, found.refused, found.open) == (number, number, 0, 0)


async def _is_at_rest(stage: Stage, delivery_id: int) -> bool:
    found = await tally_of(stage.database, delivery_id)
    return bool(found.resting) and found.open == found.resting


async def test_whoever_is_refused_is_refused_in_each_of_the_notices(stage: Stage) -> None:
    await register(stage, DIGEST, DIGEST)
    first = (await fire(stage))["line"]
    second = (await fire(stage, category="event"))["line"]
    await plan_all(stage)
    one = unpack((await rows_of(stage.database, first))[0].recipients)[0]
    stage.line.then(Part(2, (Refusal(one, Reason.INVALID_RECIPIENT),)))
    async with sending(stage.context):
        await at_the_time(stage)
        await eventually(lambda: all_settled(stage, first, second))
    for delivery_id in (first, second):
        assert await refusals_of(stage.database, delivery_id) == {one: "invalid_recipient"}
        found = await tally_of(stage.database, delivery_id)
        assert (found.planned, found.accepted, found.refused) == (2, 1, 1)
    assert len(stage.line.calls) == 1


@pytest.mark.parametrize(
    "changes",
    [
        {"urgency": "urgent"},
        {"category": "saigai"},
        {"target": Target("everyone")},
        {"attached": Attachments(asks_read=True)},
        {"expires": now_ms() + DAY},
    ],
    ids=["urgent", "life-critical", "to everyone", "to be answered", "over by then"],
)
async def test_what_cannot_wait_comes_at_once(stage: Stage, changes: dict[str, object]) -> None:
    await register(stage, DIGEST)
    for delivery_id in (await fire(stage, **changes)).values():
        await plan_all(stage)
        assert "morning" not in {row.lane for row in await rows_of(stage.database, delivery_id)}


async def test_what_was_stopped_in_time_stands_in_no_digest(stage: Stage) -> None:
    (one,) = await register(stage, DIGEST)
    first = (await fire(stage))["line"]
    notice_id = await stage.notice(category="event")
    await fire_and_plan(stage)
    second = (await deliveries_of(stage.database, notice_id))["line"].id
    await after_sending.stop(stage.context, notice_id, staff="tanaka")
    await at_the_time(stage)
    (sent_later,) = await rows_of(stage.database, first)
    assert (sent_later.lane, sent_later.carries, unpack(sent_later.recipients)) == ("digest", "", [one])
    assert (await tally_of(stage.database, second)).refused == 1


async def fire_and_plan(stage: Stage) -> None:
    await fire_due(stage.context)
    await plan_all(stage)


def test_the_next_morning_is_never_this_very_moment() -> None:
    town, at = create_town(), jst(2026, 4, 7, 7, 30)
    assert next_morning(town, at - 1) == at
    assert next_morning(town, at) == at + DAY


@given(
    st.lists(
        st.builds(
            Waiting,
            st.integers(1, 4),
            st.sampled_from(["ja", "en"]),
            st.sets(st.integers(1, 9), max_size=5).map(lambda ids: tuple(sorted(ids))),
        ),
        max_size=8,
    )
)
def test_everybody_gets_one_message_with_exactly_what_she_waits_for(waiting: list[Waiting]) -> None:
    meant: dict[int, set[int]] = {}
    for item in waiting:
        for one in item.recipients:
            meant.setdefault(one, set()).add(item.delivery_id)
    found: dict[int, set[int]] = {}
    for (_, deliveries), ids in by_what_they_wait_for(waiting).items():
        assert ids == sorted(set(ids)) and list(deliveries) == sorted(set(deliveries))
        for one in ids:
            assert one not in found
            found[one] = set(deliveries)
    assert found == meant


@pytest.mark.parametrize("number", [2, 12, 40])
async def test_a_digest_names_each_notice_with_its_page_and_stays_readable(stage: Stage, number: int) -> None:
    notice_id = await stage.notice(texts={"ja": ("健診のお知らせ", "四か月の健診です。" * 40)})
    async with stage.database.read() as connection:
        found = await notices.get(connection, notice_id)
    one = announcement(stage.context, found)
    digest = as_digest([one] * number, "en")
    text = digest.text("en")
    assert text.title == f"Morning digest ({number} notices)"
    assert text.body.count("健診のお知らせ") == text.body.count(one.url) == number
    assert number > 12 or utf16_length(text.body) <= LIMIT
