"""「読みました」: written down once, counted, listed by number, and forgotten with the recipients but for its number."""

from __future__ import annotations

from content.clock import MINUTE
from content.ledger import retention
from content.ledger.batches import claim, record_part, settle_rest
from content.ledger.deferring import RefusedRecipient
from content.ledger.read_receipts import say_read
from content.ledger.reading import Standing, readers
from content.ledger.states import Outcome
from content.ledger.tallies import tally
from content.notices import notices
from content.notices.attachments import Attachments
from content.notices.segments import Target
from content.notices.states import NoticeKind
from content.register import subscriber_changes
from content.register.states import Route
from content.register.subscribers import require
from tests.factories import APRIL_TUESDAY, make_delivery, make_notice, make_subscribers, spec

TO_GROUP = Target("group", "kucho")


def test_a_group_is_asked_unless_somebody_says_otherwise_and_others_the_other_way_round():
    asked, unasked = Attachments(asks_read=True), Attachments(asks_read=False)
    assert spec(target=TO_GROUP).asks_read and not spec().asks_read
    assert spec(attached=asked).asks_read and not spec(target=TO_GROUP, attached=unasked).asks_read
    assert not spec(target=TO_GROUP, kind=NoticeKind.WITHDRAWAL).asks_read


async def sent(connection, keys, number=4, **changes):
    """A notice to a group: the first refused, the second unknown after the third was accepted, …"""
    ids = await make_subscribers(connection, keys, number)
    notice_id = await make_notice(connection, target=TO_GROUP, **changes)
    delivery_id = await make_delivery(connection, [ids], notice_id=notice_id)
    [claimed] = await connection.run_sync(
        claim, account="line", lane="routine", owner="t", now=APRIL_TUESDAY, lease=MINUTE
    )
    await connection.run_sync(
        record_part,
        claimed,
        since=0,
        position=3,
        accepted=2,
        refused=[RefusedRecipient(ids[0], "blocked")],
        now=APRIL_TUESDAY,
        lease=MINUTE,
    )
    await connection.run_sync(
        settle_rest, claimed, outcome=Outcome.UNKNOWN, reason="no_answer", now=APRIL_TUESDAY
    )
    return notice_id, delivery_id, ids


async def test_it_is_said_once_counted_and_shown_beside_those_who_have_not(database, keys):
    async with database.write() as connection:
        notice_id, _, ids = await sent(connection, keys)
        found, reader = await notices.get(connection, notice_id), await require(connection, ids[1])
        for _ in range(2):
            assert await say_read(connection, found, reader, route=Route.LINE, at=APRIL_TUESDAY)
        assert [row.read for row in await tally(connection, notice_id)] == [1]
        listed = await readers(connection, notice_id)
    assert [(item.subscriber_id, item.standing, item.reason) for item in listed] == [
        (ids[0], Standing.REFUSED, "blocked"),
        (ids[1], Standing.READ, ""),
        (ids[2], Standing.SENT, ""),
        (ids[3], Standing.UNKNOWN, "no_answer"),
    ]
    assert listed[1].read_at == APRIL_TUESDAY


async def test_who_is_forgotten_leaves_the_number_and_can_say_no_more(database, keys):
    async with database.write() as connection:
        notice_id, delivery_id, ids = await sent(connection, keys)
        found, reader = await notices.get(connection, notice_id), await require(connection, ids[1])
        await say_read(connection, found, reader, route=Route.MAIL, at=APRIL_TUESDAY)
        assert await retention.summarise(connection, delivery_id, at=APRIL_TUESDAY)
        assert [row.read for row in await tally(connection, notice_id)] == [1]
        assert await readers(connection, notice_id) == []
        assert not await say_read(
            connection, found, await require(connection, ids[2]), route=Route.MAIL, at=APRIL_TUESDAY
        )
        assert [row.read for row in await tally(connection, notice_id)] == [1]


async def test_nothing_is_written_down_that_nobody_asked_for(sqlite_database, keys):
    async with sqlite_database.write() as connection:
        notice_id, _, ids = await sent(connection, keys, attached=Attachments(asks_read=False))
        found, reader = await notices.get(connection, notice_id), await require(connection, ids[1])
        assert not await say_read(connection, found, reader, route=Route.LINE, at=APRIL_TUESDAY)
        draft = await notices.get(connection, await make_notice(connection, target=TO_GROUP))
        assert not await say_read(connection, draft, reader, route=Route.LINE, at=APRIL_TUESDAY)
        await subscriber_changes.erase(connection, ids[2], reason="resident", at=APRIL_TUESDAY)
        gone = await require(connection, ids[2])
        asked = await notices.get(
            connection, await make_notice(connection, attached=Attachments(asks_read=True))
        )
        await make_delivery(connection, [[ids[2]]], notice_id=asked.id)
        asked = await notices.get(connection, asked.id)
        assert not await say_read(connection, asked, gone, route=Route.LINE, at=APRIL_TUESDAY)
        assert await say_read(connection, asked, reader, route=Route.LINE, at=APRIL_TUESDAY)
