"""events list, retry: what LINE told us and we could not handle."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.commands.common import FAILED, fail, load_settings, opened, operator, run, talk
from content.clock import now_ms, words
from content.register import inbound_events
from content.staff import audit

app = typer.Typer(no_args_is_help=True, help="LINEから届き、処理できなかった操作を見る・やり直す.")
ON_LIST = 100


@app.command("list")
def list_() -> None:
    """What was set aside, the newest first: no address, no words."""
    run(_list())


@app.command()
def retry(
    event_ids: Annotated[
        list[str] | None, typer.Argument(help="As `events list` shows them; default: all.")
    ] = None,
) -> None:
    """Handle them once more; a running serve begins at once."""
    run(_retry(event_ids))


async def _list() -> None:
    async with opened(load_settings()) as service, service.database.read() as connection:
        number = await inbound_events.count_set_aside(connection)
        found = await inbound_events.set_aside(connection, service.keys, ON_LIST)
    table = Table(title=f"処理できなかった操作: {number}件({inbound_events.KEEP_DAYS}日間残します)")
    for column in ("番号", "アカウント", "種類", "日時", "回数", "理由"):
        table.add_column(column, overflow="fold")
    for item in found:
        table.add_row(
            item.id, item.account, item.kind or "—", words(item.occurred_at), str(item.attempt), item.reason
        )
    Console().print(table)


async def _retry(event_ids: list[str] | None) -> None:
    async with opened(load_settings()) as service, service.database.write(wake="inbox") as connection:
        number = await inbound_events.try_again(connection, event_ids)
        if number:
            await audit.record(
                connection, at=now_ms(), actor=operator(), action="events.retried", number=number
            )
    if not number:
        fail("やり直せる操作はありません。番号は `kairanban events list` で確かめてください。", FAILED)
    talk.print(f"{number}件をもう一度処理します。", highlight=False)
