"""The whole web application on an empty SQLite database, with two members of staff."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp.test_utils import TestClient, TestServer
from typer.testing import CliRunner, Result

from bot.app import create_app
from bot.belonging import bind
from bot.cli import app
from bot.service import Service, open_town_context
from bot.settings import Settings
from content.database import Database
from content.key_file import create_key_file
from content.keys import Keys
from content.staff import member_changes, passwords
from content.town import Town
from tests.bot.web_visitor import PASSWORD, Visitor
from tests.conftest import run_apart
from tests.factories import APRIL_TUESDAY, SHIBATA, create_town

STAFF = {"tanaka": "editor", "suzuki": "editor", "kikaku": "viewer"}
SETTINGS: dict[str, Any] = {
    "line": {"channel_token": "token", "channel_secret": "secret", "api_base": "http://127.0.0.1:1"},
    "mail": {"smtp_url": "smtp://127.0.0.1:1", "from": "柴田町 <notice@example.jp>"},
}


@pytest.fixture(scope="session")
def staffed_template(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path, keys: Keys) -> Path:
    """A database of the town with its staff, made once."""
    path = tmp_path_factory.mktemp("staffed") / "staffed.db"
    shutil.copyfile(sqlite_template, path)
    run_apart(_add_staff(path, keys))
    return path


@pytest_asyncio.fixture
async def service(staffed_template: Path, keys: Keys, town: Town, tmp_path: Path) -> AsyncIterator[Service]:
    shutil.copyfile(staffed_template, tmp_path / "web.db")
    database = Database(f"sqlite:///{tmp_path / 'web.db'}")
    settings = Settings(town=SHIBATA, secret_key_file=tmp_path / "secret.key", **SETTINGS)
    own_keys = await bind(database, town, keys)
    yield Service(settings, open_town_context(settings, town, database, own_keys))
    await database.close()


@pytest.fixture
def command_line(
    tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[..., Result]:
    """Runs `kairanban` on a database of its own; words as on a command line, `typed` on standard input."""
    shutil.copyfile(sqlite_template, tmp_path / "town.db")
    create_key_file(tmp_path / "secret.key")
    for name, value in {
        "KAIRANBAN_DATABASE_URL": f"sqlite:///{tmp_path / 'town.db'}",
        "KAIRANBAN_TOWN": str(SHIBATA),
        "KAIRANBAN_SECRET_KEY_FILE": str(tmp_path / "secret.key"),
        "KAIRANBAN_LINE__CHANNEL_TOKEN": "token",
        "KAIRANBAN_LINE__CHANNEL_SECRET": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)

    def run(*words: str, typed: str | bytes | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=typed)

    return run


@pytest_asyncio.fixture
async def stranger(service: Service) -> AsyncIterator[Visitor]:
    """Somebody who is not logged in."""
    async with TestClient(TestServer(create_app(service))) as client:
        yield Visitor(client)


@pytest_asyncio.fixture
async def tanaka(stranger: Visitor, service: Service) -> Visitor:
    """An editor, logged in."""
    await stranger.enter(service, "tanaka")
    return stranger


@pytest_asyncio.fixture
async def suzuki(service: Service, tanaka: Visitor) -> AsyncIterator[Visitor]:
    """Another editor at another desk."""
    async with TestClient(TestServer(create_app(service))) as client:
        visitor = Visitor(client)
        await visitor.enter(service, "suzuki")
        yield visitor


@pytest_asyncio.fixture
async def kikaku(stranger: Visitor, service: Service) -> Visitor:
    """A viewer, logged in."""
    await stranger.enter(service, "kikaku")
    return stranger


async def _add_staff(path: Path, keys: Keys) -> None:
    database = Database(f"sqlite:///{path}")
    await bind(database, create_town(), keys)
    async with database.write() as connection:
        for login, role in STAFF.items():
            await member_changes.add(
                connection,
                login=login,
                password_hash=await passwords.new_hash(PASSWORD, login),
                role=role,
                at=APRIL_TUESDAY,
            )
    await database.close()
