"""Sender processes that are alive, and those that are not."""

from __future__ import annotations

from content.clock import HOUR, SECOND
from content.database import Database
from content.ledger import presence
from tests.factories import APRIL_TUESDAY as NOW


async def renew(database: Database, owner: str, at: int) -> int:
    async with database.write() as connection:
        return await presence.renew(connection, owner, at)


async def test_every_process_counts_once_however_often_it_is_seen(database: Database) -> None:
    assert await renew(database, "a", NOW) == 1
    assert await renew(database, "b", NOW + 1) == 2
    assert await renew(database, "a", NOW + 2) == 2


async def test_who_was_not_seen_for_fifteen_seconds_does_not_count_any_more(database: Database) -> None:
    await renew(database, "dead", NOW)
    assert await renew(database, "a", NOW + 15 * SECOND - 1) == 2
    assert await renew(database, "a", NOW + 15 * SECOND) == 1


async def test_a_process_that_was_taken_for_dead_counts_again_when_it_is_seen(database: Database) -> None:
    await renew(database, "a", NOW)
    await renew(database, "b", NOW + 20 * SECOND)
    async with database.write() as connection:
        assert await presence.forget_dead(connection, NOW + 20 * SECOND) == 1
        assert await presence.forget_dead(connection, NOW + 20 * SECOND) == 0
    assert await renew(database, "a", NOW + 21 * SECOND) == 2


async def test_who_leaves_is_gone_at_once(database: Database) -> None:
    await renew(database, "a", NOW)
    await renew(database, "b", NOW)
    async with database.write() as connection:
        await presence.leave(connection, "b")
    assert await renew(database, "a", NOW) == 1


async def test_a_clock_that_was_set_back_leaves_nobody_alive_for_hours(database: Database) -> None:
    await renew(database, "dead", NOW + HOUR)
    assert await renew(database, "a", NOW) == 1
    async with database.write() as connection:
        assert await presence.forget_dead(connection, NOW) == 1
