"""key list, add, retire, rotate: exchanging what protects addresses, links, sessions and the audit trail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Annotated, Any

import typer

from bot.commands.common import (
    FAILED,
    TIMED_OUT,
    USAGE,
    fail,
    load_settings,
    opened,
    operator,
    progress,
    run,
    talk,
)
from bot.key_watch import renew_keys
from bot.key_words import WORDS
from bot.service import Service
from content import key_changes
from content.clock import DAY, SECOND
from content.database import secret_keys
from content.key_changes import SETTLES, CannotChange, TrailBusy
from content.key_file import LAST_NUMBER, new_root, read_roots, replace_roots
from content.key_ring import KeyPurpose
from content.ledger import presence
from content.resealing import Resealed, count_sealed, reseal

app = typer.Typer(
    no_args_is_help=True, help="秘密鍵の取り替えと、ログイン・リンク・記録・警報の鍵の入れ替え."
)
# Seconds that living processes have to take a new key in.
READY_WITHIN = 30
TRIES = 5
LINK_DAYS = key_changes.LINKS_LAST // DAY

Json = Annotated[bool, typer.Option("--json", help="Print JSON.")]
EndLinks = Annotated[
    bool,
    typer.Option(
        "--end-links",
        help=f"Links that were sent stop working at once, and not after {LINK_DAYS} days: "
        "for when the database leaked too.",
    ),
]


@app.command("list")
def show_all(json: Json = False) -> None:
    """The keys of the file with how many seals each still has, and the keys of single purposes. No key is shown."""
    from bot.commands.key_list import show

    run(show(json))


@app.command()
def add() -> None:
    """Make a new key and put it in force as soon as every running process has it. Repeat it after an error."""
    run(_add())


@app.command()
def retire(
    number: Annotated[int, typer.Argument(help="Number of the key, as `key list` shows it.")],
    end_links: EndLinks = False,
) -> None:
    """Seal everything of a key anew while the service goes on, and take the key out of the file. Safe to repeat."""
    run(_retire(number, end_links))


@app.command()
def rotate(
    purpose: Annotated[
        KeyPurpose, typer.Argument(help="sessions, links, audit or alerts", show_choices=False)
    ],
    end_links: EndLinks = False,
) -> None:
    """A new key for one purpose alone. After `sessions` every member of staff signs in again."""
    if purpose not in WORDS:
        fail(f"{purpose} は入れ替えません。{'、'.join(WORDS)} のどれかを指定してください。", USAGE)
    run(_rotate(purpose, end_links))


async def _add() -> None:
    async with opened(load_settings()) as service:
        number = await _write_new_key(service)
        async with service.database.write() as connection:
            await key_changes.note_added(
                connection, service.keys, number, at=service.database.now(), actor=operator()
            )
        await _put_in_force(service, number)
    talk.print(
        f"{number}番の鍵を使い始めました。\n"
        "1. 鍵のファイルの控えを、いま取り直してください。\n"
        f"2. 前の鍵を退かせるには `kairanban key list` で番号を見て、`kairanban key retire 番号`(配信は止まりません)。",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


async def _write_new_key(service: Service) -> int:
    """The number of the key that waits to be in force: one that is in the file already, or a new one."""
    path = service.settings.secret_key_file
    roots = read_roots(path)
    newest = max(roots)
    async with service.database.read() as connection:
        known = await secret_keys.known_keys(connection)
        # Of a command that was cut off. One with which something is sealed was added by hand, to an earlier version.
        is_waiting = newest > service.keys.sealing and not await count_sealed(connection, newest)
    number = newest if is_waiting else max([newest, *(key.number for key in known)]) + 1
    if not is_waiting:
        if number > LAST_NUMBER:
            fail("これ以上、鍵を足せません(番号は255までです)。", FAILED)
        _write(path, {**roots, number: new_root()})
    await renew_keys(service)
    return number


def _write(path: Path, roots: Mapping[int, bytes]) -> None:
    try:
        replace_roots(path, roots)
    except OSError as error:
        fail(
            f"{path} に書けません({error.strerror})。鍵のファイルとフォルダーの持ち主で、もう一度実行してください。",
            FAILED,
        )


async def _put_in_force(service: Service, number: int) -> None:
    """As soon as every living process holds it. Fails with the names of those that do not."""
    lacking = ""
    with talk.status("動いているプロセスが新しい鍵を読むのを待っています…"):
        for _ in range(READY_WITHIN):
            try:
                async with service.database.write() as connection:
                    now = service.database.now()
                    if not await _is_held(service, number):
                        raise CannotChange("serve")
                    await key_changes.put_in_force(connection, service.keys, number, at=now, actor=operator())
                await renew_keys(service)
                return
            except CannotChange as error:
                lacking = str(error)
                await asyncio.sleep(1)
    fail(
        f"まだ使い始めていません。{number}番の鍵を持っていないプロセスがあります: {lacking}。\n"
        f"その機械の鍵のファイルへ {service.settings.secret_key_file} の同じ行を写し(所有者だけが読める 0600)、"
        "もう一度 `kairanban key add` を実行してください。",
        TIMED_OUT,
    )


async def _is_held(service: Service, number: int) -> bool:
    """On SQLite a service that runs says so only while keys change."""
    if not service.database.is_sqlite or not is_served(service):
        return True
    async with service.database.read() as connection:
        return await presence.any_with_key(connection, number, service.database.now())


async def _retire(number: int, end_links: bool) -> None:
    async with opened(load_settings()) as service:
        await _wait_until_settled(service)
        await _change(service, key_changes.begin_retiring, number, end_links)
        await renew_keys(service)
        unreadable = doubles = 0
        is_done = False
        while not is_done:
            async for part in _resealed(service):
                unreadable, doubles = unreadable + part.unreadable, doubles + part.doubles
            async with service.database.write() as connection:
                is_done = await key_changes.finish_retiring(
                    connection, number, at=service.database.now(), actor=operator()
                )
        path = service.settings.secret_key_file
        _write(path, {kept: root for kept, root in read_roots(path).items() if kept != number})
    _tell_retired(number, unreadable, doubles)


async def _resealed(service: Service) -> AsyncIterator[Resealed]:
    """Whatever is not sealed with the key in force, with a bar: also what a key has that was added by hand once, for
    its look-ups may be those of the key that goes."""
    others = sorted(service.keys.numbers - {service.keys.sealing})
    async with service.database.read() as connection:
        left = sum([await count_sealed(connection, number) for number in others])
    with progress("封じ直し", left) as advance:
        for number in others:
            async for part in reseal(service.database, service.keys, number):
                advance(part.done + part.unreadable)
                yield part


async def _wait_until_settled(service: Service) -> None:
    async with service.database.read() as connection:
        newest = secret_keys.in_force(await secret_keys.known_keys(connection))
    if newest is None or newest.in_force_at is None:
        return
    wait = newest.in_force_at + SETTLES - service.database.now()
    if wait > 0:
        with talk.status("新しい鍵がすべてのプロセスに行き渡るのを待っています…"):
            await asyncio.sleep(min(wait, SETTLES) / SECOND)


Change = Callable[..., Awaitable[None]]


async def _change(service: Service, change: Change, what: int | KeyPurpose, end_links: bool) -> None:
    """`begin_retiring` a key or `rotate` a purpose; the audit trail is free again within a moment."""
    links_last = 0 if end_links else key_changes.LINKS_LAST
    for left in reversed(range(TRIES)):
        try:
            async with service.database.write() as connection:
                now = service.database.now()
                await change(connection, service.keys, what, at=now, actor=operator(), links_last=links_last)
            return
        except TrailBusy as error:
            if not left:
                fail(str(error), FAILED)
            await asyncio.sleep(1)
        except CannotChange as error:
            fail(str(error), FAILED)


def _tell_retired(number: int, unreadable: int, doubles: int) -> None:
    lines = [f"{number}番の鍵を退かせ、鍵のファイルから消しました。"]
    if unreadable:
        lines.append(f"どの鍵でも開かないものが {unreadable}件ありました(前から読めなかったものです)。")
    if doubles:
        lines.append(
            f"同じ宛先の登録が {doubles}件、二重にあります。subscribers の確認で、片方を終えてください。"
        )
    lines += [
        "1. ほかの機械の鍵のファイルからも、この番号の行を消してください。",
        "2. `kairanban backup` で控えを取り直し、鍵のファイルの控えも取り直してください。前の控えを戻すには、前の鍵のファイルが要ります。",
        "3. 職員は、もう一度ログインします。CAPの受信機関には、新しい証明書の指紋を知らせてください。",
    ]
    talk.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)


async def _rotate(purpose: KeyPurpose, end_links: bool) -> None:
    async with opened(load_settings()) as service:
        await _change(service, key_changes.rotate, purpose, end_links)
    after: dict[KeyPurpose, Any] = {
        KeyPurpose.SESSIONS: "15秒ほどで、全員がもう一度ログインします。",
        KeyPurpose.LINKS: "送ってあるリンクは、まもなく使えなくなります。"
        if end_links
        else f"送ってあるリンクは、{LINK_DAYS}日のあいだ使えます。",
        KeyPurpose.AUDIT: "これまでの記録も `audit verify` で確かめられます。",
        KeyPurpose.ALERTS: "受信機関に、新しい証明書の指紋を知らせてください。",
    }
    talk.print(f"{WORDS[purpose]}の鍵を入れ替えました。{after[purpose]}", highlight=False, soft_wrap=True)


def is_served(service: Service) -> bool:
    """Whether a service runs on this SQLite database."""
    from bot.locking import AlreadyRunning, locked

    try:
        with locked(service.database.path):
            return False
    except AlreadyRunning:
        return True
