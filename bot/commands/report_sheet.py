"""report sheet: a plan's evaluation sheet of a year, on the terminal or as a file."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from bot.commands.common import USAGE, fail, load_settings, opened, run, talk
from bot.sheets.blocks import Grid, Heading

if TYPE_CHECKING:
    from jinja2 import Environment

    from bot.service import Service
    from bot.sheets.paper import Paper

ENDINGS = (".xlsx", ".pdf", ".csv", ".json")


def sheet(
    plan: Annotated[str, typer.Argument(help="Key of the plan, such as shibata-5.")],
    fiscal_year: Annotated[int, typer.Option(help="The year that is evaluated, four digits.")],
    json: Annotated[bool, typer.Option("--json", help="Print JSON.")] = False,
    csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    out: Annotated[
        Path | None, typer.Option(help="Write a file; its ending says which: .xlsx, .pdf, .csv or .json.")
    ] = None,
) -> None:
    """評価表 of a plan: targets, actuals and 達成率, what was done, grades."""
    run(_sheet(plan, fiscal_year, json, csv, out))


async def _sheet(plan: str, year: int, as_json: bool, as_csv: bool, out: Path | None) -> None:
    from bot.pages import environment
    from bot.sheets.files import sheet_csv, sheet_json_text
    from bot.sheets.paper import paper

    if out is not None and out.suffix not in ENDINGS:
        fail(f"--out: {out.name} ends with none of {', '.join(ENDINGS)}", USAGE)
    async with opened(load_settings(), only_reads=True) as service:
        found = await paper(service, plan, year)
        if found is None:
            fail(await _missing(service, plan, year), USAGE)
        if out is not None:
            await _write(out, found, environment(service))
        elif as_json:
            sys.stdout.write(sheet_json_text(found) + "\n")
        elif as_csv:
            sys.stdout.write(sheet_csv(found).decode("utf-8-sig"))
        else:
            _show(found)


async def _missing(service: Service, plan: str, year: int) -> str:
    from content.figures.plans import read_plans

    async with service.database.read() as connection:
        known = (await read_plans(connection)).plans
    if plan not in known:
        there = "、".join(f"{key}({item.name})" for key, item in known.items()) or "ひとつもありません"
        return f"計画「{plan}」はありません。あるのは {there} です。`records import` で取り込めます。"
    found = known[plan]
    return f"--fiscal-year {year}: 計画の期間は {found.first_year}〜{found.last_year} 年度です(西暦4桁で書きます)。"


async def _write(out: Path, found: Paper, templates: Environment) -> None:
    from bot.pdf import has_pdf
    from bot.sheets.files import sheet_csv, sheet_excel, sheet_json_text
    from bot.sheets.pdf import sheet_pdf

    match out.suffix:
        case ".pdf":
            if not has_pdf():
                fail(
                    "PDF には追加の部品が要ります: pip install 'kairanban[pdf]'。なければ、画面の評価表を印刷して"
                    "「PDFに保存」を選んでください。"
                )
            body = await sheet_pdf(templates, found)
        case ".xlsx":
            body = sheet_excel(found)
        case ".csv":
            body = sheet_csv(found)
        case _:
            body = sheet_json_text(found).encode()
    _keep(out, body)


def _keep(out: Path, body: bytes) -> None:
    try:
        out.write_bytes(body)
    except OSError as error:
        fail(f"--out {out}: {error.strerror}", USAGE)
    talk.print(f"書きました: {out}", markup=False, highlight=False)


def _show(found: Paper) -> None:
    console = Console()
    console.print(found.title, style="bold", markup=False, highlight=False)
    for block in found.blocks:
        if isinstance(block, Heading):
            console.print(f"\n{block.text}", style="bold", markup=False, highlight=False)
        elif isinstance(block, Grid):
            table = Table(title=block.caption, title_justify="left")
            for number, name in enumerate(block.header):
                table.add_column(
                    name, overflow="fold", justify="left" if block.plain or not number else "right"
                )
            for row in block.rows:
                table.add_row(*row)
            console.print(table, markup=False, highlight=False)
        elif block.text:
            label = f"【{block.label}】" if block.label else ""
            console.print(f"{label}{block.text}", markup=False, highlight=False)
    for label, said in found.facts:
        console.print(f"{label}: {said}", markup=False, highlight=False)
