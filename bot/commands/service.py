"""init, serve, worker: from nothing to a running service."""

from __future__ import annotations

import asyncio
import errno
from functools import partial
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from bot.accounts import missing_settings, unsafe_links
from bot.belonging import bind_within
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, run, talk
from bot.commands.staff import read_password
from bot.door.descriptors import shortage
from bot.logs import configure_logging
from bot.posting import shared_credentials
from bot.service import Service
from bot.settings import Settings
from content.clock import now_ms
from content.database import Database, identity
from content.database.identity import WrongDatabase
from content.key_file import KeyFileError, create_key_file
from content.keys import load_keys
from content.schema import SchemaMismatch, is_empty, upgrade
from content.staff import audit, member_changes, members
from content.staff.member_changes import LoginRefused
from content.staff.passwords import PasswordRefused, new_hash
from content.town import Town, TownProfileError, load_town

CANNOT_LISTEN = (errno.EADDRINUSE, errno.EACCES, errno.EADDRNOTAVAIL)


def init(
    login: Annotated[str, typer.Option(help="Login of the first administrator.")] = "admin",
    password_file: Annotated[
        Path | None, typer.Option(help="File that holds the password; asked for when absent.")
    ] = None,
) -> None:
    """Make or renew the database, the secret key and the first administrator. Safe to repeat."""
    settings = load_settings()
    try:
        town = load_town(settings.town)
    except TownProfileError as error:
        fail(str(error), USAGE)
    run(_prepare(settings, town, login, password_file))


def serve() -> None:
    """Web pages, LINE conversation, triggers and sender in one process."""
    settings = load_settings()
    configure_logging(settings.log_format)
    _install_uvloop()
    run(_serve(settings))


def worker() -> None:
    """One more sender, on this or another machine; needs PostgreSQL."""
    settings = load_settings()
    configure_logging(settings.log_format)
    if settings.database_url.get_secret_value().startswith("sqlite"):
        fail(
            "SQLite serves one process: use `kairanban serve`, or a postgresql:// database for workers.",
            USAGE,
        )
    _install_uvloop()
    run(_work(settings))


async def _serve(settings: Settings) -> None:
    from bot.locking import AlreadyRunning
    from bot.server import running, wait_for_signal

    async with opened(settings) as service:
        _refuse_missing(settings, service.town)
        await _refuse_replica(service)
        try:
            async with running(service):
                await wait_for_signal()
        except AlreadyRunning as error:
            fail(str(error), FAILED)
        except OSError as error:
            _refuse_to_listen(settings.web.listen, error)


def _refuse_to_listen(listen: str, error: OSError) -> NoReturn:
    # One with a file name is about that file, such as the lock.
    if error.errno not in CANNOT_LISTEN or error.filename is not None:
        raise error
    fail(f"Cannot listen on {listen}: {error.strerror}", FAILED)


async def _work(settings: Settings) -> None:
    from bot.health import probes
    from bot.heartbeat import Heartbeat
    from bot.metrics import Metrics, measuring
    from bot.server import wait_for_signal, warm_up
    from scheduler.runner import Runner

    async with opened(settings) as service:
        _refuse_missing(settings, service.town)
        await _refuse_replica(service)
        heartbeat = Heartbeat(service.settings, service.database)
        runner = Runner(service.context)
        listen = settings.worker.listen
        metrics = Metrics(service) if settings.metrics.listen else None
        try:
            async with (
                probes(service, listen, runner.loop_troubles),
                measuring(metrics, settings.metrics.listen),
            ):
                await heartbeat.start(runner.is_sending)
                await runner.start()
                await asyncio.to_thread(warm_up)
                await wait_for_signal()
                await runner.stop()
                await heartbeat.stop()
        except OSError as error:
            _refuse_to_listen(listen, error)


async def _refuse_replica(service: Service) -> None:
    async with service.database.read() as connection:
        if await identity.is_replica(connection):
            fail(
                "このデータベースは複製で、書き込めません。もう一つの場所から引き継ぐときは `kairanban takeover` を実行してください。",
                FAILED,
            )


def _refuse_missing(settings: Settings, town: Town) -> None:
    missing = missing_settings(settings, town)
    if missing:
        fail(
            f"Empty settings: {', '.join(missing)}. Set them (environment or kairanban.toml), "
            "or take the channel out of the town profile.",
            USAGE,
        )
    if unsafe := unsafe_links(settings, town) or shared_credentials(settings, town.accounts):
        fail(unsafe, USAGE)
    if few := shortage():
        # A service that is slow in a crowd is better than none.
        talk.print(few, style="yellow", markup=False, highlight=False, soft_wrap=True)


async def _prepare(settings: Settings, town: Town, login: str, password_file: Path | None) -> None:
    database = Database(settings.database_url.get_secret_value())
    try:
        _make_key(settings.secret_key_file, is_new=await is_empty(database))
        keys = load_keys(settings.secret_key_file)
        # Together: a database of another town or key is left as it was.
        await upgrade(database, then=partial(bind_within, town=town, keys=keys))
        talk.print("データベースを用意しました。")
        await _first_administrator(database, login, password_file)
    except SchemaMismatch as error:
        fail(str(error), FAILED)
    except (KeyFileError, WrongDatabase) as error:
        fail(str(error), USAGE)
    finally:
        await database.close()


async def _first_administrator(database: Database, login: str, password_file: Path | None) -> None:
    async with database.read() as connection:
        if await members.find_any(connection, login) is not None:
            talk.print(f"職員「{login}」は登録済みです。")
            return
    password = read_password(password_file)
    now = now_ms()
    try:
        password_hash = await new_hash(password, login)
        async with database.write() as connection:
            staff_id = await member_changes.add(
                connection, login=login, password_hash=password_hash, role="administrator", at=now
            )
            await audit.record(
                connection,
                at=now,
                actor="init",
                action="staff.added",
                subject=f"staff {staff_id}",
                login=login,
                role="administrator",
            )
    except (LoginRefused, PasswordRefused) as error:
        fail(str(error), USAGE)
    talk.print(f"管理者「{login}」を登録しました。`kairanban serve` で始められます。")


def _make_key(path: Path, *, is_new: bool) -> None:
    """A key is made together with its database: another one would open nothing of what is there."""
    if not is_new and not path.exists():
        raise KeyFileError(
            f"the database exists, its secret key file {path} does not: bring the file back from its backup"
        )
    try:
        create_key_file(path, replace_empty=is_new)
        talk.print(f"秘密鍵を作りました: {path}(必ず控えを別の場所に保管してください)", highlight=False)
    except FileExistsError:
        talk.print(f"秘密鍵は既にあります: {path}", highlight=False)


def _install_uvloop() -> None:
    try:
        import uvloop
    except ImportError:
        # Not made for this system or this Python: everything works, a little slower.
        return
    asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
