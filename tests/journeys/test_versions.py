"""Program and database of different versions: nothing starts, and the message says which and what to do."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from typer.testing import CliRunner

from bot.cli import app
from content.database import Database
from content.schema import MIGRATIONS
from tests.journeys.deployment import Deployment, deployed

pytestmark = [pytest.mark.slow, pytest.mark.faults]

NEWER = "9999"
NEWEST = str(ScriptDirectory(str(MIGRATIONS)).get_current_head())
COMMANDS = (
    ("notice", "show", "1"),
    ("subscribers", "export"),
    ("staff", "add", "soumu", "--password-file", os.devnull),
)


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.services)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path}/kairanban.db"
    return str(request.getfixturevalue("empty_postgres"))


async def pretend(url: str, version: str) -> None:
    """As if another version of the program had left the database."""
    database = Database(url)
    async with database.write() as connection:
        await connection.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{version}'")
    await database.close()


async def here(town: Deployment, *words: str) -> tuple[int, str, str]:
    """`kairanban …` in this process; in a thread, since it brings an event loop of its own."""
    ended = await asyncio.to_thread(CliRunner().invoke, app, words, env=town.environment)
    return ended.exit_code, ended.stdout, ended.stderr


async def test_no_command_works_on_a_database_of_another_version(tmp_path: Path, database_url: str) -> None:
    async with deployed(tmp_path, KAIRANBAN_DATABASE_URL=database_url) as town:
        await town.found()
        process = "worker" if "postgres" in database_url else "serve"
        for version, remedy in (("0001", "run `kairanban init`"), (NEWER, "install the newer kairanban")):
            await pretend(database_url, version)
            answers = [await here(town, *words) for words in COMMANDS]
            for words, (code, out, err) in zip(
                ((process,), *COMMANDS), (await town.run(process), *answers), strict=True
            ):
                assert (code, out) == (1, ""), (words, err)
                assert f"at version {version}" in err and NEWEST in err and remedy in err, words
                assert "Traceback" not in err
        code, _, err = await here(town, "init", "--password-file", os.devnull)
        assert code == 1 and NEWER in err and "install the newer kairanban" in err
        await pretend(database_url, NEWEST)
        code, _, err = await here(town, "report", "counts")
        assert code == 0, err


@pytest.mark.services
async def test_an_old_worker_does_not_join_a_new_serve(tmp_path: Path, empty_postgres: str) -> None:
    settings = {
        "KAIRANBAN_DATABASE_URL": empty_postgres,
        "KAIRANBAN_LINE__API_BASE": "http://127.0.0.1:1",
        "KAIRANBAN_MAIL__SMTP_URL": "smtp://127.0.0.1:1",
    }
    async with deployed(tmp_path, **settings) as town:
        await town.found()
        serve = await town.serve()
        await pretend(empty_postgres, NEWER)
        code, _, err = await town.run("worker")
        assert code == 1 and f"at version {NEWER}" in err
        assert await serve.end(signal.SIGTERM) == 0
