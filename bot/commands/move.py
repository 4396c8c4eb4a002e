"""move: everything into another database, with ids, history, ledger and audit trail, compared at the end."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer
from sqlalchemy.exc import DBAPIError

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, progress, run, talk
from bot.commands.postgres_tools import refuse_others
from bot.heartbeat import Heartbeat
from bot.locking import AlreadyRunning, locked
from bot.service import Service
from content.clock import now_ms
from content.database import Database, UnknownDatabase, identity, moving
from content.database.engine import parsed_url
from content.database.files import make_private, sqlite_file
from content.database.identity import Identity
from content.database.moving import MOVING, CannotMove
from content.register.importing import clear_away, finish_decided, give_up
from content.register.subscriber_ids import last_given
from content.schema import SchemaMismatch, is_empty, upgrade
from content.staff import audit


def move(
    to: Annotated[
        str,
        typer.Option(
            "--to",
            help="sqlite:///FILE or postgresql://…, empty; - reads it from standard input.",
            metavar="URL",
        ),
    ],
) -> None:
    """Everything into another database, SQLite or PostgreSQL. Cut off, it goes on when repeated.

    Stop every kairanban process first. The old database stays as it is and sends nothing any more.
    """
    settings = load_settings()
    here = settings.database_url.get_secret_value()
    # Arguments are seen by everybody on the machine, and a URL may hold a password.
    there = sys.stdin.readline().strip() if to == "-" else to
    try:
        if _is_same(here, there):
            fail("The target is the database that is in use.", USAGE)
        with _alone(here), _alone(there):
            run(_move(here, there))
    except UnknownDatabase:
        fail("--to must begin with sqlite:/// or postgresql://", USAGE)
    except (AlreadyRunning, CannotMove, SchemaMismatch) as error:
        fail(str(error), FAILED)
    except (OSError, DBAPIError, sqlite3.Error) as error:
        kind = type(getattr(error, "orig", None) or error).__name__
        fail(
            f"It was cut off ({kind}); nothing is lost. Check both databases and their disks, then give the same "
            "command again.",
            FAILED,
        )


async def _move(here: str, there: str) -> None:
    for url in (here, there):
        if sqlite_file(url) is None:
            await refuse_others(url)
    settings = load_settings()
    async with opened(settings) as service:
        target = Database(there)
        try:
            if not await is_empty(target):
                async with service.database.read() as connection:
                    await moving.refuse_unless_begun(target, await identity.read(connection))
            await upgrade(target)
            await moving.prepare(target, await _leave(service))
            make_private(there)
            rows = await moving.count_rows(service.database)
            with progress("写しています", rows) as advance:
                await moving.copy_rows(service.database, target, advance)
            with progress("比べています", rows) as advance:
                await moving.refuse_difference(service.database, target, advance)
            async with service.database.read() as connection:
                given = {"subscriber": await last_given(connection)}
            await moving.go_on_numbering(service.database, target, given)
            async with target.write() as connection:
                await audit.record(
                    connection, at=now_ms(), actor=operator(), action="database.moved", subject="database"
                )
            await Heartbeat(settings, target).confirm()
        finally:
            await target.close()
    talk.print(
        f"引っ越しを終えました: {rows}行、どの行も同じです。\n"
        f"KAIRANBAN_DATABASE_URL を {parsed_url(there).render_as_string()} にして、いつものように始めてください。\n"
        "元のデータベースはそのまま残り、もう何も送りません。",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


async def _leave(service: Service) -> Identity:
    """From here on the old database sends nothing, also when the move is cut off."""
    async with service.database.write() as connection:
        found = await identity.read(connection)
        assert found is not None
        if found.held_since is not None and found.held_reason != MOVING:
            fail("Everything due is held: look at it first, with `kairanban restore`.", FAILED)
        await give_up(connection, before=now_ms())
        if await identity.hold(connection, MOVING, now_ms()):
            await audit.record(
                connection, at=now_ms(), actor=operator(), action="database.moving", subject="database"
            )
        left = await identity.read(connection)
    # An import on its way is half in the register on SQLite alone.
    await clear_away(service.database)
    await finish_decided(service.database)
    assert left is not None
    return left


def _is_same(here: str, there: str) -> bool:
    one, other = parsed_url(here), parsed_url(there)
    if None not in (sqlite_file(here), sqlite_file(there)):
        return sqlite_file(here) == sqlite_file(there)
    return one.set(drivername="same") == other.set(drivername="same")


@contextmanager
def _alone(url: str) -> Iterator[None]:
    """With a SQLite file; who else is connected to a PostgreSQL database is asked of it."""
    file = sqlite_file(url)
    if file is None:
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with locked(file):
        yield
