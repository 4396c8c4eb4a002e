"""A database opens for its own town and its own key; every command says so and changes nothing."""

from __future__ import annotations

import asyncio
import os
import shutil
import sys
from pathlib import Path

import pytest
from aiohttp.test_utils import TestClient, TestServer
from pydantic import SecretStr
from sqlalchemy import text
from typer.testing import CliRunner

from bot.app import create_app
from bot.belonging import bind, bind_within
from bot.cli import app
from bot.health import ANSWER_HOLDS
from bot.service import open_service
from bot.settings import Settings
from content import schema
from content.database import Database, identity
from content.database.identity import WrongDatabase
from content.key_file import KeyFileError, create_key_file
from content.keys import Keys, load_keys
from content.town import Town, load_town
from tests.conftest import migrated_file
from tests.factories import SHIBATA, create_town, make_subscriber

OTHER_KEY = Keys({1: b"x" * 32})
TORIDE = {"code": "082171", "name": "取手市"}


async def test_the_first_town_and_key_bind_the_database_and_others_are_refused(
    database: Database, keys: Keys, town: Town
) -> None:
    bound = await bind(database, town, keys)
    again = await bind(database, town, keys)
    assert bound.sign("unsubscribe", "1") == again.sign("unsubscribe", "1") != keys.sign("unsubscribe", "1")
    with pytest.raises(KeyFileError, match=r"does not belong.*KAIRANBAN_SECRET_KEY_FILE"):
        await bind(database, town, OTHER_KEY)
    with pytest.raises(WrongDatabase, match=r"043231.*取手市.*082171.*KAIRANBAN_TOWN"):
        await bind(database, create_town(**TORIDE), keys)


async def test_init_may_be_run_again_when_there_are_registrations(
    database: Database, keys: Keys, town: Town
) -> None:
    bound = await bind(database, town, keys)
    async with database.write() as connection:
        await make_subscriber(connection, bound)
    async with database.write() as connection:
        await bind_within(connection, town, keys)
        with pytest.raises(KeyFileError, match="does not belong"):
            await bind_within(connection, town, OTHER_KEY)


async def test_a_database_from_before_is_not_taken_by_a_key_that_opens_nothing_in_it(
    database: Database, keys: Keys, town: Town
) -> None:
    async with database.write() as connection:
        await make_subscriber(connection, keys)
    with pytest.raises(KeyFileError, match="does not belong"):
        await bind(database, town, OTHER_KEY)
    await bind(database, town, keys)


async def test_a_foreign_key_leaves_a_database_from_before_as_it_was(
    sqlite_database: Database, keys: Keys, town: Town
) -> None:
    async with sqlite_database.write() as connection:
        await make_subscriber(connection, keys)
    await schema.downgrade(sqlite_database, "0010")
    with pytest.raises(KeyFileError):
        await schema.upgrade(
            sqlite_database, then=lambda connection: bind_within(connection, town, OTHER_KEY)
        )
    async with sqlite_database.read() as connection:
        assert await connection.scalar(text("SELECT version_num FROM alembic_version")) == "0010"


async def test_readyz_says_no_when_the_database_was_exchanged_under_it(tmp_path: Path) -> None:
    service = await open_service(await made(tmp_path))
    async with TestClient(TestServer(create_app(service))) as client:
        assert (await client.get("/readyz")).status == 200
        for column, value in (("town", "'082171'"), ("key_check", "x'00'")):
            async with service.database.write() as connection:
                await connection.execute(text(f"UPDATE database_identity SET {column} = {value}"))
            await asyncio.sleep(ANSWER_HOLDS)
            answer = await client.get("/readyz")
            assert answer.status == 503 and "nothing was changed" in await answer.text()
    await service.database.close()


async def made(folder: Path) -> Settings:
    """A town as `init` leaves it."""
    settings = Settings(
        town=SHIBATA,
        secret_key_file=folder / "secret.key",
        database_url=SecretStr(f"sqlite:///{folder}/kairanban.db"),
    )
    create_key_file(settings.secret_key_file)
    shutil.copyfile(migrated_file(), folder / "kairanban.db")
    database = Database(settings.database_url.get_secret_value())
    await bind(database, load_town(SHIBATA), load_keys(settings.secret_key_file))
    await database.close()
    return settings


