"""Posting and waiting on the command line, also while the database is away."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import event, func, select, text
from sqlalchemy.exc import DBAPIError
from typer.testing import Result

from bot.commands.common import FAILED, NOBODY, TIMED_OUT
from bot.commands.notice_wait import insist, wait_for_end
from bot.service import Service, open_town_context
from bot.settings import Settings
from content.clock import now_ms
from content.database import Database, identity
from content.keys import Keys
from content.notices import notices
from content.notices.notices import notice
from content.town import Town
from scheduler import notice_service
from scheduler.fanout import plan_next
from scheduler.triggers import fire_due
from tests.bot.conftest import SETTINGS
from tests.factories import SHIBATA, make_notice, make_subscriber, spec
from tests.scheduler.scripted import eventually
from tests.services import on_postgres


def on(database: Database, keys: Keys, town: Town, folder: Path) -> Service:
    settings = Settings(town=SHIBATA, secret_key_file=folder / "secret.key", **SETTINGS)
    return Service(settings, open_town_context(settings, town, database, keys))


async def approved(service: Service) -> int:
    """A notice that reaches nobody by now, due at once."""
    async with service.database.write() as connection:
        return await make_notice(connection, at=now_ms())


async def somebody(service: Service) -> None:
    async with service.database.write() as connection:
        await make_subscriber(connection, service.keys)


async def allow_connections(name: str, allowed: bool) -> None:
    await on_postgres(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {allowed}")
    if not allowed:
        await on_postgres(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def test_waiting_goes_on_through_a_time_without_the_database(
    postgres_database: Database, postgres_name: str, keys: Keys, town: Town, tmp_path: Path
) -> None:
    service = on(postgres_database, keys, town, tmp_path)
    notice_id = await approved(service)
    waiting = asyncio.create_task(wait_for_end(service, notice_id, 60.0))
    await asyncio.sleep(0.5)
    await allow_connections(postgres_name, False)
    try:
        await asyncio.sleep(1.0)
        assert not waiting.done()
    finally:
        await allow_connections(postgres_name, True)
    await insist(lambda: fire_due(service.context), 10.0)
    while await plan_next(service.context):
        pass
    code, found = await waiting
    assert found is not None
    assert (code, found.state) == (NOBODY, "nobody")


@pytest.mark.parametrize("timeout", [0.0, 60.0])
async def test_nobody_waits_for_a_database_that_sends_nothing(
    database: Database,
    keys: Keys,
    town: Town,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    timeout: float,
) -> None:
    service = on(database, keys, town, tmp_path)
    async with database.write() as connection:
        await identity.bind(connection, town=town.code, key_check=keys.check)
        await identity.hold(connection, "copy", 0)
    notice_id = await approved(service)
    async with asyncio.timeout(60):
        code, found = await wait_for_end(service, notice_id, timeout)
    assert code == FAILED and found is not None
    assert "kairanban restore --confirm" in capsys.readouterr().err


async def test_without_the_database_until_the_end_what_was_seen_last_is_told(
    postgres_database: Database, postgres_name: str, keys: Keys, town: Town, tmp_path: Path
) -> None:
    service = on(postgres_database, keys, town, tmp_path)
    notice_id = await approved(service)
    looks: list[object] = []
    event.listen(service.database.engine.sync_engine, "begin", looks.append)
    waiting = asyncio.create_task(wait_for_end(service, notice_id, 3.0))
    # It has seen the notice when it looks for the third time.
    await eventually(lambda: asyncio.sleep(0, len(looks) > 2))
    await allow_connections(postgres_name, False)
    try:
        code, found = await waiting
    finally:
        await allow_connections(postgres_name, True)
    assert code == TIMED_OUT
    assert found is not None and found.notice.id == notice_id


async def test_a_post_that_breaks_off_at_its_approval_leaves_no_draft(service: Service) -> None:
    async with service.database.write() as connection:
        await connection.execute(
            text(
                "CREATE TRIGGER no_approval BEFORE UPDATE OF state ON notice"
                " BEGIN SELECT RAISE(ABORT, 'broken off'); END"
            )
        )
    await somebody(service)
    with pytest.raises(DBAPIError, match="broken off"):
        await notice_service.post(service.context, spec(), submission_key="a", staff="cli")
    async with service.database.read() as connection:
        assert await connection.scalar(select(func.count()).select_from(notice)) == 0


async def test_the_same_post_again_is_the_same_notice(service: Service) -> None:
    await somebody(service)
    posted = [
        await notice_service.post(service.context, spec(), submission_key="a", staff="cli") for _ in range(2)
    ]
    assert posted[0] == posted[1]
    async with service.database.read() as connection:
        (stored,) = await notices.recent(connection)
    assert stored.state == "approved"


async def test_only_what_the_machine_is_to_blame_for_is_tried_again() -> None:
    tries = 0

    async def work(error: Exception, fails: int) -> int:
        nonlocal tries
        tries += 1
        if tries <= fails:
            raise error
        return tries

    assert await insist(lambda: work(ConnectionResetError(), 1), 30.0) == 2
    tries = 0
    with pytest.raises(ValueError, match="no"):
        await insist(lambda: work(ValueError("no"), 1), 30.0)
    assert tries == 1


POST = (
    "notice",
    "post",
    "--category",
    "kosodate",
    "--title",
    "健診",
    "--channel",
    "line",
    "--at",
    "2090-04-01",
    *("--accept", "night-booking", "--accept", "repeated"),
)


def test_the_words_of_a_notice_come_from_a_file_or_from_standard_input(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    words = tmp_path / "body.txt"
    words.write_text("\ufeff4月10日です。\n2行目", encoding="utf-8")
    assert command_line(*POST, "--body-file", str(words)).exit_code == 0
    assert command_line(*POST, "--body", "-", typed="4月10日です。\n2行目").exit_code == 0
    with sqlite3.connect(tmp_path / "town.db") as database:
        stored = [json.loads(texts) for (texts,) in database.execute("SELECT texts FROM notice_version")]
    assert [item["ja"]["body"] for item in stored] == ["4月10日です。\n2行目"] * 2


def test_two_bodies_or_none_are_refused(command_line: Callable[..., Result], tmp_path: Path) -> None:
    (tmp_path / "body.txt").write_text("本文", encoding="utf-8")
    assert "exclude each other" in command_line(*POST, "--body", "x", "--body-file", "body.txt").stderr
    assert "body: 本文を書いてください" in command_line(*POST).stderr
    assert "not UTF-8" in command_line(*POST, "--body", "-", typed=b"\xff\xfe").stderr
