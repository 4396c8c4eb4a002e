"""The figures of the ledger: whoever was meant is accepted, refused, unknown or still open."""

import pytest
from sqlalchemy import select

from content.clock import MINUTE
from content.ledger import batches, deliveries, due, settling
from content.ledger.deferring import RefusedRecipient
from content.ledger.deliveries import refusal
from content.ledger.tallies import nothing_open, progress_state, refusal_reasons, tally
from content.notices import notice_changes, notices, triggers
from tests.content.played import NOW, claim, figures, record, refuse
from tests.factories import make_delivery, make_notice, make_subscribers


async def state_of(connection, notice_id):
    stored = await notices.get(connection, notice_id)
    assert stored
    return progress_state(stored, await tally(connection, notice_id))


async def test_parts_add_up_until_the_list_is_through(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 5)
        claimed = await claim(connection)
        assert await record(connection, claimed, 2, 1, refuse(claimed.recipients[1:2]))
        assert await figures(connection, notice_id) == (5, 1, 1, 0, 3)
        assert not await nothing_open(connection)
        assert await record(connection, claimed, 5, 3, now=NOW + MINUTE)
        assert await figures(connection, notice_id) == (5, 4, 1, 0, 0)
        assert await nothing_open(connection)


async def test_the_first_and_the_last_acceptance_are_kept(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 3)
        claimed = await claim(connection)
        await record(connection, claimed, 1, 0, refuse(claimed.recipients[:1]), now=NOW)
        (row,) = await tally(connection, notice_id)
        assert (row.first_accepted_at, row.last_accepted_at) == (None, None)
        await record(connection, claimed, 2, 1, now=NOW + 1)
        await record(connection, claimed, 3, 1, now=NOW + 2)
        (row,) = await tally(connection, notice_id)
        assert (row.first_accepted_at, row.last_accepted_at) == (NOW + 1, NOW + 2)


async def test_a_refusal_names_the_recipient_and_the_reason(database, send):
    async with database.write() as connection:
        await send(connection, 2)
        claimed = await claim(connection)
        await record(
            connection, claimed, 2, 1, [RefusedRecipient(claimed.recipients[0], "no_such_user", "5.1.1")]
        )
        row = (await connection.execute(select(refusal))).one()
        assert (row.batch_id, row.subscriber_id) == (claimed.id, claimed.recipients[0])
        assert (row.reason, row.detail, row.at) == ("no_such_user", "5.1.1", NOW)


@pytest.mark.parametrize(
    ("outcome", "expected"), [("refused", (5, 1, 4, 0, 0)), ("unknown", (5, 1, 1, 3, 0))]
)
async def test_what_is_not_accounted_for_is_settled_with_one_reason(database, send, outcome, expected):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 5)
        claimed = await claim(connection)
        await record(connection, claimed, 2, 1, refuse(claimed.recipients[1:2]))
        assert await connection.run_sync(
            batches.settle_rest, claimed, outcome=outcome, reason="quota", now=NOW
        )
        assert await figures(connection, notice_id) == expected
        reasons = await refusal_reasons(connection, notice_id)
        assert reasons == [("line", "quota", 3), ("line", "no_such_user", 1)]


async def test_a_broadcast_is_accepted_as_a_whole(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 4, kind="broadcast")
        claimed = await claim(connection)
        assert claimed.kind == "broadcast"
        assert await connection.run_sync(batches.accept_all, claimed, now=NOW)
        assert await figures(connection, notice_id) == (4, 4, 0, 0, 0)


async def test_stopping_a_delivery_refuses_what_nobody_has_in_flight(database, send):
    async with database.write() as connection:
        notice_id, delivery_id = await send(connection, 2, 3, 4)
        part, in_hand = await claim(connection), await claim(connection)
        await record(connection, part, 1, 1)
        await connection.run_sync(
            batches.requeue, part, state="ready", reason="busy", not_before=NOW, now=NOW
        )
        assert await connection.run_sync(settling.stop_delivery, delivery_id, reason="quota", now=NOW) == 2
        assert await figures(connection, notice_id) == (9, 1, 5, 0, 3)
        stopped = await connection.run_sync(deliveries.get_delivery, delivery_id)
        assert (stopped.state, stopped.reason) == ("stopped", "quota")
        assert await connection.run_sync(batches.accept_all, in_hand, now=NOW)
        assert await figures(connection, notice_id) == (9, 4, 5, 0, 0)
        assert await claim(connection) is None


async def test_stopping_keeps_the_refusals_of_a_part(database, send):
    async with database.write() as connection:
        notice_id, delivery_id = await send(connection, 5)
        part = await claim(connection)
        await record(connection, part, 3, 1, refuse(part.recipients[1:3]))
        await connection.run_sync(
            batches.requeue, part, state="ready", reason="busy", not_before=NOW, now=NOW
        )
        await connection.run_sync(settling.stop_delivery, delivery_id, reason="quota", now=NOW)
        assert await figures(connection, notice_id) == (5, 1, 4, 0, 0)
        assert await refusal_reasons(connection, notice_id) == [
            ("line", "no_such_user", 2),
            ("line", "quota", 2),
        ]


async def test_a_stopped_delivery_is_not_planned_on(database, send):
    async with database.write() as connection:
        _, delivery_id = await send(connection, 2, planned=False)
        await connection.run_sync(settling.stop_delivery, delivery_id, reason="quota", now=NOW)
        await deliveries.finish_planning(connection, delivery_id, NOW)
        assert await deliveries.deliveries_to_plan(connection) == []
        assert await deliveries.lock_delivery(connection, delivery_id) is None
        assert (await connection.run_sync(deliveries.get_delivery, delivery_id)).state == "stopped"


