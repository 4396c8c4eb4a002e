"""One database, one identity: what it gives out means nothing to another, and it opens for its own key alone."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, select, text

from content import schema
from content.database import identity
from content.keys import Keys, SealMisplaced
from content.notices import notices
from content.register import subscribers
from content.register.tokens import find_by_token, subscriber_token
from tests.factories import NEWCOMER, PARENT, make_notice, make_subscriber

HERE, THERE = "a" * 32, "b" * 32


async def test_a_new_database_has_an_identity_that_no_town_has_taken_yet(sqlite_database):
    async with sqlite_database.read() as connection:
        found = await identity.read(connection)
    assert len(bytes.fromhex(found.identity)) == 16
    assert (found.town, found.key_check, found.epoch) == ("", None, 1)


async def test_whoever_binds_first_stays(database, keys):
    async with database.write() as connection:
        first = await identity.bind(connection, town="043231", key_check=keys.check)
        second = await identity.bind(connection, town="082171", key_check=Keys({1: b"x" * 32}).check)
    assert first == second
    assert (second.town, second.key_check) == ("043231", keys.check)


async def test_an_identity_survives_a_start_without_its_row(database, keys):
    async with database.write() as connection:
        await connection.execute(delete(identity.database_identity))
        found = await identity.bind(connection, town="043231", key_check=keys.check)
        assert await identity.read(connection) == found
    assert len(found.identity) == 32


def test_tokens_and_sessions_of_another_database_mean_nothing(keys):
    here, there = keys.bound_to(HERE), keys.bound_to(THERE)
    assert here.verify("unsubscribe", here.sign("unsubscribe", "17", 5), 5) == "17"
    assert there.verify("unsubscribe", here.sign("unsubscribe", "17", 5), 5) is None
    assert keys.verify("unsubscribe", here.sign("unsubscribe", "17", 5), 5) is None
    assert here.session_secret != there.session_secret
    assert here.mark("mail", "n 1") != there.mark("mail", "n 1")


def test_what_is_sealed_in_one_database_does_not_open_in_another(keys):
    here, there = keys.bound_to(HERE), keys.bound_to(THERE)
    sealed = here.seal("someone@example.jp", "address 17 mail")
    assert keys.bound_to(HERE).open(sealed, "address 17 mail") == "someone@example.jp"
    for other in (there, keys):
        with pytest.raises(SealMisplaced):
            other.open(sealed, "address 17 mail")


def test_addresses_are_found_whatever_the_identity(keys):
    here = keys.bound_to(HERE)
    assert here.lookup("mail", "someone@example.jp") == keys.lookup("mail", "someone@example.jp")
    assert here.check == keys.check != Keys({1: b"x" * 32}).check


def test_a_token_does_not_serve_who_comes_to_bear_the_same_number(keys):
    token = keys.sign("unsubscribe", "17", salt=5)
    assert keys.verify("unsubscribe", token, salt=6) is None
    assert keys.verify("unsubscribe", token) is None


async def test_a_token_finds_its_registration_and_no_other(database, keys):
    async with database.write() as connection:
        one = await make_subscriber(connection, keys, NEWCOMER)
        other = await make_subscriber(connection, keys, PARENT)
        token = subscriber_token(keys, "unsubscribe", one.id, one.salt)
        assert (await find_by_token(connection, keys, "unsubscribe", token)).id == one.id
        assert await find_by_token(connection, keys, "preferences", token) is None
        assert await find_by_token(connection, keys.bound_to(THERE), "unsubscribe", token) is None
        forged = token.replace(str(one.id), str(other.id), 1)
        assert await find_by_token(connection, keys, "unsubscribe", forged) is None
        # The same number, given out again by a database that came back from an older copy.
        await connection.execute(text(f"UPDATE subscriber SET salt = 12 WHERE id = {one.id}"))
        assert await find_by_token(connection, keys, "unsubscribe", token) is None


async def test_every_registration_and_every_notice_has_a_random_number_of_its_own(database, keys):
    async with database.write() as connection:
        people = [await make_subscriber(connection, keys, person) for person in (NEWCOMER, PARENT)]
        published = [await notices.get(connection, await make_notice(connection)) for _ in range(2)]
        for item in published:
            assert len(item.public_id) == identity.PUBLIC_ID_LENGTH
            assert set(item.public_id) <= set(identity.ALPHABET)
            assert await notices.find_public(connection, item.public_id) == item
            assert await notices.find_public(connection, str(item.id)) is None
    assert len({person.salt for person in people} - {0}) == 2
    assert len({item.public_id for item in published}) == 2


async def test_what_was_there_before_gets_its_random_numbers_too(database):
    try:
        await schema.downgrade(database, "0010")
        async with database.write() as connection:
            for number in (1, 2):
                await connection.execute(
                    text(
                        "INSERT INTO subscriber (id, account, state, language, joined_at, changed_at)"
                        f" VALUES ({number}, 'line', 'active', 'ja', 0, 0)"
                    )
                )
                await connection.execute(
                    text(
                        "INSERT INTO notice (id, submission_key, state, urgency, mode, category, target_kind,"
                        f" target_key, channels, created_by, created_at) VALUES ({number}, '{number}', 'draft',"
                        " 'routine', 'live', 'saigai', 'subscribed', '', 'line', 'x', 0)"
                    )
                )
        await schema.upgrade(database)
        async with database.read() as connection:
            salts = list(await connection.scalars(select(subscribers.subscriber.c.salt)))
            public_ids = list(await connection.scalars(select(notices.notice.c.public_id)))
        assert len(set(salts)) == 2 and all(salt > 0 for salt in salts)
        assert len(set(public_ids)) == 2 and all(len(item) == 12 for item in public_ids)
    finally:
        await schema.upgrade(database)
