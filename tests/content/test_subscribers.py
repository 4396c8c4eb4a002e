"""Registrations: coming, going, coming back, and what stays when one is erased."""

import asyncio
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from content.clock import DAY, HOUR, today_jst
from content.figures import counts
from content.keys import is_bound
from content.register import address_book, registration, subscriber_changes, subscribers
from content.register.address_book import Opened
from content.register.addresses import BadAddress
from content.register.registration import Registration
from content.register.subscribers import Preferences, address, preference, registration_event
from content.staff import audit
from tests.content.properties import few_examples, undone
from tests.factories import (
    APRIL_TUESDAY,
    ELDER,
    NEWCOMER,
    PARENT,
    PEOPLE,
    line_id,
    make_subscriber,
    sealed_for_no_row,
)

LATER = APRIL_TUESDAY + HOUR


async def events(connection, subscriber_id):
    """(kind, reason) of a subscriber, oldest first."""
    rows = await connection.execute(
        select(registration_event.c.kind, registration_event.c.reason)
        .where(registration_event.c.subscriber_id == subscriber_id)
        .order_by(registration_event.c.id)
    )
    return [tuple(row) for row in rows]


async def follow(connection, keys, event_at, person=PARENT):
    """A LINE follow as the webhook registers it; True when anything changed."""
    _, changed = await subscriber_changes.join(
        connection,
        keys,
        account=person.account,
        channel=person.channel,
        plain=person.address,
        preferences=person.preferences,
        reason="follow",
        at=APRIL_TUESDAY,
        event_at=event_at,
    )
    return changed


async def unfollow(connection, keys, event_at, person=PARENT):
    return await subscriber_changes.leave_address(
        connection,
        keys,
        account=person.account,
        channel=person.channel,
        plain=person.address,
        reason="blocked",
        at=APRIL_TUESDAY,
        event_at=event_at,
    )


async def found(connection, keys, person=PARENT):
    """The subscriber with a person's address."""
    subscriber_id = await subscribers.find(connection, keys, person.account, person.channel, person.address)
    assert subscriber_id is not None
    subscriber = await subscribers.get(connection, subscriber_id)
    assert subscriber is not None
    return subscriber


async def opened(connection, keys, people):
    """The addresses of people of one account."""
    ids = [person.id for person in people]
    return await connection.run_sync(address_book.open_addresses, keys, people[0].account, ids)


async def active_count(connection, account="line"):
    """Once from the events, once from the rows; they must agree."""
    moves = await counts.movements(connection)
    from_events = counts.count_at(moves, {account}, today_jst(LATER + DAY))
    assert from_events == (await counts.active_now(connection)).get(account, 0)
    return from_events


@pytest.mark.parametrize("person", PEOPLE, ids=["parent", "elder", "newcomer"])
async def test_a_registration_keeps_what_the_person_chose(database, keys, person):
    async with database.write() as connection:
        joined = await make_subscriber(connection, keys, person)
    async with database.read() as connection:
        kept = await subscribers.get(connection, joined.id)
        assert kept == joined
        assert kept.state == "active"
        assert kept.preferences == person.preferences
        assert await opened(connection, keys, [joined]) == Opened({joined.id: (person.address, joined.salt)})


async def test_no_row_holds_an_address_in_clear(sqlite_database, keys):
    async with sqlite_database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, keys, person)
    await sqlite_database.close()
    stored = b"".join(
        path.read_bytes() for path in sqlite_database.path.parent.glob(f"{sqlite_database.path.name}*")
    )
    for person in PEOPLE:
        assert person.address.encode() not in stored


async def test_registering_twice_is_one_registration_with_the_first_choices(database, keys):
    async with database.write() as connection:
        first = await make_subscriber(connection, keys, PARENT)
        again = await make_subscriber(connection, keys, PARENT, areas={"tsukinoki"}, at=LATER)
        assert again == first
        assert await events(connection, first.id) == [("joined", "form")]
        assert await active_count(connection) == 1


async def test_one_address_on_two_accounts_is_two_registrations(database, keys):
    async with database.write() as connection:
        live = await make_subscriber(connection, keys, PARENT)
        drill = await make_subscriber(connection, keys, PARENT, account="line-drill")
        assert live.id != drill.id


