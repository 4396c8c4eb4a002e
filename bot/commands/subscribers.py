"""subscribers import, export: the register as CSV; show, end, lift, erase: one registration.

A registration is named by its number, or by its address on standard input: what stands on a command line is
open to everybody on the machine.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table
from sqlalchemy import Connection
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, run, talk
from bot.commands.subscribers_file import export, import_
from bot.service import Service
from content import quiet_hours
from content.clock import now_ms, today_jst, words
from content.keys import Keys
from content.register import (
    addresses,
    subscriber_changes,
    subscribers,
    suppressing,
)
from content.register.address_book import open_addresses
from content.register.addresses import BadAddress
from content.register.states import Pace, Route, SubscriberState
from content.register.subscribers import UNTIL_CHANGED, Preferences, Subscriber
from content.staff import audit

app = typer.Typer(no_args_is_help=True, help="登録者の取り込みと書き出し (CSV)、登録の確認・終了・消去.")


Number = Annotated[
    int | None, typer.Argument(help="Number; without one the address is read from standard input.")
]
# Changes one registration within a transaction; the action for the audit trail, None when nothing changed.
Change = Callable[[AsyncConnection, Subscriber], Awaitable[str | None]]
STATE_WORDS = {
    SubscriberState.ACTIVE: "有効",
    SubscriberState.LEFT: "終了",
    SubscriberState.ERASED: "消去済み",
}
REASON = "staff"


app.command("import")(import_)
app.command()(export)


@app.command()
def show(
    number: Number = None,
    with_address: Annotated[
        bool, typer.Option("--with-address", help="Print the address too; the audit trail says that you did.")
    ] = False,
) -> None:
    """What a registration chose and whether it is active, by number or by the address on standard input."""
    run(_show(number, with_address))


@app.command()
def end(number: Number = None) -> None:
    """End a registration: nothing is sent any more, what was chosen is kept for a return."""
    run(_change(number, _end))


@app.command()
def lift(number: Number = None) -> None:
    """Send mail again to an address from which it came back so often that none is sent any more."""
    run(_change(number, _lift))


@app.command()
def erase(
    number: Number = None,
    yes: Annotated[bool, typer.Option("--yes", help="It cannot be undone.")] = False,
) -> None:
    """Erase address and choices for good; counts and ledger keep the bare number."""
    if not yes:
        fail("消去は元に戻せません。よければ --yes を付けてください。", USAGE)
    run(_change(number, _erase))


async def _show(number: int | None, with_address: bool) -> None:
    async with opened(load_settings()) as service:
        found = await _chosen(service, number)
        action = "subscriber.address_shown" if with_address else "subscriber.shown"
        async with service.database.write() as connection:
            for one in found:
                await _record(connection, action, one)
        clear: dict[int, str] = {}
        if with_address:
            clear = await service.database.read_step(lambda c: _addresses(c, service.keys, found))
    for one in found:
        table = Table(title=f"登録 {one.id}", show_header=False)
        for label, value in _lines(one):
            table.add_row(label, value)
        if with_address:
            table.add_row("宛先", clear.get(one.id) or "—")
        Console().print(table, markup=False)


async def _change(number: int | None, change: Change) -> None:
    async with opened(load_settings()) as service:
        found = await _chosen(service, number)
        changed = 0
        async with service.database.write() as connection:
            for one in found:
                action = await change(connection, one)
                if action is not None:
                    await _record(connection, action, one)
                    changed += 1
    numbers = "、".join(str(one.id) for one in found)
    done = "変更しました。" if changed else "すでにそうなっています。"
    talk.print(f"登録 {numbers} を{done}" if changed else f"登録 {numbers} は{done}", highlight=False)


async def _end(connection: AsyncConnection, one: Subscriber) -> str | None:
    left = await subscriber_changes.leave(connection, one.id, reason=REASON, at=now_ms(), route=Route.COUNTER)
    return "subscriber.ended" if left else None


async def _lift(connection: AsyncConnection, one: Subscriber) -> str | None:
    lifted = await suppressing.lift(connection, one.id, route=Route.COUNTER, at=now_ms())
    return "subscriber.suppression_lifted" if lifted else None


async def _erase(connection: AsyncConnection, one: Subscriber) -> str | None:
    if one.state == SubscriberState.ERASED:
        return None
    await subscriber_changes.erase(connection, one.id, reason=REASON, at=now_ms(), route=Route.COUNTER)
    return "subscriber.erased"


async def _record(connection: AsyncConnection, action: str, one: Subscriber) -> None:
    await audit.record(
        connection, at=now_ms(), actor=operator(), action=action, subject=f"subscriber {one.id}"
    )


async def _chosen(service: Service, number: int | None) -> list[Subscriber]:
    """The registrations of this number or of the address on standard input, on whatever account."""
    ids = [number] if number is not None else await _find(service, sys.stdin.readline())
    async with service.database.read() as connection:
        found = [one for item in ids if (one := await subscribers.get(connection, item))]
    if not found:
        fail("その登録はありません。番号か、標準入力の宛先を確かめてください。", FAILED)
    return found


async def _find(service: Service, typed: str) -> list[int]:
    found = []
    async with service.database.read() as connection:
        for account in service.town.accounts:
            with suppress(BadAddress):
                plain = addresses.normalise_sought(account.channel, typed)
                found.append(
                    await subscribers.find(connection, service.keys, account.key, account.channel, plain)
                )
    return [number for number in found if number is not None]


def _addresses(connection: Connection, keys: Keys, found: list[Subscriber]) -> dict[int, str]:
    """Of somebody who left before joining the address was never kept."""
    clear: dict[int, str] = {}
    for one in found:
        opened_ones = open_addresses(connection, keys, one.account, [one.id], with_left=True)
        clear |= {number: address for number, (address, _) in opened_ones.clear.items()}
    return clear


def _pause_in_words(chosen: Preferences) -> str:
    if not chosen.is_paused(today_jst()):
        return "していない"
    if chosen.paused_until == UNTIL_CHANGED:
        return "命に関わるものだけ(変えるまで)"
    return f"命に関わるものだけ({chosen.paused_until:%Y-%m-%d}まで)"


def _lines(one: Subscriber) -> list[tuple[str, str]]:
    chosen = one.preferences
    return [
        ("アカウント", one.account),
        ("状態", STATE_WORDS[one.state]),
        ("登録", words(one.joined_at)),
        ("ことば", chosen.language),
        ("分野", "、".join(sorted(chosen.categories)) or "—"),
        ("地区", "、".join(sorted(chosen.areas)) or "—"),
        ("子どもの生まれ月", "、".join(sorted(chosen.birth_months)) or "—"),
        ("グループ", "、".join(sorted(chosen.groups)) or "—"),
        (
            "おやすみ時間",
            quiet_hours.in_words(chosen.quiet_hours) if chosen.quiet_hours else "町の設定のとおり",
        ),
        ("受け取り方", "朝のまとめ" if chosen.pace == Pace.MORNING else "すぐに"),
        ("お休み", _pause_in_words(chosen)),
    ]
