"""After a time the recipients of a delivery are forgotten; its figures are the same as before."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select

from content.clock import DAY, MINUTE
from content.ledger import batches, retention, settling
from content.ledger.deferring import Later, RefusedRecipient
from content.ledger.deliveries import batch, refusal
from content.ledger.tallies import nothing_open, progress_state, refusal_reasons, tally
from content.notices import notices
from tests.content.played import NOW, claim, record, refuse
from tests.content.properties import few_examples, undone
from tests.factories import make_delivery, make_notice, make_subscribers

LATER = NOW + 100 * DAY


async def everything_told(connection, notice_ids):
    """All that anybody can ask about notices."""
    told: list[Any] = [await nothing_open(connection)]
    for notice_id in notice_ids:
        rows = await tally(connection, notice_id)
        stored = await notices.get(connection, notice_id)
        assert stored
        state = progress_state(stored, rows)
        told.append((rows, state, await refusal_reasons(connection, notice_id)))
    return told


async def fold_all(connection, before=LATER):
    due = await retention.deliveries_to_summarise(connection, before=before)
    return [one for one in due if await retention.summarise(connection, one, at=LATER)]


async def count(connection, table):
    return await connection.scalar(select(func.count()).select_from(table))


# What becomes of one batch: how many are accepted and refused one by one, then how the rest is closed.
CLOSINGS = (("refused", "quota"), ("refused", "too_late"), ("unknown", "no_answer"))
OUTCOME = st.tuples(
    st.integers(1, 6), st.integers(0, 6), st.lists(st.sampled_from(["gone", "quota"]), max_size=3)
)
LEDGERS = st.lists(
    st.tuples(
        st.sampled_from(["line", "mail"]),
        st.lists(st.tuples(OUTCOME, st.sampled_from(CLOSINGS), st.integers(0, 3)), max_size=4),
        st.booleans(),
    ),
    min_size=1,
    max_size=3,
)


async def play(connection, ids, account, outcomes, notice_id, stopped):
    """One delivery whose batches came to these ends."""
    slices, start = [], 0
    for (size, _, _), _, _ in outcomes:
        slices.append(ids[start : start + size])
        start += size
    delivery_id = await make_delivery(connection, slices, notice_id=notice_id, account=account)
    for (size, accepted, reasons), (outcome, reason), minute in outcomes:
        claimed = await claim(connection, account=account)
        singles = [RefusedRecipient(one, why) for one, why in zip(claimed.recipients, reasons, strict=False)]
        accepted = min(accepted, size - len(singles))
        position = accepted + len(singles)
        at = NOW + minute * MINUTE
        if position:
            assert await record(connection, claimed, position, accepted, singles, now=at)
        if position < size:
            assert await connection.run_sync(
                batches.settle_rest, claimed, outcome=outcome, reason=reason, now=at
            )
    if stopped:
        await connection.run_sync(settling.stop_delivery, delivery_id, reason="quota", now=NOW)


@few_examples
@given(ledgers=LEDGERS)
async def test_every_figure_is_the_same_in_the_summary(database, keys, ledgers):
    async with undone(database) as connection:
        ids = await make_subscribers(connection, keys, 24)
        notice_ids = []
        for account, outcomes, stopped in ledgers:
            notice_ids.append(await make_notice(connection))
            await play(connection, ids, account, outcomes, notice_ids[-1], stopped)
        before = await everything_told(connection, notice_ids)
        assert len(await fold_all(connection)) == len(ledgers)
        assert (await count(connection, batch), await count(connection, refusal)) == (0, 0)
        assert await everything_told(connection, notice_ids) == before
        assert await fold_all(connection) == []


async def test_who_was_deferred_counts_once_before_the_summary_and_in_it(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 5)
        claimed = await claim(connection)
        later = Later(claimed.recipients[1:3], "rate", NOW)
        await connection.run_sync(
            batches.record_part,
            claimed,
            since=0,
            position=5,
            accepted=2,
            refused=refuse(claimed.recipients[:1]),
            later=later,
            now=NOW,
            lease=MINUTE,
        )
        second = await claim(connection)
        await connection.run_sync(batches.settle_rest, second, outcome="refused", reason="rate", now=NOW)
        before = await everything_told(connection, [notice_id])
        assert before[1][2] == [("line", "rate", 2), ("line", "no_such_user", 1)]
        assert len(await fold_all(connection)) == 1
        assert await everything_told(connection, [notice_id]) == before


async def test_one_channel_may_be_summarised_while_the_other_is_still_open(database, keys):
    async with database.write() as connection:
        ids = await make_subscribers(connection, keys, 6)
        notice_id = await make_notice(connection)
        await play(connection, ids, "line", [((3, 1, ["gone"]), ("unknown", "x"), 0)], notice_id, False)
        await make_delivery(connection, [ids[3:]], notice_id=notice_id, account="mail")
        before = await everything_told(connection, [notice_id])
        assert len(await fold_all(connection)) == 1
        assert await everything_told(connection, [notice_id]) == before
        assert await count(connection, batch) == 1


@pytest.mark.parametrize("state", ["ready", "claimed", "unknown"])
async def test_nothing_that_is_open_is_summarised_however_old(database, send, state):
    async with database.write() as connection:
        await send(connection, 2)
        claimed = await claim(connection)
        if state != "claimed":
            await connection.run_sync(
                batches.requeue, claimed, state=state, reason="", not_before=NOW, now=NOW
            )
        assert await fold_all(connection) == []
        assert await count(connection, batch) == 1


async def test_a_delivery_that_is_still_planned_is_not_summarised(database, send):
    async with database.write() as connection:
        await send(connection, planned=False)
        assert await fold_all(connection) == []


async def test_recipients_are_kept_for_their_time(database, send):
    async with database.write() as connection:
        await send(connection, 2)
        await connection.run_sync(batches.accept_all, await claim(connection), now=NOW)
        assert await fold_all(connection, before=NOW) == []
        assert len(await fold_all(connection, before=NOW + 1)) == 1


async def test_a_crash_between_summary_and_deleting_leaves_everything_as_it_was(database, send):
    async with database.write() as connection:
        notice_id, delivery_id = await send(connection, 3)
        claimed = await claim(connection)
        await record(connection, claimed, 3, 2, refuse(claimed.recipients[:1]))
        before = await everything_told(connection, [notice_id])
    with pytest.raises(RuntimeError, match="power"):
        async with database.write() as connection:
            await retention.summarise(connection, delivery_id, at=LATER)
            raise RuntimeError("power cut")
    async with database.write() as connection:
        assert await everything_told(connection, [notice_id]) == before
        assert (await count(connection, batch), await count(connection, refusal)) == (1, 1)
        assert await count(connection, retention.delivery_summary) == 0
