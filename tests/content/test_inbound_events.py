"""What came in from a platform: kept before it is answered, handled once, then wiped."""

import pytest
from sqlalchemy import func, select, update

from content.clock import DAY
from content.register import inbound_events
from content.register.inbound_events import GIVE_UP_AFTER, Arrival, inbound_event
from tests.factories import APRIL_TUESDAY, PARENT

PAYLOAD = {"type": "follow", "source": {"userId": PARENT.address}, "text": "登録したい"}


async def come_in(connection, keys, event_id="e-1", occurred_at=APRIL_TUESDAY, received_at=APRIL_TUESDAY):
    """True when it is new."""
    before = await connection.scalar(select(func.count()).select_from(inbound_event))
    rows = inbound_events.sealed_rows(keys, [Arrival(event_id, "line", occurred_at, PAYLOAD)], received_at)
    await inbound_events.store(connection, rows)
    return await connection.scalar(select(func.count()).select_from(inbound_event)) > before


async def row(connection, event_id="e-1"):
    return (await connection.execute(select(inbound_event).where(inbound_event.c.id == event_id))).one()


async def test_what_came_in_waits_with_its_payload(database, keys):
    async with database.write() as connection:
        assert await come_in(connection, keys)
        (event,) = await inbound_events.waiting(connection, keys)
        assert (event.id, event.account, event.attempt, event.payload) == ("e-1", "line", 0, PAYLOAD)


async def test_the_same_event_again_changes_nothing(database, keys):
    async with database.write() as connection:
        assert await come_in(connection, keys)
        assert not await come_in(connection, keys)
        assert len(await inbound_events.waiting(connection, keys)) == 1
        await inbound_events.finish(connection, "e-1")
        assert not await come_in(connection, keys)
        assert await inbound_events.waiting(connection, keys) == []


async def test_a_payload_is_neither_stored_nor_printed_in_clear(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        assert PARENT.address.encode() not in (await row(connection)).sealed
        (event,) = await inbound_events.waiting(connection, keys)
        assert PARENT.address not in repr(event)


async def test_what_happened_first_is_handled_first(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys, "late", APRIL_TUESDAY + 2)
        await come_in(connection, keys, "b", APRIL_TUESDAY)
        await come_in(connection, keys, "a", APRIL_TUESDAY)
        assert [event.id for event in await inbound_events.waiting(connection, keys)] == ["a", "b", "late"]
        assert [event.id for event in await inbound_events.waiting(connection, keys, limit=1)] == ["a"]


async def test_a_handled_event_is_wiped_and_its_id_kept(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        assert await inbound_events.finish(connection, "e-1")
        assert not await inbound_events.finish(connection, "e-1")
        handled = await row(connection)
        assert (handled.state, handled.sealed) == ("handled", b"")


async def test_an_event_that_failed_waits_for_another_try(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        (event,) = await inbound_events.waiting(connection, keys)
        await inbound_events.failed(connection, event, "ValueError")
        (again,) = await inbound_events.waiting(connection, keys)
        assert (again.attempt, again.payload) == (1, PAYLOAD)


@pytest.mark.parametrize(("tries", "state"), [(GIVE_UP_AFTER - 1, "waiting"), (GIVE_UP_AFTER, "failed")])
async def test_an_event_that_failed_five_times_is_set_aside_and_kept(database, keys, tries, state):
    async with database.write() as connection:
        await come_in(connection, keys)
        await fail(connection, keys, tries)
        kept = await row(connection)
        assert (kept.state, kept.reason) == (state, "ValueError")
        assert kept.sealed != b""
        assert len(await inbound_events.waiting(connection, keys)) == (state == "waiting")


async def fail(connection, keys, tries=GIVE_UP_AFTER):
    for _ in range(tries):
        event = (await inbound_events.waiting(connection, keys))[0]
        await inbound_events.failed(connection, event, "ValueError")


async def test_an_event_that_was_set_aside_is_shown_without_an_address_and_can_be_tried_again(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        await fail(connection, keys)
        assert await inbound_events.count_set_aside(connection) == 1
        (shown,) = await inbound_events.set_aside(connection, keys)
        assert (shown.id, shown.kind, shown.attempt, shown.reason) == ("e-1", "follow", 5, "ValueError")
        assert PARENT.address not in repr(shown)
        assert await inbound_events.try_again(connection, ["unheard"]) == 0
        assert await inbound_events.try_again(connection) == 1
        (event,) = await inbound_events.waiting(connection, keys)
        assert (event.attempt, event.payload) == (0, PAYLOAD)
        assert await inbound_events.try_again(connection) == 0


async def test_an_event_that_no_key_opens_keeps_nobody_waiting(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys, "broken")
        await connection.execute(update(inbound_event).values(sealed=b"\x01" + b"x" * 40))
        await come_in(connection, keys, "whole")
        broken, whole = await inbound_events.waiting(connection, keys)
        assert (broken.payload, whole.payload) == (None, PAYLOAD)


async def test_what_was_set_aside_is_kept_for_two_weeks(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        await fail(connection, keys)
        assert await inbound_events.forget_old(connection, APRIL_TUESDAY + 14 * DAY) == 0
        assert await inbound_events.forget_old(connection, APRIL_TUESDAY + 14 * DAY + 1) == 1


async def test_a_failure_after_another_has_handled_it_changes_nothing(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        for _ in range(GIVE_UP_AFTER - 1):
            (event,) = await inbound_events.waiting(connection, keys)
            await inbound_events.failed(connection, event, "ValueError")
        (event,) = await inbound_events.waiting(connection, keys)
        await inbound_events.finish(connection, "e-1")
        await inbound_events.failed(connection, event, "ValueError")
        assert (await row(connection)).state == "handled"


@pytest.mark.parametrize(("age", "forgotten"), [(14 * DAY, 0), (14 * DAY + 1, 1)], ids=["14 days", "older"])
async def test_ids_are_forgotten_after_two_weeks(database, keys, age, forgotten):
    async with database.write() as connection:
        await come_in(connection, keys)
        await inbound_events.finish(connection, "e-1")
        assert await inbound_events.forget_old(connection, APRIL_TUESDAY + age) == forgotten


async def test_what_still_waits_is_never_forgotten(database, keys):
    async with database.write() as connection:
        await come_in(connection, keys)
        assert await inbound_events.forget_old(connection, APRIL_TUESDAY + 100 * DAY) == 0
        assert len(await inbound_events.waiting(connection, keys)) == 1
