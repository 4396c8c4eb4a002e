"""Program and database of different versions: nothing starts, and the message says which and what to do."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory

from content.database import Database
from content.schema import MIGRATIONS
from tests.journeys.deployment import deployed

pytestmark = [pytest.mark.slow, pytest.mark.faults]

NEWER = "9999"
NEWEST = str(ScriptDirectory(str(MIGRATIONS)).get_current_head())
COMMANDS = (
    ("serve",),
    ("worker",),
    ("notice", "show", "1"),
    ("subscribers", "export"),
    ("staff", "add", "soumu", "--password-file", "password"),
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


async def test_no_command_works_on_a_database_of_another_version(tmp_path: Path, database_url: str) -> None:
    async with deployed(tmp_path, KAIRANBAN_DATABASE_URL=database_url) as town:
        await town.init()
        commands = [one for one in COMMANDS if one != ("worker",) or "postgres" in database_url]
        for version, remedy in (("0001", "run `kairanban init`"), (NEWER, "install the newer kairanban")):
            await pretend(database_url, version)
            answers = await asyncio.gather(*(town.run(*command) for command in commands))
            for command, (code, out, err) in zip(commands, answers, strict=True):
                assert (code, out) == (1, ""), (command, err)
                assert f"at version {version}" in err and NEWEST in err and remedy in err, command
                assert "Traceback" not in err
        code, _, err = await town.run("init", "--password-file", "password")
        assert code == 1 and NEWER in err and "install the newer kairanban" in err
        await pretend(database_url, NEWEST)
        code, _, err = await town.run("report", "counts")
        assert code == 0, err


@pytest.mark.services
async def test_an_old_worker_does_not_join_a_new_serve(tmp_path: Path, empty_postgres: str) -> None:
    settings = {
        "KAIRANBAN_DATABASE_URL": empty_postgres,
        "KAIRANBAN_LINE__API_BASE": "http://127.0.0.1:1",
        "KAIRANBAN_MAIL__SMTP_URL": "smtp://127.0.0.1:1",
    }
    async with deployed(tmp_path, **settings) as town:
        await town.init()
        serve = await town.serve()
        await pretend(empty_postgres, NEWER)
        code, _, err = await town.run("worker")
        assert code == 1 and f"at version {NEWER}" in err
        assert await serve.end(signal.SIGTERM) == 0
