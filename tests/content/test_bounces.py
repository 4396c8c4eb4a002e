"""Mails that came back: when an address gets no more mail, and when it does again."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from sqlalchemy import select

from content.clock import DAY, MINUTE
from content.database import Database
from content.keys import Keys
from content.register import bounce_addresses, bounces, suppressing
from content.register.address_book import open_addresses
from content.register.bounces import FORGOTTEN_AFTER
from content.register.states import BounceKind, Route
from content.register.subscriber_changes import erase, leave
from content.register.subscribers import Subscriber, registration_event
from content.register.suppressing import lift, note_bounce
from tests.factories import APRIL_TUESDAY, NEWCOMER, make_subscriber

HARD, UNCLEAR, SOFT = BounceKind.HARD, BounceKind.UNCLEAR, BounceKind.SOFT


async def registered(database: Database, keys: Keys) -> Subscriber:
    async with database.write() as connection:
        return await make_subscriber(connection, keys, NEWCOMER)


async def play(database: Database, one: Subscriber, days: Iterable[tuple[int, BounceKind]]) -> list[bool]:
    """Each a failed mail of its own, so many days after the first Tuesday: whether it stopped the mails."""
    async with database.write() as connection:
        return [
            await note_bounce(connection, one.id, version, kind, status="5.1.1", at=APRIL_TUESDAY + day * DAY)
            for version, (day, kind) in enumerate(days, 1)
        ]


@pytest.mark.parametrize(
    ("days", "stops"),
    [
        ([(0, HARD), (1, HARD)], False),
        ([(0, HARD), (1, HARD), (2, HARD)], True),
        # A carrier's bad day, however many notices went out on it.
        ([(0, HARD)] * 12, False),
        ([(day, UNCLEAR) for day in range(4)], False),
        ([(day, UNCLEAR) for day in range(5)], True),
        ([(day, SOFT) for day in range(9)], False),
        ([(day, SOFT) for day in range(10)], True),
        ([(0, HARD), (1, HARD), (2, SOFT), (3, UNCLEAR), (4, SOFT)], True),
        # A month of mails that arrived stands between.
        ([(0, HARD), (1, HARD), (31, HARD), (32, HARD)], False),
        ([(0, BounceKind.COMPLAINT)], True),
    ],
)
async def test_failures_add_up_by_the_day(
    database: Database, keys: Keys, days: list[tuple[int, BounceKind]], stops: bool
) -> None:
    one = await registered(database, keys)
    assert any(await play(database, one, days)) is stops
    async with database.read() as connection:
        assert (await bounces.suppressed_since(connection, one.id) is not None) is stops


async def test_who_is_suppressed_gets_no_mail_is_counted_and_keeps_the_registration(
    database: Database, keys: Keys
) -> None:
    one = await registered(database, keys)
    await play(database, one, [(0, HARD), (1, HARD), (2, HARD), (3, HARD)])
    async with database.read() as connection:
        opened = await connection.run_sync(open_addresses, keys, "mail", [one.id])
        assert (opened.clear, opened.suppressed) == ({}, frozenset({one.id}))
        assert await bounces.count_suppressed(connection) == {("mail", HARD): 1}
        (row,) = await bounces.list_suppressed(connection, after=0, most=10)
        assert (row.subscriber_id, row.days, row.last_status) == (one.id, 4, "5.1.1")
        reasons = list(await connection.scalars(select(registration_event.c.reason)))
        assert reasons.count(suppressing.SUPPRESSED) == 1


async def test_once_lifted_mail_goes_there_again_and_late_copies_change_nothing(
    database: Database, keys: Keys
) -> None:
    one = await registered(database, keys)
    days = [(0, HARD), (1, HARD), (2, HARD)]
    await play(database, one, days)
    async with database.write() as connection:
        assert await lift(connection, one.id, route=Route.COUNTER, at=APRIL_TUESDAY + 3 * DAY)
        assert not await lift(connection, one.id, route=Route.COUNTER, at=APRIL_TUESDAY + 3 * DAY)
    assert not any(await play(database, one, days))
    async with database.read() as connection:
        opened = await connection.run_sync(open_addresses, keys, "mail", [one.id])
        assert set(opened.clear) == {one.id}


async def test_of_who_left_or_was_erased_nothing_is_noted_or_kept(database: Database, keys: Keys) -> None:
    one = await registered(database, keys)
    await play(database, one, [(0, HARD), (1, HARD), (2, HARD)])
    async with database.write() as connection:
        await leave(connection, one.id, reason="asked", at=APRIL_TUESDAY)
        assert not await note_bounce(connection, one.id, 99, HARD, status="", at=APRIL_TUESDAY)
        assert await bounces.count_suppressed(connection) == {}
        await erase(connection, one.id, reason="asked", at=APRIL_TUESDAY)
        for table in (bounces.bounce, bounces.suppression):
            assert not list(await connection.execute(select(table)))


async def test_old_bounces_are_forgotten_but_for_those_that_stopped_the_mails(
    database: Database, keys: Keys
) -> None:
    one = await registered(database, keys)
    async with database.write() as connection:
        other = await make_subscriber(connection, keys, NEWCOMER, address="other@example.jp")
    await play(database, one, [(0, HARD), (1, HARD), (2, HARD)])
    await play(database, other, [(0, HARD)])
    async with database.write() as connection:
        await bounces.forget_old(connection, APRIL_TUESDAY + FORGOTTEN_AFTER + 3 * DAY + MINUTE)
        kept = set(await connection.scalars(select(bounces.bounce.c.subscriber_id)))
    assert kept == {one.id}


async def test_a_bounce_address_finds_its_registration_in_whatever_case_it_comes_back(
    database: Database, keys: Keys
) -> None:
    one = await registered(database, keys)
    local = bounce_addresses.bounce_local_part(keys, one.id, 7, one.salt)
    assert len(local) <= 64
    async with database.read() as connection:
        for spelling in (local, local.upper()):
            found = await bounce_addresses.find_returned(connection, keys, spelling)
            assert found and (found.subscriber.id, found.version_id) == (one.id, 7)
        for forged in (
            local[:-1] + ("0" if local[-1] != "0" else "1"),
            local.replace("-7-", "-8-"),
            bounce_addresses.bounce_local_part(keys.bound_to("another database"), one.id, 7, one.salt),
            bounce_addresses.bounce_local_part(keys, one.id, 7, one.salt + 1),
            bounce_addresses.bounce_local_part(keys, one.id + 1, 7, one.salt),
        ):
            assert await bounce_addresses.find_returned(connection, keys, forged) is None
