"""subscribers import, export: the register as CSV."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, operator, progress, run, talk
from content.clock import now_ms
from content.register import importing, subscribers_csv
from content.register.importing import ImportOvertaken
from content.register.subscribers_csv import ImportRefused
from content.staff import audit

app = typer.Typer(no_args_is_help=True, help="登録者の取り込みと書き出し (CSV).")


@app.command("import")
def import_(
    file: Annotated[
        Path, typer.Argument(help="CSV: " + ",".join(subscribers_csv.COLUMNS), exists=True, dir_okay=False)
    ],
) -> None:
    """Take registrations in: all or nothing. Known addresses keep what they chose themselves."""
    run(_import(file))


@app.command()
def export() -> None:
    """Write every active registration to stdout, addresses in clear: handle with care."""
    run(_export())


async def _import(file: Path) -> None:
    settings = load_settings()
    async with opened(settings) as service:
        try:
            with file.open(encoding="utf-8-sig", newline="") as source:
                registrations = subscribers_csv.read_rows(source, service.town)
        except ImportRefused as error:
            fail(f"Nothing was imported from {file}:\n{error}", FAILED)
        except UnicodeDecodeError as error:
            fail(
                f"Nothing was imported: {file} is not UTF-8 (byte {error.start}). Save it as UTF-8 CSV.",
                USAGE,
            )
        sealed = subscribers_csv.seal_all(service.keys, registrations)
        now = now_ms()

        async def in_the_trail(connection: AsyncConnection) -> None:
            await audit.record(
                connection, at=now, actor=operator(), action="subscribers.imported", number=len(sealed)
            )

        with progress("取り込み", len(registrations)) as advance:
            try:
                imported = await importing.import_registrations(
                    service.database, sealed, advance, at=now, when_decided=in_the_trail
                )
            except ImportOvertaken:
                fail(
                    "別の取り込みが始まったため、何も取り込んでいません。終わってからもう一度取り込んでください。",
                    FAILED,
                )
    talk.print(
        f"{imported.new}件を登録しました。登録済みで変更しなかったもの: {imported.already}件", highlight=False
    )


async def _export() -> None:
    settings = load_settings()
    async with opened(settings) as service:
        async with service.database.write() as connection:
            await audit.record(connection, at=now_ms(), actor=operator(), action="subscribers.exported")
        writer = csv.writer(sys.stdout, lineterminator="\n")
        async with service.database.read() as connection:
            async for row in subscribers_csv.export_rows(connection, service.keys, service.town):
                writer.writerow(row)
