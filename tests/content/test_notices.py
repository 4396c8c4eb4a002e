"""Notices: from draft to approved, and when they are due."""

import asyncio

import pytest
from sqlalchemy import func, select

from content.clock import HOUR, MINUTE
from content.notices import notice_changes, notices, triggers
from content.notices.notices import notice, notice_version
from content.notices.segments import Target
from tests.factories import APRIL_TUESDAY, make_notice, spec

LATER = APRIL_TUESDAY + HOUR


async def get(connection, notice_id):
    found = await notices.get(connection, notice_id)
    assert found is not None
    return found


async def test_a_draft_is_kept_as_it_was_written(database):
    written = spec(
        category="saigai",
        urgency="urgent",
        texts={"ja": ("避難指示", "今すぐ避難"), "en": ("Evacuate", "Leave now")},
        channels=("line", "mail"),
        mode="drill",
        target=Target("segment", "abukuma"),
        at=LATER,
    )
    async with database.write() as connection:
        notice_id, created = await notice_changes.create(
            connection, written, submission_key="form-1", staff="tanaka", at=APRIL_TUESDAY
        )
        kept = await get(connection, notice_id)
    assert created
    assert kept.spec == written
    assert (kept.state, kept.trigger_state) == ("draft", "waiting")
    assert (kept.created_by, kept.created_at) == ("tanaka", APRIL_TUESDAY)
    assert (kept.title, kept.body, tuple(kept.spec.texts)) == ("避難指示", "今すぐ避難", ("ja", "en"))


async def test_one_form_sent_twice_is_one_notice(database):
    async with database.write() as connection:
        first = await make_notice(connection, approved=False, submission_key="form-1")
        again = await notice_changes.create(
            connection, spec(category="event"), submission_key="form-1", staff="tanaka", at=LATER
        )
        assert again == (first, False)
        assert (await get(connection, first)).spec.category == "kosodate"
        assert await connection.scalar(select(func.count()).select_from(notice)) == 1


async def test_one_form_sent_twice_at_the_same_moment_is_one_notice(database):
    async def submit():
        async with database.write() as connection:
            return await notice_changes.create(
                connection, spec(), submission_key="form-1", staff="tanaka", at=APRIL_TUESDAY
            )

    answers = await asyncio.gather(*(submit() for _ in range(4)))
    assert len({notice_id for notice_id, _ in answers}) == 1
    assert sorted(created for _, created in answers) == [False, False, False, True]


