"""A database that comes back from a copy, was moved, cloned or damaged sends nothing until a person has looked."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.heartbeat import LOST, MOVED, OLDER, Heartbeat
from bot.pulse_file import Pulse, PulseFile, pulse_file, read_pulse, write_pulse
from bot.settings import Settings
from content.clock import now_ms
from content.database import Database, identity
from content.database.files import copy_sqlite
from content.database.machine import is_same, this_machine
from content.keys import Keys
from content.ledger import batches, due
from content.notices import triggers
from content.town import Town
from tests.bot.test_belonging import made
from tests.factories import SHIBATA, make_delivery, make_notice, make_subscribers

MACHINE = "aaaa 1111,2222"


class Place:
    """A database with its key, here or copied elsewhere."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.database = Database(settings.database_url.get_secret_value())
        self.heartbeat = Heartbeat(settings, self.database)

    async def reopen(self) -> Place:
        await self.database.close()
        return Place(self.settings)

    async def identity(self) -> identity.Identity:
        async with self.database.read() as connection:
            found = await identity.read(connection)
        assert found is not None
        return found

    async def file(self) -> Path:
        return pulse_file(self.settings.secret_key_file, (await self.identity()).identity)


@pytest.fixture
async def place(tmp_path: Path) -> Place:
    """Served for a while and ended without a word."""
    found = Place(await made(tmp_path))
    assert await found.heartbeat.look() == ""
    for _ in range(3):
        await found.heartbeat.beat()
    return found


async def test_a_database_at_home_goes_on(place: Place) -> None:
    again = await place.reopen()
    assert await again.heartbeat.look() == ""
    known = read_pulse(await again.file())
    assert known is not None and known.beat == (await again.identity()).beat == 5
    assert (await again.file()).stat().st_mode & 0o077 == 0
    await again.database.close()