async def test_a_reason_of_an_earlier_try_counts_for_nothing_once_all_accepted(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 2)
        claimed = await claim(connection)
        await connection.run_sync(
            batches.requeue, claimed, state="ready", reason="busy", not_before=NOW, now=NOW
        )
        await connection.run_sync(batches.accept_all, await claim(connection), now=NOW)
        assert await refusal_reasons(connection, notice_id) == []


async def test_a_delivery_says_what_its_open_batches_wait_for(database, send):
    async with database.write() as connection:
        notice_id, delivery_id = await send(connection, 2, 2)
        assert [row.reason for row in await tally(connection, notice_id)] == [""]
        claimed = await claim(connection)
        await connection.run_sync(
            batches.requeue, claimed, state="ready", reason="busy", not_before=NOW, now=NOW
        )
        assert [row.reason for row in await tally(connection, notice_id)] == ["busy"]
        await connection.run_sync(settling.stop_delivery, delivery_id, reason="quota", now=NOW)
        assert [row.reason for row in await tally(connection, notice_id)] == ["quota"]


async def test_reasons_are_summed_over_batches_most_first(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 2, 3, 4)
        for accepted, gone in ((1, 1), (1, 2)):
            claimed = await claim(connection)
            size = accepted + gone
            await record(connection, claimed, size, accepted, refuse(claimed.recipients[:gone], "gone"))
        await connection.run_sync(
            batches.settle_rest, await claim(connection), outcome="unknown", reason="timeout", now=NOW
        )
        assert await refusal_reasons(connection, notice_id) == [("line", "timeout", 4), ("line", "gone", 3)]
        assert await refusal_reasons(connection, notice_id + 1) == []


async def test_each_channel_has_figures_of_its_own(database, keys):
    async with database.write() as connection:
        notice_id = await make_notice(connection)
        ids = await make_subscribers(connection, keys, 5)
        await make_delivery(connection, [ids[:2]], notice_id=notice_id)
        await make_delivery(connection, [ids[2:]], notice_id=notice_id, account="mail")
        await connection.run_sync(batches.accept_all, await claim(connection, account="mail"), now=NOW)
        rows = {
            row.channel: (row.planned, row.accepted, row.open) for row in await tally(connection, notice_id)
        }
        assert rows == {"line": (2, 0, 2), "mail": (3, 3, 0)}


# progress_state, one moment after the other.


async def test_a_notice_is_scheduled_until_it_fires_and_planning_until_its_last_slice(database, send):
    async with database.write() as connection:
        waiting = await make_notice(connection)
        assert await state_of(connection, waiting) == "scheduled"
        notice_id, delivery_id = await send(connection, 2, planned=False)
        assert await state_of(connection, notice_id) == "planning"
        await connection.run_sync(batches.accept_all, await claim(connection), now=NOW)
        assert await state_of(connection, notice_id) == "planning"
        await deliveries.finish_planning(connection, delivery_id, NOW)
        assert await state_of(connection, notice_id) == "finished"


async def test_a_notice_is_sending_as_long_as_anything_is_open(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 1, 1)
        assert await state_of(connection, notice_id) == "sending"
        await connection.run_sync(batches.accept_all, await claim(connection), now=NOW)
        last = await claim(connection)
        assert await state_of(connection, notice_id) == "sending"
        await connection.run_sync(
            batches.requeue, last, state="unknown", reason="timeout", not_before=NOW, now=NOW
        )
        assert await state_of(connection, notice_id) == "sending"
        await connection.run_sync(batches.accept_all, await claim(connection), now=NOW)
        assert await state_of(connection, notice_id) == "finished"


@pytest.mark.parametrize("outcome", ["refused", "unknown"])
async def test_a_notice_that_not_everyone_accepted_is_partly_delivered(database, send, outcome):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 1, 1)
        await connection.run_sync(batches.accept_all, await claim(connection), now=NOW)
        await connection.run_sync(
            batches.settle_rest, await claim(connection), outcome=outcome, reason="x", now=NOW
        )
        assert await state_of(connection, notice_id) == "partly"


async def test_a_notice_that_matched_no_registration_says_so(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection)
        assert await state_of(connection, notice_id) == "nobody"


async def test_drafts_held_and_cancelled_notices_say_so(database):
    async with database.write() as connection:
        drafted = await make_notice(connection, approved=False)
        assert await state_of(connection, drafted) == "draft"
        held = await make_notice(connection)
        await triggers.hold(connection, held, "遅い")
        assert await state_of(connection, held) == "held"
        await notice_changes.cancel(connection, held)
        assert await state_of(connection, held) == "cancelled"


async def test_what_a_copy_of_the_database_believes_to_be_open_can_be_closed_for_good(database, keys):
    async with database.write() as connection:
        ids = await make_subscribers(connection, keys, 6)
        notice_id = await make_notice(connection)
        await make_delivery(connection, [ids[:2], ids[2:4], ids[4:]], notice_id=notice_id)
        tried = await claim(connection)
        await connection.run_sync(
            batches.requeue, tried, state="unknown", reason="timeout", not_before=NOW + MINUTE, now=NOW
        )
        assert await claim(connection)
        assert await due.stop_unfinished(connection, NOW) == 1
        assert await figures(connection, notice_id) == (6, 0, 2, 4, 0)
        assert await nothing_open(connection)
