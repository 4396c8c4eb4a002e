"""backup, restore: one consistent copy, and back with a look at what is due before anything is sent."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.engine import URL, make_url
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.belonging import bind_within
from bot.commands import backup_proof
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, run, talk
from bot.commands.postgres_tools import refuse_others, run_postgres_tool
from bot.commands.sealed_copies import opened_copy, read_recipients, sealed_into
from bot.heartbeat import TAKEN_OVER, WORDS, Heartbeat
from bot.locking import AlreadyRunning, locked
from bot.service import Service
from bot.settings import Settings
from content.clock import now_ms, words
from content.database import Database, identity
from content.database.files import SUFFIXES, copy_sqlite, sqlite_file
from content.database.identity import WrongDatabase
from content.key_file import KeyFileError, sync_folder
from content.keys import Keys, load_keys
from content.ledger import due
from content.notices import notice_changes
from content.schema import SchemaMismatch, is_empty, upgrade
from content.staff import audit
from content.town import Town, TownProfileError, load_town

RESTORED = "restored"


def backup(
    file: Path,
    prove: Annotated[
        bool,
        typer.Option(
            "--prove",
            help="Bring the copy back beside the service, look through it and throw that away; of a file that is there: "
            "only this.",
        ),
    ] = False,
    to: Annotated[
        list[str] | None,
        typer.Option(
            metavar="AGE1…",
            help="Encrypt it to this public key (`backup-key` makes one); repeat for several of which each opens it.",
        ),
    ] = None,
    identity: Annotated[
        Path | None,
        typer.Option(help="With --prove, of an encrypted copy: the file with the private key.", exists=True),
    ] = None,
) -> None:
    """Write one consistent copy of the database, also while it is in use. The secret key is not in it."""
    settings, recipients = load_settings(), read_recipients(to or [])
    if prove and file.is_file():
        with opened_copy(file, identity) as plain:
            run(_prove(settings, plain, file))
        return
    with sealed_into(file, recipients) as plain:
        run(_backup(settings, plain, file))
        if prove:
            run(_prove(settings, plain, file))


def restore(
    file: Annotated[Path | None, typer.Argument(help="A copy that `backup` wrote.")] = None,
    confirm: Annotated[
        bool, typer.Option("--confirm", help="Let everything that is due go on, without being asked.")
    ] = False,
    drop: Annotated[
        bool, typer.Option("--drop", help="Before going on: stop what is under way, cancel what is overdue.")
    ] = False,
    key_file: Annotated[
        Path | None,
        typer.Option("--identity", help="Of an encrypted copy: the file with the private key.", exists=True),
    ] = None,
) -> None:
    """Bring a copy back, show what is due and hold it until a person has confirmed.

    Without FILE: look at a database that was copied or moved, and confirm it.
    """
    settings = load_settings()
    if file is not None:
        if not file.is_file():
            fail(f"{file} does not exist.", USAGE)
        with opened_copy(file, key_file) as plain:
            _bring_back(settings, plain)
    run(_look(settings, confirm=confirm, drop=drop))


async def _backup(settings: Settings, file: Path, told: Path) -> None:
    async with opened(settings) as service:
        url = make_url(service.database.url)
        try:
            if service.database.is_sqlite:
                await asyncio.to_thread(copy_sqlite, service.database.path.resolve(), file)
            else:
                await _dump(url, file)
        except FileExistsError:
            fail(f"{told} exists; choose a new name.", FAILED)
        except OSError as error:
            fail(f"{told} cannot be written: {error.strerror}", FAILED)
        # From here on the copy is older than the database, whatever happens next.
        await Heartbeat(settings, service.database).beat()
        await _record(service, "database.backed_up")
    talk.print(
        f"控えを作りました: {told}\n秘密鍵({settings.secret_key_file})は入っていません。別の場所に控えてください。",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


async def _prove(settings: Settings, file: Path, told: Path) -> None:
    async with opened(settings) as service:
        town, keys = load_town(settings.town), load_keys(settings.secret_key_file)

        async def arrive(url: str) -> None:
            await _hold(url, town, keys)

        try:
            proof = await backup_proof.prove(service.database, keys, file, arrive, _fill)
        except (backup_proof.NotProved, WrongDatabase, SchemaMismatch) as error:
            fail(f"{told}: この控えからは戻せません。{error}", FAILED)
        await backup_proof.record(service.database, proof, operator())
    talk.print(
        f"控えから戻せることを確かめました: {proof}。何も送っていません。", highlight=False, soft_wrap=True
    )


async def _fill(url: URL, file: Path) -> None:
    await run_postgres_tool("pg_restore", url, "--no-owner", "--single-transaction", str(file))


def _bring_back(settings: Settings, file: Path) -> None:
    url = settings.database_url.get_secret_value()
    place = sqlite_file(url)
    try:
        town, keys = load_town(settings.town), load_keys(settings.secret_key_file)
        if place is None:
            run(_read_back(make_url(url), file))
            run(_hold(url, town, keys))
        else:
            _put_in_place(file, place, town, keys)
    except (TownProfileError, KeyFileError, WrongDatabase) as error:
        fail(str(error), USAGE)
    except (SchemaMismatch, AlreadyRunning) as error:
        fail(str(error), FAILED)
    except (OSError, sqlite3.Error) as error:
        fail(f"{file} cannot be brought back: {error}", FAILED)


def _put_in_place(file: Path, place: Path, town: Town, keys: Keys) -> None:
    """The copy where the database was, held before it arrives; what was there is kept beside it."""
    place.parent.mkdir(parents=True, exist_ok=True)
    arriving = place.with_name(f".{place.name}.arriving")
    with locked(place):
        try:
            for suffix in SUFFIXES:
                Path(f"{arriving}{suffix}").unlink(missing_ok=True)
            copy_sqlite(file, arriving)
            run(_hold(f"sqlite:///{arriving}", town, keys))
            stamp = time.strftime("%Y%m%d-%H%M%S")
            for suffix in SUFFIXES:
                old = Path(f"{place}{suffix}")
                if old.exists():
                    old.rename(f"{place}.before-restore-{stamp}{suffix}")
            arriving.rename(place)
            sync_folder(place.parent)
        finally:
            for suffix in SUFFIXES:
                Path(f"{arriving}{suffix}").unlink(missing_ok=True)


async def _hold(url: str, town: Town, keys: Keys) -> None:
    """In one transaction with what brings an older copy up to date. Raises when it is not one of ours."""

    async def hold(connection: AsyncConnection) -> None:
        found = await bind_within(connection, town, keys)
        if await identity.hold(connection, RESTORED, now_ms()):
            await audit.record(
                connection,
                at=now_ms(),
                actor=operator(),
                action="database.restored",
                subject=f"database {found.identity}",
            )

    database = Database(url)
    try:
        if await is_empty(database):
            raise WrongDatabase("the file is no copy of a kairanban database, nothing was changed")
        await upgrade(database, then=hold)
    finally:
        await database.close()


async def _look(settings: Settings, *, confirm: bool, drop: bool) -> None:
    async with opened(settings) as service:
        async with service.database.read() as connection:
            found = await identity.read(connection)
            waiting, unfinished = await due.waiting(connection), await due.unfinished(connection)
        if found is None or found.held_since is None:
            talk.print("止まっている配信はありません。", highlight=False)
            return
        lines = [
            f"{words(found.held_since)} から、すべての配信を止めています: {WORDS.get(found.held_reason, found.held_reason)}。",
            *(f"  配信の途中  {item.notice_id}「{item.title}」残り {item.open}件" for item in unfinished),
            *(f"  予定        {item.notice_id}「{item.title}」{words(item.due_at)}" for item in waiting),
        ]
        if not waiting and not unfinished:
            lines.append("  待っているお知らせはありません。")
        talk.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
        if found.held_reason == TAKEN_OVER:
            fail(
                "もう一つの場所が配信を引き継いでいます。ここへ戻すには、そちらを止め、控えか複製をこの場所へ移してから"
                " `kairanban takeover` を実行してください。",
                FAILED,
            )
        if not confirm and not _asked(drop):
            talk.print(
                "止めたままにしました。再開するときは `kairanban restore --confirm`。", highlight=False
            )
            return
        if drop:
            await _drop(service, waiting)
        await Heartbeat(service.settings, service.database).confirm()
        await _record(service, "database.released")
    talk.print("配信を再開しました。", highlight=False)


def _asked(drop: bool) -> bool:
    if not sys.stdin.isatty():
        return False
    question = (
        "途中のものと時刻を過ぎたものは取りやめ、残りを再開しますか" if drop else "この内容で再開しますか"
    )
    return typer.confirm(question, default=False, err=True)


async def _drop(service: Service, waiting: list[due.DueItem]) -> None:
    """What a copy believes to be open may have gone out long ago."""
    now = now_ms()
    async with service.database.write() as connection:
        for item in waiting:
            if item.due_at <= now:
                await notice_changes.cancel(connection, item.notice_id)
        await due.stop_unfinished(connection, now)


async def _record(service: Service, action: str) -> None:
    async with service.database.write() as connection:
        await audit.record(connection, at=now_ms(), actor=operator(), action=action, subject="database")


async def _dump(url: URL, file: Path) -> None:
    # Made by us, so that it is nobody else's from the first byte on.
    os.close(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    try:
        await run_postgres_tool("pg_dump", url, "--format=custom", "--no-owner", f"--file={file}")
    except BaseException:
        await asyncio.to_thread(file.unlink)
        raise


async def _read_back(url: URL, file: Path) -> None:
    await refuse_others(url.render_as_string(hide_password=False))
    await run_postgres_tool(
        *("pg_restore", url, "--clean", "--if-exists", "--no-owner", "--single-transaction", str(file))
    )
