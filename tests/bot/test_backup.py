"""backup and restore: one consistent private copy, and back without anything going out by itself."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner

from bot.backup_proofs import last_proved
from bot.cli import app
from content.clock import now_ms
from content.database import Database, identity
from content.database.files import copy_sqlite, make_private
from content.key_file import create_key_file
from content.notices import notices
from tests.bot.test_belonging import command, made
from tests.factories import SHIBATA, make_notice

TOWN = {"KAIRANBAN_TOWN": str(SHIBATA)}

pytestmark = pytest.mark.slow


async def due_town(folder: Path) -> Database:
    """A town with a notice whose time has come."""
    settings = await made(folder)
    database = Database(settings.database_url.get_secret_value())
    async with database.write() as connection:
        await make_notice(connection, at=now_ms() - 1000)
    return database


async def test_a_copy_comes_back_held_and_goes_on_when_a_person_says_so(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    copy = tmp_path / "copy.db"
    code, err = await command(tmp_path, "backup", str(copy), **TOWN)
    assert code == 0 and "秘密鍵" in err
    assert copy.stat().st_mode & 0o777 == 0o600
    code, err = await command(tmp_path, "backup", str(copy), **TOWN)
    assert code == 1 and "exists" in err
    async with database.write() as connection:
        await make_notice(connection)
    await database.close()

    code, err = await command(tmp_path, "restore", str(copy), **TOWN)
    assert code == 0, err
    assert "控えから戻しました" in err and "乳幼児健診のお知らせ" in err and "止めたまま" in err
    (kept,) = tmp_path.glob("kairanban.db.before-restore-*[0-9]")
    assert kept.stat().st_mode & 0o077 == 0
    assert (tmp_path / "kairanban.db").stat().st_mode & 0o077 == 0
    database = Database(f"sqlite:///{tmp_path}/kairanban.db")
    async with database.read() as connection:
        found = await identity.read(connection)
        assert found is not None and found.held_reason == "restored"
        assert len(await notices.recent(connection)) == 1
    code, err = await command(tmp_path, "restore", "--confirm", "--drop", **TOWN)
    assert code == 0 and "再開しました" in err
    async with database.read() as connection:
        found = await identity.read(connection)
        assert found is not None and (found.held_since, found.epoch) == (None, 2)
        (notice,) = await notices.recent(connection)
    assert notice.state == "cancelled"
    await database.close()


async def test_what_is_no_copy_of_this_town_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    await database.close()
    other = tmp_path / "other"
    other.mkdir()
    await (await due_town(other)).close()
    plain = tmp_path / "plain.db"
    with sqlite3.connect(plain) as table:
        table.execute("CREATE TABLE t (a)")
    table.close()
    (tmp_path / "words").write_text("no database at all")
    copy_sqlite(tmp_path / "kairanban.db", tmp_path / "before.db")
    for file in (other / "kairanban.db", plain, tmp_path / "words", tmp_path / "missing"):
        code, err = await command(tmp_path, "restore", str(file), **TOWN)
        assert code in (1, 2) and "Traceback" not in err, (file, err)
    database = Database(f"sqlite:///{tmp_path}/kairanban.db")
    async with database.read() as connection:
        found = await identity.read(connection)
    assert found is not None and found.held_since is None
    assert [path.name for path in tmp_path.glob(".kairanban*")] == []
    await database.close()


async def test_a_database_that_others_can_read_is_closed_to_them(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    await database.close()
    (tmp_path / "kairanban.db").chmod(0o644)
    code, err = await command(tmp_path, "restore", **TOWN)
    assert code == 0 and "could be read by others" in err
    assert (tmp_path / "kairanban.db").stat().st_mode & 0o777 == 0o600


async def test_the_files_of_a_new_database_and_key_are_private(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a-long-password-1")
    code, err = await command(tmp_path, "init", "--password-file", str(tmp_path / "password"), **TOWN)
    assert code == 0, err
    for path in tmp_path.iterdir():
        assert path.name == "password" or path.stat().st_mode & 0o077 == 0, path


async def test_the_files_behind_a_link_are_closed_too(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    (tmp_path / "link.db").symlink_to(tmp_path / "kairanban.db")
    async with database.write() as connection:
        await connection.execute(text("SELECT 1"))
    for path in tmp_path.glob("kairanban.db*"):
        path.chmod(0o666)
    assert len(make_private(f"sqlite:///{tmp_path}/link.db")) == len(list(tmp_path.glob("kairanban.db*")))
    assert make_private(f"sqlite:///{tmp_path}/link.db") == []
    await database.close()


async def test_a_second_service_by_a_link_is_refused(tmp_path: Path) -> None:
    from bot.locking import AlreadyRunning, locked

    await (await due_town(tmp_path)).close()
    (tmp_path / "link.db").symlink_to(tmp_path / "kairanban.db")
    create_key_file(tmp_path / "unused.key")
    with (
        locked(tmp_path / "kairanban.db"),
        pytest.raises(AlreadyRunning, match="stop it first"),
        locked(tmp_path / "link.db"),
    ):
        pass


async def test_a_copy_is_proved_beside_the_service_and_nothing_is_left_of_it(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    await database.close()
    copy = tmp_path / "copy.db"
    code, err = await command(tmp_path, "backup", str(copy), "--prove", **TOWN)
    assert code == 0 and "戻せることを確かめました" in err and "お知らせ 1件" in err
    before = copy.read_bytes()
    code, err = await command(tmp_path, "backup", str(copy), "--prove", **TOWN)
    assert code == 0 and copy.read_bytes() == before, "of a copy that is there, nothing is written"
    assert not list(tmp_path.glob(".*proof*"))
    database = Database(f"sqlite:///{tmp_path}/kairanban.db")
    assert await last_proved(database) is not None
    async with database.read() as connection:
        found = await identity.read(connection)
        assert found is not None and found.held_since is None, "the service itself is not held"
    await database.close()


async def test_a_copy_that_cannot_come_back_is_told(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    await database.close()
    copy = tmp_path / "copy.db"
    assert (await command(tmp_path, "backup", str(copy), **TOWN))[0] == 0
    octets = copy.read_bytes()
    copy.write_bytes(octets[: len(octets) // 2])
    code, err = await command(tmp_path, "backup", str(copy), "--prove", **TOWN)
    assert code == 1 and "この控えからは戻せません" in err
    with sqlite3.connect(tmp_path / "other.db") as other:
        other.execute("CREATE TABLE town (name TEXT)")
    code, err = await command(tmp_path, "backup", str(tmp_path / "other.db"), "--prove", **TOWN)
    assert code == 1 and "この控えからは戻せません" in err and not list(tmp_path.glob(".*proof*"))


async def test_an_encrypted_copy_opens_with_the_private_key_alone(tmp_path: Path) -> None:
    database = await due_town(tmp_path)
    await database.close()
    key, other, copy = tmp_path / "away.key", tmp_path / "other.key", tmp_path / "copy.age"
    made = [CliRunner().invoke(app, ["backup-key", str(file)]) for file in (key, other)]
    public = made[0].stdout.strip()
    assert public.startswith("age1") and key.stat().st_mode & 0o777 == 0o600
    code, err = await command(tmp_path, "backup", str(copy), "--to", public, "--prove", **TOWN)
    assert code == 0 and "戻せることを確かめました" in err, err
    octets = copy.read_bytes()
    assert octets.startswith(b"age-encryption.org/v1") and b"SQLite" not in octets
    assert copy.stat().st_mode & 0o777 == 0o600 and not list(tmp_path.glob(".copy*"))

    code, err = await command(tmp_path, "restore", str(copy), **TOWN)
    assert code == 2 and "--identity" in err
    code, err = await command(tmp_path, "restore", str(copy), "--identity", str(other), **TOWN)
    assert code == 1 and "この鍵で開けません" in err
    code, err = await command(tmp_path, "backup", str(copy), "--prove", "--identity", str(key), **TOWN)
    assert code == 0, err
    code, err = await command(tmp_path, "restore", str(copy), "--identity", str(key), **TOWN)
    assert code == 0 and "乳幼児健診のお知らせ" in err and not list(tmp_path.glob(".copy*")), err


@pytest.mark.parametrize("recipient", ["", "age1nothing", "ssh-ed25519 AAAA"])
async def test_what_is_no_public_key_is_refused_before_anything_is_written(
    tmp_path: Path, recipient: str
) -> None:
    await (await due_town(tmp_path)).close()
    code, err = await command(tmp_path, "backup", str(tmp_path / "copy"), "--to", recipient, **TOWN)
    assert code == 2 and "backup-key" in err and not (tmp_path / "copy").exists()
