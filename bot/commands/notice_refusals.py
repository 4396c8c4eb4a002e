"""notice refusals: whom a notice did not reach, by reason and by the numbers of the registrations."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.commands import notice_options as options
from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, print_json, run, talk
from bot.refusals_csv import refusals_csv
from channels.reasons import find_reason
from content.clock import DAY
from content.ledger.reached import is_forgotten
from content.ledger.tallies import refusal_reasons
from scheduler import notice_service
from scheduler.words import CHANNEL_NAMES

ChannelName = Annotated[str, typer.Option(help="Of this channel alone.")]
ReasonCode = Annotated[str, typer.Option(help="For this reason alone; its code stands in the list.")]
Csv = Annotated[bool, typer.Option("--csv", help="The registrations' numbers as CSV.")]


def add_refusals(app: typer.Typer) -> None:
    @app.command()
    def refusals(
        notice_id: int,
        channel: ChannelName = "",
        reason: ReasonCode = "",
        csv: Csv = False,
        json: options.Json = False,
    ) -> None:
        """Who was refused or may not have got it: counts by reason; with --csv the registrations' numbers, never an address."""
        if csv and json:
            fail("--csv と --json は、どちらか一方にしてください。", USAGE)
        run(_refusals(notice_id, channel, reason, csv, json))


async def _refusals(notice_id: int, channel: str, reason: str, as_csv: bool, as_json: bool) -> None:
    async with opened(load_settings()) as service:
        try:
            await notice_service.find(service.context, notice_id)
        except LookupError:
            fail(f"お知らせ {notice_id} はありません。", FAILED)
        async with service.database.read() as connection:
            found = await refusal_reasons(connection, notice_id)
            forgotten = await is_forgotten(connection, notice_id)
        rows = [item for item in found if channel in ("", item[0]) and reason in ("", item[1])]
        if not rows and (channel or reason):
            known = "、".join(sorted({f"{item[0]}/{item[1]}" for item in found})) or "ありません"
            fail(f"--channel、--reason: 当てはまる不達・不明はありません。あるもの: {known}", USAGE)
        if forgotten:
            days = service.context.keep_recipients // DAY
            talk.print(
                f"だれに送ったかの記録は{days}日で消えます。登録番号はもう分かりません(件数だけが残っています)。",
                highlight=False,
                soft_wrap=True,
            )
        if as_csv:
            async for part in refusals_csv(service.database, notice_id, channel=channel, reason=reason):
                sys.stdout.write(part)
            return
    if as_json:
        print_json(
            {
                "registrations_known": not forgotten,
                "reasons": [{"channel": item[0], "reason": item[1], "number": item[2]} for item in rows],
            }
        )
        return
    table = Table("配信手段", "コード", "件数", "理由", title=f"お知らせ {notice_id}: 不達・不明")
    for key, code, number in rows:
        table.add_row(CHANNEL_NAMES.get(key, key), code, f"{number:,}", find_reason(code).what)
    Console().print(table, markup=False, highlight=False)
