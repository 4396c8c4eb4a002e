"""What is written for the event loop runs as one step: the same outcome, in a single hop."""

import asyncio

import pytest

from content.database import as_step
from content.register import subscriber_changes, subscribers
from content.register.subscribers import Preferences
from tests.factories import APRIL_TUESDAY


def joining(keys, plain="sato@example.jp"):
    async def join(connection):
        found, is_new = await subscriber_changes.join(
            connection,
            keys,
            account="mail",
            channel="mail",
            plain=plain,
            preferences=Preferences(frozenset({"saigai"})),
            reason="form",
            at=APRIL_TUESDAY,
        )
        return found.id, is_new

    return join


async def test_a_registration_made_in_one_step_is_as_one_made_statement_by_statement(database, keys):
    first, is_new = await database.write_step(as_step(joining(keys)))
    assert is_new
    async with database.write() as connection:
        assert await joining(keys)(connection) == (first, False)

    async def preferences(connection):
        return (await subscribers.require(connection, first)).preferences

    assert (await database.read_step(as_step(preferences))).categories == {"saigai"}


async def test_a_step_that_fails_leaves_nothing(database, keys):
    async def stumble(connection):
        await joining(keys)(connection)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await database.write_step(as_step(stumble))
    assert (await database.write_step(as_step(joining(keys))))[1]


async def test_a_step_may_wait_for_nothing_else(database):
    async def nap(connection):
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="cannot wait"):
        await database.read_step(as_step(nap))
