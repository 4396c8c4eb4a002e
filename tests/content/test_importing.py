"""An import: all or nothing, also when it is killed, and nobody waits for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from itertools import pairwise

import pytest
from sqlalchemy import func, select, update

from content.clock import DAY, today_jst
from content.database import Database
from content.figures import counts
from content.keys import Keys
from content.notices.audience_counts import count_audience
from content.notices.segments import Target, audience
from content.register import importing, staging, subscriber_changes
from content.register.importing import ImportOvertaken, import_registrations
from content.register.imports import registration_import
from content.register.registration import Registration
from content.register.staging import Begun
from content.register.subscribers import Preferences, registration_event, subscriber
from content.register.subscribers_export import export_rows
from content.town import Town
from tests.factories import APRIL_TUESDAY, PARENT, line_id, make_subscriber

CHOSEN = Preferences(frozenset({"saigai", "gomi"}), frozenset({"funaoka"}), frozenset({"2024-05"}))
NOW = APRIL_TUESDAY


def people(number: int, first: int = 1) -> list[Registration]:
    return [Registration("line", "line", line_id(first + n), CHOSEN, NOW) for n in range(number)]


async def bring_in(database: Database, keys: Keys, items: Sequence[Registration]) -> importing.Imported:
    return await import_registrations(database, keys, items, lambda _: None, at=NOW)


async def active(database: Database) -> int:
    async with database.read() as connection:
        return (await counts.active_now(connection)).get("line", 0)


async def staged(database: Database) -> int:
    async with database.read() as connection:
        return int(
            await connection.scalar(select(func.count()).select_from(staging.staged_registration)) or 0
        )


async def killed_while_staging(database: Database, keys: Keys, items: Sequence[Registration]) -> Begun:
    async with database.write() as connection:
        begun = await importing.begin(connection, reason="import", at=NOW, number=len(items))
        rows = staging.staged_rows(keys, begun, 0, items)
        await importing.stage(connection, begun.id, rows)
    return begun


async def killed_while_moving(database: Database, keys: Keys, items: Sequence[Registration]) -> None:
    """After the mark and its first slice; on PostgreSQL that is the whole."""
    begun = await killed_while_staging(database, keys, items)
    async with database.write() as connection:
        assert await importing.decide(connection, begun.id)
        if not database.is_sqlite:
            await importing.move_slice(connection, begun.id)
    if database.is_sqlite:
        async with database.write() as connection:
            await importing.move_slice(connection, begun.id)


async def test_every_registration_has_its_choices_its_event_and_a_random_number(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 3)
    assert await bring_in(database, keys, people(8)) == importing.Imported(8, 0)
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
    await import_registrations(database, keys, people(5), told.append, at=NOW)
    assert told == [2, 2, 1]


async def test_nothing_to_import_is_an_import_of_nothing(database: Database, keys: Keys) -> None:
    assert await bring_in(database, keys, []) == importing.Imported(0, 0)


async def test_an_import_that_was_killed_before_the_mark_leaves_nothing_and_can_be_repeated(
    database: Database, keys: Keys
) -> None:
    await killed_while_staging(database, keys, people(5))
    assert await active(database) == 0
    await importing.finish_decided(database)
    assert await active(database) == 0
    assert await bring_in(database, keys, people(5)) == importing.Imported(5, 0)
    assert (await active(database), await staged(database)) == (5, 0)


async def test_an_import_that_was_killed_after_the_mark_is_finished_by_whoever_comes_next(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 2)
    await killed_while_moving(database, keys, people(5))
    await asyncio.gather(*(importing.finish_decided(database) for _ in range(3)))
    assert (await active(database), await staged(database)) == (5, 0)
    assert await bring_in(database, keys, people(6)) == importing.Imported(1, 5)


async def test_an_import_that_was_killed_on_its_way_is_seen_as_a_whole_or_not_at_all(
    database: Database, keys: Keys, town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 2)
    await bring_in(database, keys, people(3, first=100))
    await killed_while_moving(database, keys, people(5))
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
    seen = 1 if database.is_sqlite else 6
    assert await everything_seen(database, keys, town) == {3 + seen}
    await importing.finish_decided(database)
    assert await everything_seen(database, keys, town) == {9}
    async with database.read() as connection:
        ids = list(await connection.scalars(select(subscriber.c.id).order_by(subscriber.c.id)))
    assert ids[-1] == parent.id, "a number between those of an import"


async def everything_seen(database: Database, keys: Keys, town: Town) -> set[int]:
    """By each way in which many registrations are read."""
    today = today_jst(NOW)
    gomi = Target("subscribed")
    async with database.read() as connection:
        exported = [row async for row in export_rows(connection, keys, town)]
        moves = await counts.movements(connection)
        by_choice = await counts.active_by_choice(connection, "category")
        meant = select(func.count()).where(audience(town, gomi, "saigai", today))
        return {
            len(exported) - 1,
            counts.count_at(moves, {"line"}, today),
            (await counts.active_now(connection))["line"],
            sum(number for _, value, number in by_choice if value == "saigai"),
            await connection.scalar(meant.select_from(subscriber)) or 0,
            *(await count_audience(database, town, gomi, "saigai", ["line"], today)).values(),
            *(await count_audience(database, town, Target("everyone"), "saigai", ["line"], today)).values(),
        }


async def test_an_import_waits_until_the_one_before_it_has_come_in(
    database: Database, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importing, "SLICE", 2)
    second = await killed_while_staging(database, keys, people(2, first=50))
    async with database.write() as connection:
        await connection.execute(
            update(registration_import).where(registration_import.c.id == second.id).values(state="decided")
        )
    third = await killed_while_staging(database, keys, people(2, first=60))
    async with database.write() as connection:
        assert not await importing.decide(connection, third.id)
    await importing.finish_decided(database)
    async with database.write() as connection:
        assert await importing.decide(connection, third.id)
    await importing.finish_decided(database)
    assert await active(database) == 4


async def test_an_import_that_another_has_overtaken_says_so_and_brings_nothing_in(
    database: Database, keys: Keys
) -> None:
    first = await killed_while_staging(database, keys, people(2))
    await killed_while_staging(database, keys, people(3))
    with pytest.raises(ImportOvertaken):
        async with database.write() as connection:
            await importing.stage(connection, first.id, staging.staged_rows(keys, first, 0, people(2)))
    with pytest.raises(ImportOvertaken):
        async with database.write() as connection:
            await importing.decide(connection, first.id)
    await importing.clear_away(database)
    assert (await active(database), await staged(database)) == (0, 3)


async def test_what_nobody_decided_is_forgotten_after_a_day(database: Database, keys: Keys) -> None:
    await killed_while_staging(database, keys, people(2))
    for later, left in ((DAY, 2), (DAY + 1, 0)):
        async with database.write() as connection:
            await importing.give_up(connection, before=NOW + later - importing.ABANDONED_AFTER)
        await importing.clear_away(database)
        assert await staged(database) == left


async def test_who_joins_or_leaves_while_an_import_is_staged_keeps_what_they_did(
    database: Database, keys: Keys
) -> None:
    four = [*people(3), Registration("line", "line", PARENT.address, CHOSEN, NOW)]
    begun = await killed_while_staging(database, keys, four)
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=NOW)
    async with database.write() as connection:
        await importing.decide(connection, begun.id)
    await importing.finish_decided(database)
    assert await active(database) == 3
    async with database.read() as connection:
        state = await connection.scalar(select(subscriber.c.state).where(subscriber.c.id == parent.id))
    assert state == "left"


async def test_the_mark_and_what_is_said_of_it_stand_together(database: Database, keys: Keys) -> None:
    async def refuse(_: object) -> None:
        raise RuntimeError("the trail cannot be written")

    with pytest.raises(RuntimeError):
        await import_registrations(database, keys, people(3), lambda _: None, at=NOW, when_decided=refuse)
    assert await active(database) == 0


async def test_other_writers_wait_for_one_slice_at_most(database: Database, keys: Keys) -> None:
    """Somebody who writes all the while comes in between any two slices."""
    seen: list[int] = []
    over = asyncio.Event()

    async def write_all_the_while() -> None:
        while not over.is_set():
            async with database.write() as connection:
                count = select(func.count()).select_from(staging.staged_registration)
                seen.append(await connection.scalar(count) or 0)
            await asyncio.sleep(0)

    writer = asyncio.create_task(write_all_the_while())
    await bring_in(database, keys, people(20_000))
    over.set()
    await writer
    if database.is_sqlite:
        steps = [abs(after - before) for before, after in pairwise(seen)]
        assert 0 < max(steps) <= importing.SLICE
    # PostgreSQL moves them all at once, and nobody else waits for that.
    assert len(seen) > 20
