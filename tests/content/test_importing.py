"""An import: all or nothing, also when it is killed, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from sqlalchemy import func, select

from content.clock import DAY
from content.database import Database
from content.figures import counts
from content.keys import Keys
from content.register import importing, subscriber_changes
from content.register.importing import ImportOvertaken, import_registrations
from content.register.registration import Registration, Sealed, seal
from content.register.subscribers import Preferences, registration_event, subscriber
from tests.factories import APRIL_TUESDAY, PARENT, line_id, make_subscriber

CHOSEN = Preferences(frozenset({"saigai", "gomi"}), frozenset({"funaoka"}), frozenset({"2024-05"}))
NOW = APRIL_TUESDAY


def sealed(keys: Keys, number: int, first: int = 1) -> list[Sealed]:
    people = (Registration("line", "line", line_id(first + n), CHOSEN, NOW) for n in range(number))
    return [seal(keys, item) for item in people]


async def bring_in(database: Database, items: Sequence[Sealed]) -> importing.Imported:
    return await import_registrations(database, items, lambda _: None, at=NOW)


async def active(database: Database) -> int:
    async with database.read() as connection:
        return (await counts.active_now(connection)).get("line", 0)


async def staged(database: Database) -> int:
    async with database.read() as connection:
        return int(
            await connection.scalar(select(func.count()).select_from(importing.staged_registration)) or 0
        )


async def killed_while_staging(database: Database, items: Sequence[Sealed]) -> int:
    async with database.write() as connection:
        import_id = await importing.begin(connection, reason="import", at=NOW)
        await importing.stage(connection, import_id, importing.staged_rows(import_id, 0, items))
    return import_id


async def test_every_registration_has_its_choices_its_event_and_a_random_number(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 3)
    assert await bring_in(database, sealed(keys, 8)) == importing.Imported(8, 0)
    async with database.read() as connection:
        ids = list(await connection.scalars(select(subscriber.c.id).order_by(subscriber.c.id)))
        salts = set(await connection.scalars(select(subscriber.c.salt)))
        kinds = list(await connection.scalars(select(registration_event.c.kind)))
        chosen = {group: await counts.active_by_choice(connection, group) for group in ("area", "category")}
    assert len(ids) == len(salts) == 8 and 0 not in salts
    assert kinds == ["joined"] * 8
    assert chosen["area"] == [("line", "funaoka", 8)]
    assert chosen["category"] == [("line", "gomi", 8), ("line", "saigai", 8)]
    assert await staged(database) == 0


async def test_progress_is_told_slice_by_slice(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 2)
    told: list[int] = []
    await import_registrations(database, sealed(keys, 5), told.append, at=NOW)
    assert told == [2, 2, 1]


async def test_nothing_to_import_is_an_import_of_nothing(database: Database) -> None:
    assert await bring_in(database, []) == importing.Imported(0, 0)


async def test_an_import_that_was_killed_before_the_mark_leaves_nothing_and_can_be_repeated(
    database: Database, keys: Keys
) -> None:
    await killed_while_staging(database, sealed(keys, 5))
    assert await active(database) == 0
    await importing.finish_decided(database)
    assert await active(database) == 0
    assert await bring_in(database, sealed(keys, 5)) == importing.Imported(5, 0)
    assert (await active(database), await staged(database)) == (5, 0)


async def test_an_import_that_was_killed_after_the_mark_is_finished_by_whoever_comes_next(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 2)
    import_id = await killed_while_staging(database, sealed(keys, 5))
    async with database.write() as connection:
        await importing.decide(connection, import_id)
    async with database.write() as connection:
        assert await importing.move_slice(connection, import_id)
    await asyncio.gather(*(importing.finish_decided(database) for _ in range(3)))
    assert (await active(database), await staged(database)) == (5, 0)
    assert await bring_in(database, sealed(keys, 6)) == importing.Imported(1, 5)


async def test_an_import_that_another_has_overtaken_says_so_and_brings_nothing_in(
    database: Database, keys: Keys
) -> None:
    first = await killed_while_staging(database, sealed(keys, 2))
    await killed_while_staging(database, sealed(keys, 3))
    with pytest.raises(ImportOvertaken):
        async with database.write() as connection:
            await importing.stage(connection, first, importing.staged_rows(first, 2, sealed(keys, 2)))
    with pytest.raises(ImportOvertaken):
        async with database.write() as connection:
            await importing.decide(connection, first)
    assert (await active(database), await staged(database)) == (0, 3)


async def test_what_nobody_decided_is_forgotten_after_a_day(database: Database, keys: Keys) -> None:
    await killed_while_staging(database, sealed(keys, 2))
    for later, left in ((DAY, 2), (DAY + 1, 0)):
        async with database.write() as connection:
            await importing.forget_abandoned(connection, before=NOW + later - importing.ABANDONED_AFTER)
        assert await staged(database) == left


async def test_who_joins_or_leaves_while_an_import_is_staged_keeps_what_they_did(
    database: Database, keys: Keys
) -> None:
    people = [*sealed(keys, 3), seal(keys, Registration("line", "line", PARENT.address, CHOSEN, NOW))]
    import_id = await killed_while_staging(database, people)
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=NOW)
    async with database.write() as connection:
        await importing.decide(connection, import_id)
    await importing.finish_decided(database)
    assert await active(database) == 3
    async with database.read() as connection:
        state = await connection.scalar(select(subscriber.c.state).where(subscriber.c.id == parent.id))
    assert state == "left"


async def test_the_mark_and_what_is_said_of_it_stand_together(database: Database, keys: Keys) -> None:
    async def refuse(_: object) -> None:
        raise RuntimeError("the trail cannot be written")

    with pytest.raises(RuntimeError):
        await import_registrations(database, sealed(keys, 3), lambda _: None, at=NOW, when_decided=refuse)
    assert await active(database) == 0


async def test_other_writers_wait_for_one_slice_at_most(database: Database, keys: Keys) -> None:
    """Somebody who writes all the while comes in between any two slices."""
    seen: list[int] = []
    over = asyncio.Event()

    async def write_all_the_while() -> None:
        while not over.is_set():
            async with database.write() as connection:
                count = select(func.count()).select_from(importing.staged_registration)
                seen.append(await connection.scalar(count) or 0)
            await asyncio.sleep(0)

    writer = asyncio.create_task(write_all_the_while())
    await bring_in(database, sealed(keys, 20_000))
    over.set()
    await writer
    if database.is_sqlite:
        steps = [abs(after - before) for before, after in pairwise(seen)]
        assert 0 < max(steps) <= importing.SLICE
    # PostgreSQL moves them all at once, and nobody else waits for that.
    assert len(seen) > 20