async def test_another_process_that_counts_on_during_the_look_makes_no_copy_of_it(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Several share one PostgreSQL and one file: the file of a moment later may know more than what was read."""
    again = await place.reopen()
    found, file, where = await again.identity(), await again.file(), again.heartbeat._place

    async def meanwhile(connection: AsyncConnection) -> str:
        write_pulse(file, Pulse(found.epoch, found.beat + 1))
        return await where(connection)

    monkeypatch.setattr(again.heartbeat, "_place", meanwhile)
    assert await again.heartbeat.look() == ""
    await again.database.close()


async def test_a_copy_from_before_is_held_also_when_it_is_started_twice(place: Place, tmp_path: Path) -> None:
    copy_sqlite(place.database.path, tmp_path / "copy.db")
    await place.heartbeat.beat()
    await place.database.close()
    put_back(tmp_path / "copy.db", place.database.path)
    for _ in range(2):
        again = Place(place.settings)
        assert await again.heartbeat.look() == OLDER
        known, found = read_pulse(await again.file()), await again.identity()
        # The file still knows what the copy does not.
        assert known is not None and known.beat > found.beat and found.held_since is not None
        await again.database.close()


async def test_a_copy_is_known_as_one_after_the_next_commit_of_the_ledger(
    place: Place, tmp_path: Path
) -> None:
    """No half second: whatever the copy does not know of went out behind a commit that is counted."""
    await place.heartbeat.start()
    copy_sqlite(place.database.path, tmp_path / "copy.db")
    await place.database.write_step(lambda connection: None)
    # Killed: no last beat.
    place.heartbeat._counting.cancel()
    await place.database.close()
    put_back(tmp_path / "copy.db", place.database.path)
    again = Place(place.settings)
    assert await again.heartbeat.look() == OLDER
    await again.database.close()


async def test_a_failed_step_is_not_counted_and_the_database_itself_is_never_taken_for_a_copy(
    place: Place,
) -> None:
    await place.heartbeat.start()
    before = read_pulse(await place.file())
    with pytest.raises(ZeroDivisionError):
        await place.database.write_step(lambda connection: 1 // 0)
    assert read_pulse(await place.file()) == before
    # The file is away for a moment, as when its folder is full: the next beat brings it back.
    (await place.file()).unlink()
    await place.database.write_step(lambda connection: None)
    await place.heartbeat.beat()
    again = await place.reopen()
    assert await again.heartbeat.look() == ""
    place.heartbeat._counting.cancel()
    await again.database.close()


def test_the_file_never_goes_back_whoever_writes_last(tmp_path: Path) -> None:
    file = PulseFile(tmp_path / "heartbeat.json")
    file.keep(Pulse(1, 5))
    file.note(Pulse(1, 7))
    file.keep(Pulse(1, 6))
    file.note(Pulse(1, 3))
    assert read_pulse(tmp_path / "heartbeat.json") == Pulse(1, 7)
    file.note(Pulse(2, 1))
    assert read_pulse(tmp_path / "heartbeat.json") == Pulse(2, 1)


async def test_after_a_person_has_looked_it_goes_on_and_older_copies_are_still_known(
    place: Place, tmp_path: Path
) -> None:
    copy_sqlite(place.database.path, tmp_path / "copy.db")
    await place.heartbeat.beat()
    await place.database.close()
    put_back(tmp_path / "copy.db", place.database.path)
    again = Place(place.settings)
    assert await again.heartbeat.look() == OLDER
    assert await again.heartbeat.confirm()
    assert not await again.heartbeat.confirm()
    again = await again.reopen()
    assert await again.heartbeat.look() == ""
    assert (await again.identity()).epoch == 2
    await again.database.close()
    put_back(tmp_path / "copy.db", place.database.path)
    again = Place(place.settings)
    assert await again.heartbeat.look() == OLDER
    await again.database.close()


async def test_a_database_in_another_place_is_held_with_its_file_and_without(
    place: Place, tmp_path: Path
) -> None:
    for with_file in (True, False):
        there = tmp_path / f"there-{with_file}"
        there.mkdir()
        copy_sqlite(place.database.path, there / "kairanban.db")
        shutil.copy2(place.settings.secret_key_file, there / "secret.key")
        if with_file:
            shutil.copy2(await place.file(), there)
        clone = Place(
            Settings(
                town=SHIBATA,
                secret_key_file=there / "secret.key",
                database_url=f"sqlite:///{there}/kairanban.db",
            )
        )
        assert await clone.heartbeat.look() == MOVED
        await clone.database.close()
    assert await place.heartbeat.look() == ""
    await place.database.close()


async def test_a_disk_in_another_machine_is_held(place: Place) -> None:
    async with place.database.write() as connection:
        await connection.execute(text(f"UPDATE database_identity SET machine = '{MACHINE}'"))
    again = await place.reopen()
    assert await again.heartbeat.look() == MOVED
    await again.database.close()


def test_a_machine_is_known_by_its_id_and_a_card_in_common() -> None:
    assert is_same(this_machine(), this_machine())
    assert is_same(MACHINE, "aaaa 2222,3333") and is_same(MACHINE, "aaaa ")
    # A clone keeps the id and has other cards.
    assert not is_same(MACHINE, "aaaa 3333") and not is_same(MACHINE, "bbbb 1111,2222")


async def test_a_lost_file_is_told(place: Place) -> None:
    (await place.file()).unlink()
    again = await place.reopen()
    assert await again.heartbeat.look() == LOST
    await again.database.close()


async def test_the_same_file_by_a_link_is_the_same_place(place: Place, tmp_path: Path) -> None:
    await place.database.close()
    (tmp_path / "link.db").symlink_to(place.database.path)
    linked = place.settings.model_copy(
        update={"database_url": type(place.settings.database_url)(f"sqlite:///{tmp_path}/link.db")}
    )
    again = Place(linked)
    assert await again.heartbeat.look() == ""
    await again.database.close()


async def test_a_damaged_start_of_the_log_is_noticed(tmp_path: Path) -> None:
    place = Place(await made(tmp_path))
    async with place.database.write() as connection:
        await connection.execute(text("SELECT 1"))
    assert await place.heartbeat.look() == ""
    log = Path(f"{place.database.path}-wal")
    saved = tmp_path / "saved"
    saved.mkdir()
    async with place.database.write() as connection:
        await make_notice(connection)
    await place.heartbeat.beat()
    # As after a power cut: nothing has been moved from the log into the file.
    for path in (place.database.path, log, await place.file()):
        shutil.copy2(path, saved)
    shutil.copy2(place.settings.secret_key_file, saved)
    async with place.database.read() as connection:
        assert len(await due.waiting(connection)) == 1
    await place.database.close()
    for path in saved.iterdir():
        shutil.copy2(path, tmp_path)
    Path(f"{place.database.path}-shm").unlink(missing_ok=True)
    content = bytearray(log.read_bytes())
    content[:32] = bytes(32)
    log.write_bytes(content)
    again = Place(place.settings)
    async with again.database.read() as connection:
        assert await due.waiting(connection) == []
    assert await again.heartbeat.look() == OLDER
    await again.database.close()


async def test_a_database_that_was_exchanged_while_it_is_served_is_held(place: Place) -> None:
    async with place.database.write() as connection:
        await connection.execute(text("UPDATE database_identity SET beat = 1"))
    await place.heartbeat.beat()
    assert (await place.identity()).held_reason == OLDER
    await place.database.close()


async def test_while_it_is_held_nothing_fires_and_nothing_is_claimed(database: Database, keys: Keys) -> None:
    now = now_ms()
    async with database.write() as connection:
        await identity.bind(connection, town="043231", key_check=keys.check)
        ids = await make_subscribers(connection, keys, 3)
        waiting = await make_notice(connection, at=now - 1000)
        await make_delivery(connection, [ids])
        await identity.hold(connection, OLDER, now)
    claim = partial(batches.claim, account="line", lane="routine", owner="o", now=now, lease=1000, most=5)
    async with database.write() as connection:
        assert await triggers.due(connection, now) == []
        assert not await triggers.fire(connection, waiting, now)
        assert [item.notice_id for item in await due.waiting(connection)] == [waiting]
        assert [item.open for item in await due.unfinished(connection)] == [3]
    assert await database.write_step(claim) == []
    async with database.write() as connection:
        assert await identity.let_go(connection, place="", machine="", beat=1, epoch=2)
        assert await triggers.due(connection, now) == [waiting]
    assert len(await database.write_step(claim)) == 1


async def test_a_postgres_database_that_was_read_back_is_known_by_its_number(
    postgres_database: Database, keys: Keys, town: Town, tmp_path: Path
) -> None:
    settings = Settings(
        town=SHIBATA, secret_key_file=tmp_path / "secret.key", database_url=postgres_database.url
    )
    async with postgres_database.write() as connection:
        await identity.bind(connection, town=town.code, key_check=keys.check)
    heartbeat = Heartbeat(settings, postgres_database)
    assert await heartbeat.look() == ""
    # A second process on a machine that has no file yet.
    elsewhere = settings.model_copy(update={"secret_key_file": tmp_path / "worker" / "secret.key"})
    (tmp_path / "worker").mkdir()
    assert await Heartbeat(elsewhere, postgres_database).look() == ""
    async with postgres_database.write() as connection:
        found = await identity.read(connection)
        assert found is not None and found.place.startswith("postgresql ")
        await identity.settle(connection, place="postgresql 1 2", machine=found.machine)
    assert await Heartbeat(settings, postgres_database).look() == MOVED


def put_back(copy: Path, place: Path) -> None:
    """As somebody does who knows nothing of `kairanban restore`."""
    for suffix in ("", "-wal", "-shm"):
        Path(f"{place}{suffix}").unlink(missing_ok=True)
    shutil.copyfile(copy, place)