async def test_a_draft_that_is_revised_has_a_new_version_and_keeps_the_old_one(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
        before = await get(connection, notice_id)
        better = spec(texts={"ja": ("健診のお知らせ", "5月の健診です。")}, at=LATER)
        assert await notice_changes.revise(connection, notice_id, better, staff="sato", at=LATER)
        after = await get(connection, notice_id)
        assert after.spec == better
        assert after.version_id != before.version_id
        assert await connection.scalar(select(func.count()).select_from(notice_version)) == 2


async def test_what_is_approved_cannot_change_any_more(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        before = await get(connection, notice_id)
        assert not await notice_changes.revise(
            connection, notice_id, spec(category="event"), staff="sato", at=LATER
        )
        assert await get(connection, notice_id) == before
        assert await connection.scalar(select(func.count()).select_from(notice_version)) == 1


async def test_a_notice_is_approved_once(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
        assert await notice_changes.approve(connection, notice_id, staff="sato", at=LATER)
        assert not await notice_changes.approve(connection, notice_id, staff="suzuki", at=LATER + 1)
        approved = await get(connection, notice_id)
        assert (approved.approved_by, approved.approved_at, approved.due_at) == ("sato", LATER, LATER)


async def test_two_who_approve_at_the_same_moment_approve_once(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection, approved=False)

    async def approve(staff):
        async with database.write() as connection:
            return await notice_changes.approve(connection, notice_id, staff=staff, at=LATER)

    assert sorted(await asyncio.gather(*map(approve, ("sato", "suzuki", "tanaka")))) == [False, False, True]


async def test_a_notice_for_a_later_time_keeps_it_when_approved(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection, at=APRIL_TUESDAY, approved=False)
        scheduled = spec(at=LATER)
        await notice_changes.revise(connection, notice_id, scheduled, staff="sato", at=APRIL_TUESDAY)
        await notice_changes.approve(connection, notice_id, staff="sato", at=APRIL_TUESDAY)
        assert (await get(connection, notice_id)).due_at == LATER
        assert await triggers.due(connection, LATER - 1) == []
        assert await triggers.due(connection, LATER) == [notice_id]


async def test_a_draft_is_never_due_and_never_fires(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection, approved=False)
        assert await triggers.due(connection, LATER) == []
        assert not await triggers.fire(connection, notice_id, LATER)
        assert (await get(connection, notice_id)).trigger_state == "waiting"


async def test_what_is_due_comes_urgent_first_then_by_time(database):
    async with database.write() as connection:
        second = await make_notice(connection, at=APRIL_TUESDAY + MINUTE)
        first = await make_notice(connection, at=APRIL_TUESDAY)
        urgent = await make_notice(connection, urgency="urgent", at=APRIL_TUESDAY + 2 * MINUTE)
        same_time = await make_notice(connection, at=APRIL_TUESDAY)
        assert await triggers.due(connection, LATER) == [urgent, first, same_time, second]


async def test_a_trigger_fires_once(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)

    async def fire(now):
        async with database.write() as connection:
            return await triggers.fire(connection, notice_id, now)

    assert sorted(await asyncio.gather(*map(fire, (LATER, LATER + 1, LATER + 2)))) == [False, False, True]
    async with database.read() as connection:
        assert (await get(connection, notice_id)).trigger_state == "fired"
        assert await triggers.due(connection, LATER + HOUR) == []


@pytest.mark.parametrize("approved", [False, True])
async def test_a_cancelled_notice_never_goes_out(database, approved):
    async with database.write() as connection:
        notice_id = await make_notice(connection, approved=approved)
        assert await notice_changes.cancel(connection, notice_id)
        assert (await get(connection, notice_id)).state == "cancelled"
        assert not await notice_changes.cancel(connection, notice_id)
        assert not await notice_changes.approve(connection, notice_id, staff="sato", at=LATER)
        assert not await notice_changes.revise(connection, notice_id, spec(), staff="sato", at=LATER)
        assert not await triggers.fire(connection, notice_id, LATER)
        assert not await triggers.hold(connection, notice_id, "遅い")
        assert not await triggers.release(connection, notice_id, at=LATER)
        assert await triggers.due(connection, LATER) == []


async def test_a_booked_notice_goes_back_to_a_draft_and_waits_for_a_new_approval(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection, at=APRIL_TUESDAY, approved=False)
        await notice_changes.revise(connection, notice_id, spec(at=LATER), staff="sato", at=APRIL_TUESDAY)
        assert not await notice_changes.back_to_draft(connection, notice_id)
        await notice_changes.approve(connection, notice_id, staff="sato", at=APRIL_TUESDAY)
        assert await notice_changes.back_to_draft(connection, notice_id)
        draft = await get(connection, notice_id)
        assert (draft.state, draft.approved_by, draft.approved_at) == ("draft", None, None)
        assert (draft.spec.at, draft.trigger_state) == (LATER, "waiting")
        assert await triggers.due(connection, LATER) == []
        assert not await triggers.fire(connection, notice_id, LATER)
        assert await notice_changes.revise(
            connection, notice_id, spec(at=LATER + HOUR), staff="sato", at=APRIL_TUESDAY
        )
        assert await notice_changes.approve(connection, notice_id, staff="suzuki", at=APRIL_TUESDAY)
        assert await triggers.due(connection, LATER) == []
        assert await triggers.due(connection, LATER + HOUR) == [notice_id]


async def test_what_fired_is_held_or_cancelled_or_corrects_another_does_not_go_back_to_a_draft(database):
    async with database.write() as connection:
        fired, held, cancelled = [await make_notice(connection) for _ in range(3)]
        correction = await make_notice(connection, kind="correction", corrects=fired)
        await triggers.fire(connection, fired, LATER)
        await triggers.hold(connection, held, "遅い")
        await notice_changes.cancel(connection, cancelled)
        for notice_id in (fired, held, cancelled, correction):
            before = await get(connection, notice_id)
            assert not await notice_changes.back_to_draft(connection, notice_id)
            assert await get(connection, notice_id) == before


async def test_what_has_fired_cannot_be_cancelled_or_held(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        assert await triggers.fire(connection, notice_id, LATER)
        assert not await notice_changes.cancel(connection, notice_id)
        assert not await triggers.hold(connection, notice_id, "遅い")
        fired = await get(connection, notice_id)
        assert (fired.state, fired.trigger_state, fired.fired_at) == ("approved", "fired", LATER)


async def test_a_held_notice_waits_for_a_person_and_goes_out_when_released(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        assert await triggers.hold(connection, notice_id, "時間がたちすぎています。")
        held = await get(connection, notice_id)
        assert (held.trigger_state, held.held_reason) == ("held", "時間がたちすぎています。")
        assert await triggers.due(connection, LATER) == []
        assert not await triggers.fire(connection, notice_id, LATER)
        assert await triggers.release(connection, notice_id, at=LATER)
        assert not await triggers.release(connection, notice_id, at=LATER)
        released = await get(connection, notice_id)
        assert (released.due_at, released.held_reason) == (LATER, "")
        assert await triggers.due(connection, LATER) == [notice_id]


async def test_a_held_notice_can_be_cancelled(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        await triggers.hold(connection, notice_id, "遅い")
        assert await notice_changes.cancel(connection, notice_id)
        assert not await triggers.release(connection, notice_id, at=LATER)


async def test_only_a_held_notice_can_be_released(database):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        assert not await triggers.release(connection, notice_id, at=LATER)
        assert (await get(connection, notice_id)).due_at == APRIL_TUESDAY


async def test_a_correction_knows_what_it_corrects(database):
    async with database.write() as connection:
        original = await make_notice(connection)
        correction = await make_notice(connection, kind="correction", corrects=original)
        found = await get(connection, correction)
        assert (found.kind, found.corrects) == ("correction", original)


async def test_the_newest_notices_come_first_page_by_page(database):
    async with database.write() as connection:
        ids = [await make_notice(connection) for _ in range(5)]
        assert [item.id for item in await notices.recent(connection, limit=2)] == ids[:-3:-1]
        assert [item.id for item in await notices.recent(connection, limit=2, before=ids[3])] == [
            ids[2],
            ids[1],
        ]


async def test_before_the_first_notice_there_is_nothing(database):
    async with database.read() as connection:
        assert await notices.get(connection, 1) is None
        assert await notices.recent(connection) == []
        assert await triggers.due(connection, LATER) == []
