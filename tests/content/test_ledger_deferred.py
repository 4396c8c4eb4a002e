"""Deferred recipients get a batch of their own, behind first attempts; nobody is counted twice."""

from sqlalchemy import select

from content.clock import MINUTE, SECOND
from content.ledger import batches
from content.ledger.deliveries import batch, refusal
from content.ledger.recipients import unpack
from content.ledger.tallies import refusal_reasons
from tests.content.played import NOW, claim, deferred, figures, record, refuse


async def lists(connection):
    """The recipients of every batch, oldest first."""
    packed = await connection.scalars(select(batch.c.recipients).order_by(batch.c.id))
    return [unpack(item) for item in packed]


async def test_whoever_is_deferred_is_tried_again_in_a_batch_of_their_own(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 4)
        first = await claim(connection)
        early, late = first.recipients[:2]
        await record(connection, first, 4, 2, later=deferred([early, late], NOW + MINUTE))
        assert await figures(connection, notice_id) == (4, 2, 0, 0, 2)
        assert await claim(connection, NOW + MINUTE - 1) is None
        again = await claim(connection, NOW + MINUTE)
        assert again.recipients == (early, late)
        assert again.retry_key != first.retry_key
        assert (again.language, again.created_at) == (first.language, first.created_at)
        await record(connection, again, 2, 1, refuse([late]), now=NOW + MINUTE)
        assert await figures(connection, notice_id) == (4, 3, 1, 0, 0)
        assert await refusal_reasons(connection, notice_id) == [("line", "no_such_user", 1)]


async def test_the_ledger_remembers_who_was_deferred_and_why(database, send):
    async with database.write() as connection:
        await send(connection, 3)
        first = await claim(connection)
        await record(connection, first, 3, 2, later=deferred(first.recipients[1:2]))
        rows = (await connection.execute(select(refusal))).all()
        assert [(row.subscriber_id, row.reason, row.detail) for row in rows] == [
            (first.recipients[1], "deferred", "greylisted")
        ]


async def test_those_deferred_by_the_parts_of_one_batch_share_a_later_batch(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 6)
        first = await claim(connection)
        await record(connection, first, 3, 2, later=deferred(first.recipients[2:3], NOW + SECOND))
        await record(connection, first, 6, 1, later=deferred(first.recipients[3:5], NOW + MINUTE))
        assert (await lists(connection))[1:] == [list(first.recipients[2:5])]
        assert await figures(connection, notice_id) == (6, 3, 0, 0, 3)
        assert await claim(connection, NOW + MINUTE - 1) is None
        assert (await claim(connection, NOW + MINUTE)).recipients == first.recipients[2:5]


async def test_a_later_batch_that_has_been_claimed_is_not_lengthened(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 4)
        first = await claim(connection)
        await record(connection, first, 2, 1, later=deferred(first.recipients[:1]))
        taken = await claim(connection)
        await record(connection, first, 4, 1, later=deferred(first.recipients[2:3]))
        assert taken.recipients == first.recipients[:1]
        assert (await claim(connection)).recipients == first.recipients[2:3]
        assert await figures(connection, notice_id) == (4, 2, 0, 0, 2)


async def test_whoever_is_deferred_again_and_again_stays_behind_first_attempts(database, send):
    async with database.write() as connection:
        await send(connection, 1, 1)
        first = await claim(connection)
        await record(connection, first, 1, 0, later=deferred(first.recipients))
        fresh = await claim(connection)
        assert fresh.recipients != first.recipients
        again = await claim(connection)
        assert (again.recipients, again.attempt) == (first.recipients, 2)
        await record(connection, again, 1, 0, later=deferred(again.recipients))
        assert (await claim(connection)).attempt == 3


async def test_a_late_owner_puts_nobody_off(database, send):
    async with database.write() as connection:
        await send(connection, 2)
        first = await claim(connection)
        await record(connection, first, 2, 2)
        assert not await record(connection, first, 2, 0, later=deferred(first.recipients))
        assert len(await lists(connection)) == 1


async def test_progress_is_written_once_from_where_it_was(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 4)
        first = await claim(connection)
        assert await record(connection, first, 2, 2)
        # The same again, as after a commit whose answer was lost: it does not count a second time.
        again = {"since": 0, "position": 2, "accepted": 2, "now": NOW, "lease": MINUTE}
        assert not await connection.run_sync(batches.record_part, first, **again)
        assert await figures(connection, notice_id) == (4, 2, 0, 0, 2)
