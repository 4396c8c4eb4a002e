"""subscribers import, export: the register as CSV, as an office's table or in our own form."""

from __future__ import annotations

import csv
import io
import os
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.commands import list_changes
from bot.commands.common import (
    FAILED,
    USAGE,
    fail,
    load_settings,
    opened,
    operator,
    progress,
    run,
    talk,
)
from bot.commands.private_output import close_output_to_others
from bot.service import Service
from content.clock import now_ms
from content.register import importing, subscribers, subscribers_csv, subscribers_export, webhook_secrets
from content.register.addresses import lookup_part
from content.register.csv_cells import harmless, original
from content.register.csv_files import decoded
from content.register.importing import ImportOvertaken
from content.register.office_rows import REASON, known_headings
from content.register.registration import Registration
from content.register.subscribers_csv import ImportRefused, Table
from content.register.updating import ImportMode
from content.staff import audit
from content.town import Town

# A register of a million has about a hundred.
MOST_BYTES = 500 * 2**20
NOTHING = "何も取り込んでいません"


def import_(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV in UTF-8 or CP932, as Excel saves it; headings: " + known_headings(),
            exists=True,
            dir_okay=False,
        ),
    ],
    mode: Annotated[
        ImportMode,
        typer.Option(
            help="add registers; update changes what the file says of those who are registered (empty cells leave it); "
            "end ends those whom the file names, and nobody else."
        ),
    ] = ImportMode.ADD,
    yes: Annotated[bool, typer.Option("--yes", help="With end: do not ask.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would come in, and change nothing.")
    ] = False,
    skip_bad: Annotated[
        Path | None,
        typer.Option(
            "--skip-bad",
            metavar="FILE",
            help="Take in the good rows and write the bad ones, with what is wrong in each, to a new file.",
        ),
    ] = None,
) -> None:
    """Take registrations in: all or nothing. Known addresses keep what they chose themselves, but with --mode update.

    A known webhook with another secret gets that one.
    """
    if skip_bad is not None and skip_bad.exists():
        fail(f"{skip_bad} はすでにあります。新しい名前にしてください。{NOTHING}。", USAGE)
    run(_import(file, mode, yes=yes, dry_run=dry_run, skip_bad=skip_bad))


def export() -> None:
    """Write every active registration to stdout, addresses in clear: handle with care."""
    run(_export())


async def _import(file: Path, mode: ImportMode, *, yes: bool, dry_run: bool, skip_bad: Path | None) -> None:
    settings = load_settings()
    async with opened(settings) as service:
        table = _read(file, service.town)
        if mode != ImportMode.ADD:
            list_changes.check(table, mode, file)
        if table.bad and skip_bad is None:
            refused = ImportRefused([problem for _, problem in table.bad])
            fail(
                f"{file}: {NOTHING}({len(table.bad)}行に問題があります)。\n{refused}\n{_advice(table)}",
                FAILED,
            )
        if dry_run:
            if mode == ImportMode.ADD:
                await _say_what_would_be(service, table)
            else:
                await list_changes.say_what_would_be(service, table, mode)
            return
        if mode == ImportMode.END and not yes:
            await list_changes.ask(service, table)
        if table.bad and skip_bad is not None:
            _write_bad(skip_bad, table)
        if mode == ImportMode.ADD:
            await _take_in(service, table.registrations)
        else:
            await list_changes.make(service, table, mode)
    if table.bad:
        talk.print(
            f"取り込まなかった行: {len(table.bad)}行。{skip_bad} に、理由を付けて書きました。"
            "直して、そのファイルをもう一度取り込んでください(宛先が入っています。取り扱いに注意)。",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )


def _read(file: Path, town: Town) -> Table:
    if file.stat().st_size > MOST_BYTES:
        fail(f"{file}: 大きすぎます({MOST_BYTES // 2**20}MBまで)。分けて取り込んでください。", USAGE)
    text = decoded(file.read_bytes())
    if text is None:
        fail(f"{file}: 文字を読めません。ExcelではCSV(コンマ区切り)で保存してください。{NOTHING}。", USAGE)
    try:
        return subscribers_csv.read_table(io.StringIO(text, newline=""), town)
    except ImportRefused as error:
        fail(f"{file}: {NOTHING}。\n{error}", FAILED)


def _advice(table: Table) -> str:
    good = len(table.registrations)
    return f"直すか、--skip-bad ファイル を付けると、ほかの{good}行だけを取り込めます。" if good else ""


async def _say_what_would_be(service: Service, table: Table) -> None:
    known = 0
    async with service.database.read() as connection:
        for account in service.town.accounts:
            lookups = [
                lookup
                for item in table.registrations
                if item.account == account.key and item.address
                for lookup in service.keys.lookups(item.account, lookup_part(item.channel, item.address))
            ]
            known += await subscribers.count_known(connection, account.key, lookups)
    bad = f"、問題のある行 {len(table.bad)}行" if table.bad else ""
    talk.print(
        f"ためしです。何も変えていません。新しい登録 {len(table.registrations) - known}件、登録済み {known}件{bad}",
        highlight=False,
    )
    for _, problem in table.bad[: subscribers_csv.MOST_PROBLEMS]:
        talk.print(str(problem), markup=False, highlight=False, soft_wrap=True)


async def _take_in(service: Service, registrations: Sequence[Registration]) -> None:
    now, secrets = now_ms(), 0

    async def when_decided(connection: AsyncConnection) -> None:
        nonlocal secrets
        secrets = await webhook_secrets.renew_secrets(connection, service.keys, registrations)
        trail = partial(audit.record, connection, at=now, actor=operator())
        await trail(action="subscribers.imported", number=len(registrations))
        if secrets:
            await trail(action="subscribers.secrets_changed", number=secrets)

    with progress("取り込み", len(registrations)) as advance:
        try:
            imported = await importing.import_registrations(
                service.database,
                service.keys,
                registrations,
                advance,
                at=now,
                when_decided=when_decided,
            )
        except importing.KeysChanging:
            fail(
                f"秘密鍵を取り替えている途中です。{NOTHING}。`kairanban key list` で前の鍵を見て、"
                "`kairanban key retire 番号` を済ませてから、もう一度取り込んでください。",
                FAILED,
            )
        except ImportOvertaken:
            fail(f"別の取り込みが始まったため、{NOTHING}。終わってからもう一度取り込んでください。", FAILED)
    talk.print(
        f"{imported.new}件を登録しました。登録済みで変更しなかったもの: {imported.already}件", highlight=False
    )
    if secrets:
        talk.print(f"秘密を替えたWebhook: {secrets}件", highlight=False)


def _write_bad(file: Path, table: Table) -> None:
    """For nobody else to read, with the mark by which Excel knows UTF-8. Before anything comes in, so that a full
    disk changes nothing."""
    keep = [number for number, heading in enumerate(table.header) if heading.strip() != REASON]
    try:
        descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8-sig", newline="") as out:
            writer = csv.writer(out)
            writer.writerow([*(table.header[number] for number in keep), REASON])
            for raw, problem in table.bad:
                cells = [raw[number] if number < len(raw) else "" for number in keep]
                writer.writerow([*(harmless(original(cell)) for cell in cells), str(problem)])
    except OSError as error:
        fail(f"{file} に書けません({error.strerror})。{NOTHING}。", FAILED)


async def _export() -> None:
    close_output_to_others()
    settings = load_settings()
    async with opened(settings) as service:
        async with service.database.write() as connection:
            await audit.record(connection, at=now_ms(), actor=operator(), action="subscribers.exported")
        writer = csv.writer(sys.stdout, lineterminator="\n")
        async with service.database.read() as connection:
            await service.database.may_take_long(connection)
            async for row in subscribers_export.export_rows(connection, service.keys, service.town):
                writer.writerow(row)
