"""Who was refused: the registrations behind the figures, whatever happened to the notice."""

from collections import Counter

from hypothesis import given

from content.ledger import batches, refused
from content.ledger.tallies import refusal_reasons
from tests.content.played import NOW, claim, deferred, record, refuse
from tests.content.properties import few_examples, undone
from tests.content.test_retention import LEDGERS, fold_all, play
from tests.factories import make_notice, make_subscribers


async def everybody(connection, notice_id, most=3, **narrowed):
    """Page by page to the end."""
    found: list[refused.Refused] = []
    after = (0, 0)
    while page := await refused.next_refused(connection, notice_id, after=after, most=most, **narrowed):
        found, after = [*found, *page], page[-1].place
    return found


@few_examples
@given(ledgers=LEDGERS)
async def test_the_registrations_are_as_many_as_the_figures_say(database, keys, ledgers):
    async with undone(database) as connection:
        ids = await make_subscribers(connection, keys, 24)
        for account, outcomes, stopped in ledgers:
            notice_id = await make_notice(connection)
            await play(connection, ids, account, outcomes, notice_id, stopped)
            figures = await refusal_reasons(connection, notice_id)
            found = await everybody(connection, notice_id)
            assert Counter((item.channel, item.reason) for item in found) == {
                (channel, reason): number for channel, reason, number in figures
            }
            assert len({item.subscriber_id for item in found}) == len(found)
            assert {item.subscriber_id for item in found} <= set(ids)
            for channel, reason, number in figures:
                one = await everybody(connection, notice_id, channel=channel, reason=reason)
                assert (len(one), {item.reason for item in one}) == (number, {reason})
                assert one == [item for item in found if item.reason == reason]


async def test_who_comes_later_or_may_have_it_is_told_from_who_was_refused(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 5)
        claimed = await claim(connection)
        ids = claimed.recipients
        await record(connection, claimed, 4, 2, refuse(ids[:1]), later=deferred(ids[1:2]))
        await connection.run_sync(
            batches.settle_rest, claimed, outcome="unknown", reason="no_answer", now=NOW
        )
        found = await everybody(connection, notice_id)
    assert [(item.subscriber_id, item.outcome, item.reason) for item in found] == [
        (ids[0], "refused", "no_such_user"),
        (ids[4], "unknown", "no_answer"),
    ]


async def test_after_the_time_of_keeping_nobody_is_named(database, send):
    async with database.write() as connection:
        notice_id, _ = await send(connection, 2)
        claimed = await claim(connection)
        await record(connection, claimed, 2, 0, refuse(claimed.recipients))
        assert len(await everybody(connection, notice_id)) == 2
        assert await fold_all(connection)
        assert await everybody(connection, notice_id) == []
