"""shelters import: the evacuation sites of the open-data file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, run, talk
from content.clock import now_ms

app = typer.Typer(no_args_is_help=True, help="指定緊急避難場所の一覧.")


@app.callback()
def _group() -> None:
    pass


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="CSV of 指定緊急避難場所一覧, UTF-8 or CP932.")],
    dry_run: Annotated[bool, typer.Option(help="Only say what would change.")] = False,
) -> None:
    """Put the file in the place of the list that there is; a site that it lacks is not shown any more."""
    try:
        content = file.read_bytes()
    except OSError as error:
        fail(f"{file}: {error.strerror}", USAGE)
    run(_import(file, content, dry_run))


async def _import(file: Path, content: bytes, dry_run: bool) -> None:
    from content.notices.shelter_list import compare, take_in
    from content.notices.shelters_csv import ShelterFileError, read_shelters
    from content.staff import audit

    async with opened(load_settings()) as service:
        try:
            read = read_shelters(content, service.town)
        except ShelterFileError as error:
            fail(f"{file}: {error}", USAGE)
        for warning in read.warnings:
            talk.print(warning, markup=False, highlight=False)
        at, who = now_ms(), operator()
        async with service.database.write() as connection:
            change = await compare(connection, read.shelters)
            if not dry_run and not change.is_empty:
                if not await take_in(connection, change, staff=who, at=at):
                    fail("ほかの人が同時に変えました。もう一度取り込んでください。", FAILED)
                await audit.record(
                    connection, at=at, actor=who, action="shelters.imported", subject="shelters"
                )
    talk.print(
        f"追加 {len(change.added)}・変更 {len(change.changed)}・一覧から外す {len(change.gone)}・同じ {change.same}",
        markup=False,
        highlight=False,
    )
    if dry_run:
        talk.print("--dry-run: 何も変えていません。", markup=False, highlight=False)
