"""groups list and import: the groups by key, and their members from a list."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import USAGE, fail, load_settings, opened, operator, run, talk
from content.clock import now_ms
from content.notices.records import town_now
from content.register.group_counts import count_members
from content.register.members_csv import COLUMNS, MembersRefused, change_members, decode, read
from content.staff import audit

app = typer.Typer(no_args_is_help=True, help="グループの一覧と、会員の取り込み.")
FILE_LIMIT = 5_000_000


@app.command("list")
def list_() -> None:
    """Key, name and number of members of each group."""
    run(_list())


@app.command("import")
def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help=f"CSV: {','.join(COLUMNS)}[,until]; action is add or remove.", exists=True, dir_okay=False
        ),
    ],
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would change, and change nothing.")
    ] = False,
) -> None:
    """Add members that are registered already, and take members out: all of the file or nothing."""
    if file.stat().st_size > FILE_LIMIT:
        fail(f"{file}: larger than {FILE_LIMIT // 1_000_000} MB", USAGE)
    run(_import(file.read_bytes(), dry_run))


async def _list() -> None:
    async with opened(load_settings()) as service, service.database.read() as connection:
        groups = (await town_now(connection, service.town)).group
        counts = await count_members(connection, list(groups))
    for key, group in groups.items():
        talk.print(f"{key}  {group.name()}  {sum(counts[key].values()):,}件", highlight=False)


async def _import(content: bytes, dry_run: bool) -> None:
    try:
        text = decode(content)
        async with opened(load_settings()) as service:
            async with service.database.read() as connection:
                town = await town_now(connection, service.town)
            wanted = read(text, town, list(town.group))
            async with service.database.write() as connection:
                added, removed = await change_members(connection, service.keys, wanted, at=now_ms())
                if dry_run:
                    await connection.rollback()
                else:
                    await audit.record(
                        connection,
                        at=now_ms(),
                        actor=operator(),
                        action="group.members_imported",
                        subject="groups",
                        added=str(added),
                        removed=str(removed),
                    )
    except MembersRefused as error:
        fail(f"{error}\n何も変えていません。", USAGE)
    done = "変わる予定" if dry_run else "取り込みました"
    talk.print(f"{done}:入れる {added:,}件、外す {removed:,}件。", highlight=False)
