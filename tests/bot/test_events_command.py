"""kairanban events list, retry: what LINE told us and we could not handle is shown and handled again."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from content.clock import now_ms
from content.database import Database, identity
from content.key_file import create_key_file
from content.keys import load_keys
from content.register import inbound_events
from content.register.inbound_events import GIVE_UP_AFTER, Arrival

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]
WORDS = "そうだんしたいことがあります"


@pytest.fixture
def kairanban(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    shutil.copyfile(sqlite_template, tmp_path / "town.db")
    create_key_file(tmp_path / "secret.key")
    monkeypatch.setenv("KAIRANBAN_DATABASE_URL", f"sqlite:///{tmp_path / 'town.db'}")
    monkeypatch.setenv("KAIRANBAN_SECRET_KEY_FILE", str(tmp_path / "secret.key"))
    monkeypatch.setenv("KAIRANBAN_TOWN", str(ROOT / "examples" / "shibata.toml"))
    monkeypatch.chdir(tmp_path)
    return lambda *words: CliRunner().invoke(app, list(words))


@pytest.fixture
def told(kairanban: Run, tmp_path: Path) -> Run:
    """With three events that had failed as often as is tried."""
    assert kairanban("events", "list").exit_code == 0
    asyncio.run(set_aside(tmp_path, "EVENT1", "EVENT2", "EVENT3"))
    return kairanban


async def set_aside(folder: Path, *event_ids: str) -> None:
    database = Database(f"sqlite:///{folder / 'town.db'}")
    async with database.read() as connection:
        found = await identity.read(connection)
    assert found is not None
    keys = load_keys(folder / "secret.key").bound_to(found.identity)
    payload = {"type": "message", "message": {"type": "text", "text": WORDS}}
    arrivals = [Arrival(event_id, "line", now_ms(), payload) for event_id in event_ids]
    async with database.write() as connection:
        await inbound_events.store(connection, inbound_events.sealed_rows(keys, arrivals, now_ms()))
        for _ in range(GIVE_UP_AFTER):
            for event in await inbound_events.waiting(connection, keys):
                await inbound_events.failed(connection, event, "ValueError")
    await database.close()


def states(folder: Path) -> dict[str, tuple[str, int]]:
    with sqlite3.connect(folder / "town.db") as connection:
        rows = connection.execute("SELECT id, state, attempt FROM inbound_event").fetchall()
    return {event_id: (state, attempt) for event_id, state, attempt in rows}


def test_what_was_set_aside_is_listed_without_a_word_of_it(told: Run) -> None:
    done = told("events", "list")
    assert done.exit_code == 0
    for shown in ("3件", "EVENT1", "EVENT3", "message", "ValueError", str(GIVE_UP_AFTER)):
        assert shown in done.output
    assert WORDS not in done.output


def test_one_event_is_handled_again_and_the_trail_says_so(told: Run, tmp_path: Path) -> None:
    done = told("events", "retry", "EVENT2")
    assert done.exit_code == 0 and "1件をもう一度処理します" in done.output
    assert states(tmp_path) == {
        "EVENT1": ("failed", GIVE_UP_AFTER),
        "EVENT2": ("waiting", 0),
        "EVENT3": ("failed", GIVE_UP_AFTER),
    }
    (newest, *_) = json.loads(told("audit", "show", "--json").stdout)
    assert (newest["action"], newest["detail"]) == ("events.retried", {"number": 1})


def test_all_are_handled_again_when_none_is_named(told: Run, tmp_path: Path) -> None:
    assert told("events", "retry").exit_code == 0
    assert set(states(tmp_path).values()) == {("waiting", 0)}
    assert "0件" in told("events", "list").output


def test_a_number_that_is_not_there_changes_nothing_and_names_the_remedy(told: Run, tmp_path: Path) -> None:
    before = states(tmp_path)
    done = told("events", "retry", "EVENT9")
    assert done.exit_code == 1 and "kairanban events list" in done.output
    assert states(tmp_path) == before
