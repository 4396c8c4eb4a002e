"""notice try: the words of a notice, as a test, to the confirmed addresses of one member of staff alone."""

from __future__ import annotations

from typing import Annotated

import typer

from bot.commands import notice_options as options
from bot.commands.common import (
    FAILED,
    OK,
    USAGE,
    fail,
    load_settings,
    opened,
    operator,
    print_json,
    run,
    talk,
)
from bot.commands.notice_check import refuse
from bot.commands.notice_wait import wait_for_end
from bot.notice_json import notice_json
from content.staff import members
from content.staff.members import NotAllowed
from scheduler import trials
from scheduler.checks import NoticeRefused
from scheduler.words import CHANNEL_NAMES

To = Annotated[str, typer.Option("--to", help="Login of the member whose 試し送り先 get it.")]
Language = Annotated[
    list[str] | None, typer.Option("--language", help="ja, en, … (repeatable); default: Japanese.")
]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until nothing is open.")]
Timeout = Annotated[float, typer.Option(help="Longest wait in seconds.")]


def add_command(app: typer.Typer) -> None:
    @app.command("try")
    def try_(
        notice_id: int,
        to: To,
        language: Language = None,
        wait: Wait = False,
        timeout: Timeout = 600.0,
        json: options.Json = False,
    ) -> None:
        """Send a notice as it is written to one's own addresses (自分に試し送り), marked 【試験】; to no resident."""
        run(_try(notice_id, to, language or ["ja"], wait, timeout, json))


async def _try(
    notice_id: int, login: str, languages: list[str], wait: bool, timeout: float, as_json: bool
) -> None:
    async with opened(load_settings()) as service:
        async with service.database.read() as connection:
            member = await members.find(connection, login)
        if member is None:
            fail(f"--to: 職員「{login}」はいないか、無効です。", USAGE)
        try:
            made = await trials.send(
                service.context, notice_id, member=member, languages=languages, actor=operator()
            )
        except LookupError:
            fail(f"お知らせ {notice_id} はありません。", FAILED)
        except NotAllowed:
            fail(f"--to: 職員「{login}」には送れません。", USAGE)
        except NoticeRefused as error:
            refuse(error)
        talk.print(f"お知らせ {notice_id} を、{login} の試し送り先に送ります。", highlight=False)
        worst, shown = OK, []
        for number in made:
            code, status = await wait_for_end(service, number, timeout if wait else 0.0)
            worst = max(worst, code if wait else OK)
            if status is not None:
                shown.append(notice_json(status))
                for row in status.tallies if wait else ():
                    name = CHANNEL_NAMES.get(row.channel, row.channel)
                    talk.print(f"{name}: 宛先{row.planned}件のうち受付{row.accepted}件", highlight=False)
        if as_json:
            print_json({"notice": notice_id, "trials": shown})
    raise typer.Exit(worst)
