"""Transactions and signals, the same on both databases."""

import asyncio

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError

from content.database import Database, engine
from content.figures import counts
from content.staff import audit
from tests.factories import APRIL_TUESDAY, PARENT, make_subscriber


async def note(connection, subject="x"):
    await audit.record(connection, at=APRIL_TUESDAY, actor="tanaka", action="seen", subject=subject)


async def test_a_transaction_that_fails_leaves_nothing(database, keys):
    with pytest.raises(ZeroDivisionError):
        async with database.write() as connection:
            await make_subscriber(connection, keys, PARENT)
            raise ZeroDivisionError
    async with database.read() as connection:
        assert await counts.active_now(connection) == {}


async def test_what_is_committed_survives_closing(sqlite_database):
    async with sqlite_database.write() as connection:
        await note(connection)
    await sqlite_database.close()
    again = Database(sqlite_database.url)
    async with again.read() as connection:
        assert len(await audit.entries(connection)) == 1
    await again.close()


async def test_a_reader_sees_what_was_there_while_a_writer_is_at_work(database):
    async with database.write() as writing:
        await note(writing)
        async with database.read() as reading:
            assert await audit.entries(reading) == []
    async with database.read() as reading:
        assert len(await audit.entries(reading)) == 1


async def test_many_writers_at_once_all_get_through(database):
    async def write(number):
        async with database.write() as connection:
            await note(connection, str(number))

    await asyncio.gather(*map(write, range(30)))
    async with database.read() as connection:
        assert {entry.subject for entry in await audit.entries(connection)} == set(map(str, range(30)))


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO preference (kind, value, subscriber_id, account, active)"
        " VALUES ('area', 'funaoka', 1234, 'line', true)",
        "INSERT INTO registration_event (subscriber_id, account, kind, reason, at)"
        " VALUES (1234, 'line', 'joined', 'x', 0)",
        "INSERT INTO subscriber (account, state, language, joined_at, changed_at)"
        " VALUES ('line', 'asleep', 'ja', 0, 0)",
    ],
    ids=["no such subscriber", "event of nobody", "no such state"],
)
async def test_the_database_refuses_rows_that_make_no_sense(database, statement):
    with pytest.raises(IntegrityError):
        async with database.write() as connection:
            await connection.execute(text(statement))


async def test_a_settled_batch_would_survive_a_power_cut(sqlite_database):
    async with sqlite_database.write() as connection:
        assert await connection.scalar(text("PRAGMA synchronous")) == 2
        assert await connection.scalar(text("PRAGMA journal_mode")) == "wal"


async def test_every_listener_is_woken_after_the_commit_and_not_before(database):
    one, two, other = database.listen("batches"), database.listen("batches"), database.listen("triggers")
    async with database.write(wake="batches") as connection:
        await note(connection)
        assert not one.is_set()
    assert one.is_set() and two.is_set()
    assert not other.is_set()


async def test_a_transaction_that_fails_wakes_nobody(database):
    signal = database.listen("batches")
    with pytest.raises(ZeroDivisionError):
        async with database.write(wake="batches"):
            raise ZeroDivisionError
    assert not signal.is_set()


async def test_a_signal_is_cleared_once_it_was_waited_for(sqlite_database):
    signal = sqlite_database.listen("batches")
    sqlite_database.wakeups.wake("batches")
    await signal.wait_for(60)
    assert not signal.is_set()


async def test_waiting_for_a_signal_that_does_not_come_ends(sqlite_database):
    signal = sqlite_database.listen("batches")
    await signal.wait_for(0)
    assert not signal.is_set()


async def test_a_listener_that_is_gone_is_forgotten(sqlite_database):
    sqlite_database.listen("batches")
    sqlite_database.wakeups.wake("batches")


def test_a_folder_that_is_missing_is_made(tmp_path):
    Database(f"sqlite:///{tmp_path / 'var' / 'town' / 'kairanban.db'}")
    assert (tmp_path / "var" / "town").is_dir()


@pytest.mark.services
async def test_who_stands_still_in_a_transaction_holds_up_the_others_for_a_while_only(
    postgres_database, monkeypatch
):
    monkeypatch.setattr(engine, "SILENT", 0.5)
    stopped = Database(postgres_database.url)
    async with asyncio.timeout(60):
        with pytest.raises(DBAPIError):
            async with stopped.write() as connection:
                await connection.execute(text("LOCK TABLE department"))
                async with postgres_database.write() as other:
                    await other.execute(text("UPDATE department SET name = name"))
                await connection.execute(text("UPDATE department SET name = name"))
        async with stopped.write() as connection:
            await connection.execute(text("UPDATE department SET name = name"))
    await stopped.close()


@pytest.mark.services
async def test_who_only_reads_and_says_so_may_take_as_long_as_it_takes(postgres_database, monkeypatch):
    monkeypatch.setattr(engine, "SILENT", 0.2)
    patient = Database(postgres_database.url)
    async with patient.read() as connection:
        await patient.may_take_long(connection)
        await asyncio.sleep(0.6)
        assert await connection.scalar(text("SELECT count(*) FROM department")) == 1
    await patient.close()