async def command(folder: Path, *words: str, **settings: str) -> tuple[int, str]:
    """`kairanban …` with these settings: exit code and stderr. What serves has a process of its own, as it sets one up."""
    environment = {
        "KAIRANBAN_DATABASE_URL": f"sqlite:///{folder}/kairanban.db",
        "KAIRANBAN_SECRET_KEY_FILE": str(folder / "secret.key"),
        "KAIRANBAN_LINE__CHANNEL_TOKEN": "t",
        "KAIRANBAN_LINE__CHANNEL_SECRET": "s",
        "KAIRANBAN_LINE__API_BASE": "http://127.0.0.1:1",
        "KAIRANBAN_MAIL__SMTP_URL": "smtp://127.0.0.1:1",
        "KAIRANBAN_MAIL__FROM": "town@example.jp",
        **settings,
    }
    if words[0] != "serve":
        # As the command itself sets it: what it writes is for this user alone.
        before = os.umask(0o077)
        try:
            # In a thread, since it brings an event loop of its own.
            ended = await asyncio.to_thread(CliRunner().invoke, app, words, env=environment)
        finally:
            os.umask(before)
        return ended.exit_code, ended.stderr
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot.cli", *words),
        env={name: value for name, value in os.environ.items() if not name.startswith("KAIRANBAN_")}
        | environment,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    _, err = await process.communicate()
    return process.returncode or 0, err.decode()


@pytest.mark.parametrize("words", ["init", "serve", "notice show 1", "config check", "report counts"])
async def test_without_a_town_a_command_ends_with_one_line_and_the_remedy(tmp_path: Path, words: str) -> None:
    code, err = await command(tmp_path, *words.split())
    assert code == 2
    assert err.count("\n") == 1 and "KAIRANBAN_TOWN" in err and "examples/shibata.toml" in err


@pytest.mark.slow
@pytest.mark.parametrize("words", ["init --password-file {}", "serve", "notice show 1", "subscribers export"])
async def test_a_wrong_key_and_a_wrong_town_are_refused_with_the_remedy(tmp_path: Path, words: str) -> None:
    await made(tmp_path)
    (tmp_path / "password").write_text("a-long-password-1")
    asked = words.format(tmp_path / "password").split()
    create_key_file(tmp_path / "other.key")
    code, err = await command(
        tmp_path, *asked, KAIRANBAN_TOWN=str(SHIBATA), KAIRANBAN_SECRET_KEY_FILE=str(tmp_path / "other.key")
    )
    assert code == 2 and "does not belong" in err and "Traceback" not in err
    other = tmp_path / "toride.toml"
    profile = SHIBATA.read_text(encoding="utf-8").replace('code = "043231"', 'code = "082171"')
    other.write_text(profile, encoding="utf-8")
    code, err = await command(tmp_path, *asked, KAIRANBAN_TOWN=str(other))
    assert code == 2 and "043231" in err and "082171" in err and "Traceback" not in err


@pytest.mark.slow
async def test_init_heals_an_empty_key_file_of_a_new_database_alone(tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a-long-password-1")
    key = tmp_path / "secret.key"
    key.touch(0o600)
    init = ("init", "--password-file", str(tmp_path / "password"))
    code, err = await command(tmp_path, *init, KAIRANBAN_TOWN=str(SHIBATA))
    assert code == 0 and "秘密鍵を作りました" in err
    kept = key.read_bytes()
    assert kept and sorted(path.name for path in tmp_path.glob(".*")) == []
    key.write_bytes(b"")
    code, err = await command(tmp_path, *init, KAIRANBAN_TOWN=str(SHIBATA))
    assert code == 2 and key.read_bytes() == b""
    key.unlink()
    code, err = await command(tmp_path, *init, KAIRANBAN_TOWN=str(SHIBATA))
    assert code == 2 and "backup" in err and not key.exists()
    key.write_bytes(kept)
    key.chmod(0o600)
    code, err = await command(tmp_path, *init, KAIRANBAN_TOWN=str(SHIBATA))
    assert code == 0, err


async def test_an_identity_moves_with_its_database(tmp_path: Path, keys: Keys, town: Town) -> None:
    here = Database(f"sqlite:///{tmp_path}/here.db")
    await schema.upgrade(here)
    token = (await bind(here, town, keys)).sign("unsubscribe", "1", 7)
    async with here.read() as connection:
        first = await identity.read(connection)
    await here.close()
    (tmp_path / "here.db").rename(tmp_path / "there.db")
    there = Database(f"sqlite:///{tmp_path}/there.db")
    assert (await bind(there, town, keys)).verify("unsubscribe", token, 7) == "1"
    async with there.read() as connection:
        assert await identity.read(connection) == first
    await there.close()
