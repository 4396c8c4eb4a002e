"""Whoever changes the trail behind the service's back is found out."""

import asyncio
import sqlite3
from contextlib import closing

import pytest
from sqlalchemy import func, select, text
from sqlalchemy.exc import DBAPIError

from content.database import Database
from content.keys import Keys
from content.staff import audit, audit_chain
from content.staff.audit import audit_entry
from content.staff.audit_chain import SLICE, Broken, Head, audit_link, link_new, verify
from tests.factories import APRIL_TUESDAY

NOW = APRIL_TUESDAY


async def write(database, number=3):
    async with database.write() as connection:
        for each in range(number):
            await audit.record(
                connection, at=NOW + each, actor="sato", action="seen", subject=f"notice {each}", n=each
            )


async def tamper(database, *statements):
    """As somebody who owns the database: what keeps the trail append-only is put aside."""
    if database.is_sqlite:
        with closing(sqlite3.connect(database.path)) as file:
            for table in ("audit_entry", "audit_link"):
                for verb in ("update", "delete"):
                    file.execute(f"DROP TRIGGER IF EXISTS {table}_no_{verb}")
            for statement in statements:
                file.execute(statement)
            file.commit()
        return
    async with database.write() as connection:
        for statement in ("SET LOCAL session_replication_role = replica", *statements):
            await connection.execute(text(statement))


async def test_a_trail_that_nobody_touched_is_whole(database, keys):
    assert await verify(database, keys) == Head()
    await write(database)
    head = await verify(database, keys)
    assert (head.number, len(head.hash)) == (3, 32)
    await write(database, 1)
    assert (await verify(database, keys, noted=[str(head)])).number == 4


async def test_entries_of_an_older_version_are_linked_slice_by_slice(database, keys):
    async with database.write() as connection:
        await connection.run_sync(
            lambda c: c.execute(
                audit_entry.insert(),
                [
                    {"at": NOW, "actor": "sato", "action": "seen", "subject": "", "detail": "{}"}
                    for _ in range(SLICE * 2 + 1)
                ],
            )
        )
    numbers = [(await link_new(database, keys)).number for _ in range(3)]
    assert numbers == [SLICE, SLICE * 2, SLICE * 2 + 1]
    assert await link_new(database, keys) is None
    assert (await verify(database, keys)).number == SLICE * 2 + 1


@pytest.mark.parametrize(
    ("statement", "number", "why"),
    [
        ("UPDATE audit_entry SET actor = 'tanaka' WHERE subject = 'notice 1'", 2, "changed"),
        ("UPDATE audit_entry SET at = at + 1 WHERE subject = 'notice 1'", 2, "changed"),
        ("UPDATE audit_entry SET detail = '{}' WHERE subject = 'notice 0'", 1, "changed"),
        ("DELETE FROM audit_entry WHERE subject = 'notice 1'", 2, "gone"),
        ("DELETE FROM audit_link WHERE number = 2", 2, "gone"),
    ],
)
async def test_the_first_entry_that_is_not_what_was_written_is_named(database, keys, statement, number, why):
    await write(database)
    await verify(database, keys)
    await tamper(database, statement)
    broken = await verify(database, keys)
    assert isinstance(broken, Broken)
    assert (broken.number, broken.why) == (number, why)
    if why == "changed":
        async with database.read() as connection:
            (entry,) = await audit.entries(connection, f"notice {number - 1}")
        assert (broken.entry_id, broken.at) == (entry.id, entry.at)


async def test_whoever_lacks_the_key_cannot_write_links_that_fit(database, keys):
    await write(database)
    await verify(database, Keys({1: b"x" * 32}))
    assert isinstance(await verify(database, keys), Broken)


async def test_a_trail_that_was_cut_off_and_written_anew_does_not_fit_to_what_was_noted(database, keys):
    await write(database)
    noted = str(await verify(database, keys))
    cut = (
        "DELETE FROM audit_link WHERE number >= 2",
        "DELETE FROM audit_entry WHERE subject IN ('notice 1', 'notice 2')",
    )
    await tamper(database, *cut)
    assert (await verify(database, keys, noted=[noted])) == Broken(2, None, None, "gone")
    await write(database)
    broken = await verify(database, keys, noted=[noted])
    assert (broken.number, broken.why) == (3, "not_as_noted")


async def test_processes_that_link_at_the_same_moment_make_one_chain(database, keys):
    others = [Database(database.url) for _ in range(3)]
    for _ in range(5):
        await write(database, 4)
        await asyncio.gather(*(link_new(one, keys) for one in (database, *others)))
    assert (await verify(database, keys)).number == 20
    async with database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(audit_link)) == 20
    for one in others:
        await one.close()


@pytest.mark.parametrize("statement", ["DELETE FROM audit_link", "UPDATE audit_link SET number = number + 9"])
async def test_the_database_itself_refuses_to_change_a_link(database, keys, statement):
    await write(database)
    await verify(database, keys)
    with pytest.raises(DBAPIError, match="append-only"):
        async with database.write() as connection:
            await connection.execute(text(statement))


@pytest.mark.services
async def test_an_entry_that_was_committed_late_is_linked_all_the_same(postgres_database, keys):
    async with postgres_database.write() as late:
        await audit.record(late, at=NOW, actor="late", action="seen")
        await write(postgres_database)
        assert (await link_new(postgres_database, keys)).number == 3
    assert (await link_new(postgres_database, keys)).number == 4
    assert (await verify(postgres_database, keys)).number == 4


@pytest.mark.services
async def test_whoever_writes_an_entry_waits_for_nobody(postgres_database, keys):
    async with postgres_database.write() as slow:
        await audit.record(slow, at=NOW, actor="an import", action="seen")
        await asyncio.wait_for(write(postgres_database), 60)
        await asyncio.wait_for(audit_chain.link_new(postgres_database, keys), 60)
