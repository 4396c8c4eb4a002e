"""notice export: one notice as a file for data broadcasting, the town's paper and whatever else takes files."""

from __future__ import annotations

import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from bot.commands.common import FAILED, USAGE, fail, load_settings, opened, run
from content.notices import notices


class Form(StrEnum):
    TEXT = "text"
    XML = "xml"


def add_export(app: typer.Typer) -> None:
    @app.command()
    def export(
        notice_id: int,
        form: Annotated[Form, typer.Option("--format", help="Plain text or XML.")] = Form.TEXT,
        mapping: Annotated[
            Path | None,
            typer.Option(
                help="TOML file that says what goes where (examples/mappings/broadcast.toml).",
                exists=True,
                dir_okay=False,
            ),
        ] = None,
        output: Annotated[Path | None, typer.Option(help="File to write; default: standard output.")] = None,
    ) -> None:
        """A notice that is out as plain text or XML, by a mapping file."""
        made = run(_export(notice_id, form, mapping))
        if output is None:
            sys.stdout.buffer.write(made)
            sys.stdout.buffer.flush()
            return
        try:
            output.write_bytes(made)
        except OSError as error:
            fail(f"--output: {output} cannot be written: {error.strerror}", FAILED)


async def _export(notice_id: int, form: Form, mapping: Path | None) -> bytes:
    from bot.outlets.current import as_current
    from bot.outlets.export import USUAL, MappingRefused, as_text, as_xml, read_mapping

    try:
        wanted = read_mapping(mapping) if mapping else USUAL
    except MappingRefused as error:
        fail(f"--mapping: {error}", USAGE)
    async with opened(load_settings(), only_reads=True) as service:
        async with service.database.read() as connection:
            found = await notices.get(connection, notice_id)
            if found is None:
                fail(f"お知らせ {notice_id} はありません。", FAILED)
            if found.fired_at is None:
                fail(f"お知らせ {notice_id} は、まだ出ていません。出たものだけを書き出せます。", FAILED)
            (item,) = await as_current(service, connection, [found])
        try:
            return as_xml(wanted, item) if form == Form.XML else as_text(wanted, item)
        except MappingRefused as error:
            fail(f"--mapping: {error}", USAGE)
