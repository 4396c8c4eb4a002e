"""backup and restore of a PostgreSQL database, by PostgreSQL's own programs."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy.engine import make_url

from bot.belonging import bind
from bot.commands.postgres_tools import run_postgres_tool
from bot.heartbeat import OLDER, Heartbeat
from bot.settings import Settings
from content import schema
from content.clock import now_ms
from content.database import Database, identity
from content.key_file import create_key_file
from content.keys import load_keys
from content.notices import notices
from content.town import load_town
from tests.bot.test_belonging import command
from tests.factories import SHIBATA, make_notice
from tests.services import POSTGRES, on_postgres, service_missing

pytestmark = [pytest.mark.services, pytest.mark.slow]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    """A PostgreSQL database of one's own, where nobody else is connected."""
    if not shutil.which("pg_dump"):
        service_missing("pg_dump is not installed; it comes with postgresql-client")
    name = f"kairanban_copy_{uuid4().hex[:12]}"
    await on_postgres(f"CREATE DATABASE {name}")
    yield make_url(POSTGRES).set(database=name).render_as_string(hide_password=False)
    await on_postgres(f"DROP DATABASE {name} WITH (FORCE)")


async def test_a_dump_comes_back_held(url: str, tmp_path: Path) -> None:
    key = tmp_path / "secret.key"
    create_key_file(key)
    settings = Settings(town=SHIBATA, secret_key_file=key, database_url=url)
    database = Database(url)
    await schema.upgrade(database)
    await bind(database, load_town(SHIBATA), load_keys(key))
    heartbeat = Heartbeat(settings, database)
    assert await heartbeat.look() == ""
    async with database.write() as connection:
        await make_notice(connection, at=now_ms())
    words = {"KAIRANBAN_TOWN": str(SHIBATA), "KAIRANBAN_DATABASE_URL": url}
    copy = tmp_path / "copy.dump"
    code, err = await command(tmp_path, "backup", str(copy), **words)
    assert code == 0, err
    assert copy.stat().st_mode & 0o777 == 0o600
    # Beside the service, which stays connected.
    code, err = await command(tmp_path, "backup", str(copy), "--prove", **words)
    assert code == 0 and "戻せることを確かめました" in err and "お知らせ 1件" in err, err
    code, err = await command(tmp_path, "restore", str(copy), **words)
    assert code == 1 and "stop every kairanban process" in err
    async with database.write() as connection:
        await make_notice(connection)
    await heartbeat.beat()
    await database.close()

    code, err = await command(tmp_path, "restore", str(copy), **words)
    assert code == 0, err
    database = Database(url)
    async with database.read() as connection:
        found = await identity.read(connection)
        assert found is not None and found.held_reason == "restored"
        assert len(await notices.recent(connection)) == 1
    # Also without the word of `restore` the file beside the key would have told.
    async with database.write() as connection:
        await identity.let_go(
            connection, place=found.place, machine=found.machine, beat=found.beat, epoch=found.epoch + 1
        )
        await connection.execute(identity.database_identity.update().values(epoch=found.epoch))
    assert await Heartbeat(settings, database).look() == OLDER
    await database.close()


async def test_the_programs_of_postgres_get_the_password_by_the_environment_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that trusts its own machine takes any password, so a program that writes down what it got."""
    program = tmp_path / "pg_dump"
    program.write_text(f'#!/bin/sh\necho "$PGPASSWORD" "$@" > {tmp_path}/got\n')
    program.chmod(0o700)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    url = make_url("postgresql://town:p%40ss%3Aword@db.example.jp:5433/kairanban?sslmode=require")
    await run_postgres_tool("pg_dump", url, "--no-owner")
    password, _, rest = (tmp_path / "got").read_text().strip().partition(" ")
    assert password == "p@ss:word"
    assert rest == "--dbname postgresql://town@db.example.jp:5433/kairanban?sslmode=require --no-owner"