async def test_who_comes_back_finds_the_old_choices(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        assert await subscriber_changes.leave(connection, parent.id, reason="unsubscribed", at=LATER)
        assert await active_count(connection) == 0
        back = await make_subscriber(connection, keys, PARENT, areas={"tsukinoki"}, at=LATER + HOUR)
        assert back.id == parent.id
        assert back.state == "active"
        assert back.preferences == PARENT.preferences
        assert await events(connection, parent.id) == [
            ("joined", "form"),
            ("left", "unsubscribed"),
            ("joined", "form"),
        ]
        assert await active_count(connection) == 1


async def test_leaving_twice_counts_once(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        assert await subscriber_changes.leave(connection, parent.id, reason="unsubscribed", at=LATER)
        assert not await subscriber_changes.leave(connection, parent.id, reason="unsubscribed", at=LATER)
        assert await active_count(connection) == 0


async def test_who_has_left_gets_nothing(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        elder = await make_subscriber(connection, keys, ELDER)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=LATER)
        await subscriber_changes.leave(connection, elder.id, reason="blocked", at=LATER)
        assert (
            await opened(connection, keys, [parent]) == await opened(connection, keys, [elder]) == Opened({})
        )


async def test_what_is_no_address_of_the_channel_is_not_registered(database, keys):
    async with database.write() as connection:
        with pytest.raises(BadAddress):
            await make_subscriber(connection, keys, PARENT, address="parent@example.jp")
        assert await counts.active_now(connection) == {}


async def test_a_mail_address_is_found_whatever_the_case_of_its_domain(database, keys):
    async with database.write() as connection:
        await make_subscriber(connection, keys, NEWCOMER)
        again = await make_subscriber(connection, keys, NEWCOMER, address="newcomer@EXAMPLE.jp")
        assert again == await found(connection, keys, NEWCOMER)


async def test_changed_choices_replace_the_old_ones_and_are_recorded(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        chosen = Preferences(categories=frozenset({"saigai"}), language="ja-easy")
        await subscriber_changes.change_preferences(connection, parent.id, chosen, reason="page", at=LATER)
        assert (await found(connection, keys)).preferences == chosen
        assert await events(connection, parent.id) == [("joined", "form"), ("changed", "page")]
        assert await active_count(connection) == 1


async def test_choosing_the_same_again_records_nothing(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await subscriber_changes.change_preferences(
            connection, parent.id, PARENT.preferences, reason="page", at=LATER
        )
        assert await events(connection, parent.id) == [("joined", "form")]


async def test_an_erased_registration_leaves_the_counts_and_nothing_else(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        before = await counts.movements(connection)
        await subscriber_changes.erase(connection, parent.id, reason="erased", at=LATER + DAY)
        erased = await subscribers.get(connection, parent.id)
        assert (erased.state, erased.preferences) == ("erased", Preferences())
        assert await subscribers.find(connection, keys, "line", "line", PARENT.address) is None
        assert await connection.scalar(select(func.count()).select_from(subscribers.address)) == 0
        after = await counts.movements(connection)
        assert after[: len(before)] == before
        assert await active_count(connection) == 0


async def test_who_was_erased_can_register_anew_as_somebody_new(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await subscriber_changes.erase(connection, parent.id, reason="erased", at=LATER)
        again = await make_subscriber(connection, keys, PARENT, at=LATER)
        assert again.id != parent.id
        assert await active_count(connection) == 1


async def test_erasing_somebody_who_left_counts_no_second_departure(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=LATER)
        await subscriber_changes.erase(connection, parent.id, reason="erased", at=LATER)
        assert await events(connection, parent.id) == [("joined", "form"), ("left", "blocked")]


async def test_a_late_unfollow_does_not_undo_a_newer_follow(database, keys):
    async with database.write() as connection:
        await follow(connection, keys, event_at=100)
        await unfollow(connection, keys, event_at=200)
        await follow(connection, keys, event_at=400)
        assert not await unfollow(connection, keys, event_at=300)
        assert (await found(connection, keys)).state == "active"


async def test_a_late_follow_does_not_undo_a_newer_unfollow(database, keys):
    async with database.write() as connection:
        await follow(connection, keys, event_at=100)
        assert await unfollow(connection, keys, event_at=400)
        assert not await follow(connection, keys, event_at=300)
        assert (await found(connection, keys)).state == "left"


async def test_an_event_that_comes_twice_changes_nothing_the_second_time(database, keys):
    async with database.write() as connection:
        assert await follow(connection, keys, event_at=100)
        assert not await follow(connection, keys, event_at=100)
        assert await unfollow(connection, keys, event_at=200)
        assert not await unfollow(connection, keys, event_at=200)
        assert not await follow(connection, keys, event_at=100)
        subscriber = await found(connection, keys)
        assert await events(connection, subscriber.id) == [("joined", "follow"), ("left", "blocked")]


async def test_an_unfollow_that_overtakes_its_follow_wins(database, keys):
    async with database.write() as connection:
        assert not await unfollow(connection, keys, event_at=200)
        assert not await follow(connection, keys, event_at=100)
        assert (await found(connection, keys)).state == "left"
        assert await active_count(connection) == 0


async def test_who_follows_after_an_overtaken_arrival_is_registered_with_the_usual_choices(database, keys):
    async with database.write() as connection:
        await unfollow(connection, keys, 200, ELDER)
        await follow(connection, keys, 100, ELDER)
        assert await follow(connection, keys, 300, ELDER)
        elder = await found(connection, keys, ELDER)
        assert elder.preferences == ELDER.preferences
        assert elder.state == "active"
        assert await active_count(connection) == 1


async def test_the_language_of_an_overtaken_arrival_is_kept_too(database, keys):
    async with database.write() as connection:
        await unfollow(connection, keys, 200, NEWCOMER)
        await follow(connection, keys, 300, NEWCOMER)
        assert (await found(connection, keys, NEWCOMER)).preferences == NEWCOMER.preferences


async def test_coming_back_by_form_does_not_let_an_old_unfollow_through(database, keys):
    async with database.write() as connection:
        await follow(connection, keys, event_at=100)
        await unfollow(connection, keys, event_at=300)
        await make_subscriber(connection, keys, PARENT, at=LATER)
        assert not await unfollow(connection, keys, event_at=200)
        assert not await unfollow(connection, keys, event_at=300)
        assert (await found(connection, keys)).state == "active"


async def test_leaving_by_form_does_not_let_an_old_follow_through(database, keys):
    async with database.write() as connection:
        await follow(connection, keys, event_at=300)
        parent = await found(connection, keys)
        await subscriber_changes.leave(connection, parent.id, reason="unsubscribed", at=LATER)
        assert not await follow(connection, keys, event_at=200)
        assert not await follow(connection, keys, event_at=300)
        assert (await found(connection, keys)).state == "left"


async def test_many_are_registered_at_once_in_their_order(database, keys):
    async with database.write() as connection:
        people = [
            Registration(person.channel, person.account, person.address, person.preferences, APRIL_TUESDAY)
            for person in PEOPLE
        ]
        ids = await registration.register_many(connection, keys, people, reason="import")
        for subscriber_id, person in zip(ids, PEOPLE, strict=True):
            assert (await subscribers.get(connection, subscriber_id)).preferences == person.preferences
            known = await subscribers.require(connection, subscriber_id)
            assert await opened(connection, keys, [known]) == Opened({known.id: (person.address, known.salt)})


async def test_an_address_that_was_copied_to_another_registration_is_not_opened(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        newcomer = await make_subscriber(connection, keys, NEWCOMER, account=parent.account)
        stolen = await connection.scalar(select(address.c.sealed).where(address.c.subscriber_id == parent.id))
        await connection.execute(
            update(address).where(address.c.subscriber_id == newcomer.id).values(sealed=stolen)
        )
        assert await opened(connection, keys, [parent, newcomer]) == Opened(
            {parent.id: (PARENT.address, parent.salt)}, frozenset({newcomer.id})
        )


async def test_an_address_does_not_serve_on_another_account(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        opened_there = await connection.run_sync(address_book.open_addresses, keys, "line-drill", [parent.id])
        assert opened_there == Opened({}, frozenset({parent.id}))


async def test_addresses_of_an_earlier_version_are_bound_to_their_rows(database, keys, monkeypatch):
    monkeypatch.setattr(address_book, "SLICE", 2)
    async with database.write() as connection:
        people = [await make_subscriber(connection, keys, PARENT, address=line_id(n)) for n in range(5)]
        for number, person in enumerate(people):
            before = sealed_for_no_row(b"k" * 32, line_id(number))
            await connection.execute(
                update(address).where(address.c.subscriber_id == person.id).values(sealed=before)
            )
        readable = await opened(connection, keys, people)
    assert await address_book.bind_seals(database, keys) == 5
    assert await address_book.bind_seals(database, keys) == 0
    async with database.read() as connection:
        assert await opened(connection, keys, people) == readable
        seals = await connection.scalars(select(address.c.sealed))
        assert all(is_bound(sealed) for sealed in seals)
        assert {plain for plain, _ in readable.clear.values()} == {line_id(n) for n in range(5)}


async def test_registering_nobody_does_nothing(database, keys):
    async with database.write() as connection:
        assert await registration.register_many(connection, keys, [], reason="import") == []
        assert await counts.active_now(connection) == {}


async def test_a_double_among_many_stops_them_all(database, keys):
    double = [Registration("line", "line", PARENT.address, registered_at=APRIL_TUESDAY)] * 2
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await registration.register_many(connection, keys, double, reason="import")
    async with database.read() as connection:
        assert await counts.active_now(connection) == {}


async def test_a_registration_that_has_ended_is_kept_with_both_its_events(database, keys):
    async with database.write() as connection:
        gone = Registration(
            "line", "line", PARENT.address, PARENT.preferences, APRIL_TUESDAY, left_at=LATER + DAY
        )
        (gone_id,) = await registration.register_many(connection, keys, [gone], reason="import")
        assert (await subscribers.get(connection, gone_id)).state == "left"
        assert await events(connection, gone_id) == [("joined", "import"), ("left", "blocked")]
        assert await active_count(connection) == 0


async def _leave(connection, keys, person):
    await subscriber_changes.leave(connection, person.id, reason="blocked", at=LATER)


async def _change(connection, keys, person):
    chosen = replace(PARENT.preferences, areas=frozenset({"shibata"}))
    await subscriber_changes.change_preferences(connection, person.id, chosen, reason="form", at=LATER)


async def _erase(connection, keys, person):
    await subscriber_changes.erase(connection, person.id, reason="erased", at=LATER)


async def _return(connection, keys, person):
    await subscriber_changes.join(
        connection,
        keys,
        account="line",
        channel="line",
        plain=PARENT.address,
        preferences=ELDER.preferences,
        reason="follow",
        at=LATER,
    )


@pytest.mark.parametrize(
    ("has_left", "first", "second"),
    [
        (False, _leave, _change),
        (False, _change, _leave),
        (False, _change, _erase),
        (False, _erase, _change),
        (True, _return, _change),
        (True, _change, _return),
        (True, _return, _erase),
        (True, _erase, _return),
    ],
)
async def test_two_that_write_one_registration_at_once_leave_its_preferences_in_its_state(
    database, keys, has_left, first, second
):
    async with database.write() as connection:
        person = await make_subscriber(connection, keys, PARENT)
        if has_left:
            await _leave(connection, keys, person)

    async def another():
        async with database.write() as connection:
            await second(connection, keys, person)

    async with database.write() as connection:
        await first(connection, keys, person)
        waiting = asyncio.create_task(another())
        await asyncio.sleep(0.1)
    await waiting
    async with database.read() as connection:
        state = (await subscribers.get(connection, person.id)).state
        told = set(
            await connection.scalars(
                select(preference.c.active).where(preference.c.subscriber_id == person.id)
            )
        )
    assert told == ({state == "active"} if state != "erased" else set())


def test_an_address_does_not_show_in_what_is_logged():
    assert PARENT.address not in repr(Registration("line", "line", PARENT.address))


@pytest.mark.parametrize("table", ["registration_event", "audit_entry"])
@pytest.mark.parametrize("change", ["UPDATE {} SET at = 0", "DELETE FROM {}"])
async def test_history_cannot_be_rewritten(database, keys, table, change):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT)
        await audit.record(connection, at=APRIL_TUESDAY, actor="tanaka", action="staff.logged_in")
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as connection:
            await connection.execute(text(change.format(table)))
    async with database.read() as connection:
        assert await connection.scalar(text(f"SELECT at FROM {table}")) == APRIL_TUESDAY


STORY = st.lists(st.tuples(st.sampled_from([PARENT, ELDER]), st.booleans()), min_size=1, max_size=7)


@given(data=st.data())
@few_examples
async def test_follows_and_unfollows_in_any_order_end_like_the_ordered_ones(database, keys, data):
    timed = [(person, follows, 100 * (n + 1)) for n, (person, follows) in enumerate(data.draw(STORY))]
    again = data.draw(st.lists(st.sampled_from(timed), max_size=3))
    ordered = await _ends(database, keys, timed)
    assert await _ends(database, keys, data.draw(st.permutations(timed + again))) == ordered


async def _ends(database, keys, story):
    """{address: choices} of everybody active after the story."""
    async with undone(database) as connection:
        for person, follows, event_at in story:
            await (follow if follows else unfollow)(connection, keys, event_at, person)
        people = {
            person.address: await found(connection, keys, person) for person in {item[0] for item in story}
        }
        active = {key: person.preferences for key, person in people.items() if person.state == "active"}
        assert await active_count(connection) == len(active)
        return active
