"""report counts, indicators, sheet: for the assembly, as table, JSON or CSV."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from bot import month_report, reports, sent_report
from bot.commands import report_sheet
from bot.commands.common import USAGE, fail, load_settings, opened, print_json, run
from bot.entered_indicators import entered_json, entered_results, entered_rows
from bot.month_report import CHOICES
from bot.service import Service
from content.clock import fiscal_year as fiscal_year_of_today
from content.clock import now_ms, today_jst
from content.figures.indicators import IndicatorReport
from content.figures.plan_results import IndicatorResult
from content.plans.values import FIRST_YEAR, LAST_YEAR

app = typer.Typer(no_args_is_help=True, help="登録数と計画の指標.")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
AsCsv = Annotated[bool, typer.Option("--csv", help="Print CSV.")]


@app.command()
def counts(json: AsJson = False, csv: AsCsv = False) -> None:
    """Registrations now, by channel and category. They are registrations, not persons."""
    run(_counts(json, csv))


@app.command()
def months(
    fiscal_year: Annotated[int | None, typer.Option(help="Four digits; default: this one.")] = None,
    by: Annotated[str, typer.Option(help=", ".join(CHOICES))] = "total",
    json: AsJson = False,
    csv: AsCsv = False,
) -> None:
    """Registrations at the end of each month, who came, came back and left; empty is unknown, not 0."""
    if by not in CHOICES:
        fail(f"--by: use one of {', '.join(CHOICES)}", USAGE)
    run(_months(_year(fiscal_year), by, json, csv))


@app.command()
def indicators(
    fiscal_year: Annotated[
        list[int] | None, typer.Option(help="Repeat for several; default: the plan's.")
    ] = None,
    key: Annotated[str, typer.Option(help="Only this indicator.")] = "",
    chart: Annotated[
        Path | None, typer.Option(help="Write the chart of --key as .svg or .png.", dir_okay=False)
    ] = None,
    json: AsJson = False,
    csv: AsCsv = False,
) -> None:
    """目標, 実績 and 達成率 per fiscal year, and the months."""
    if chart is not None and (chart.suffix not in (".svg", ".png") or not key):
        fail("--chart: name a file that ends in .svg or .png, and the indicator by --key", USAGE)
    run(_indicators(tuple(fiscal_year or ()), key, chart, json, csv))


@app.command()
def notices(
    fiscal_year: Annotated[int | None, typer.Option(help="Four digits; default: this one.")] = None,
    json: AsJson = False,
    csv: AsCsv = False,
) -> None:
    """Live notices of a fiscal year by channel, category and department: accepted, refused, unknown, how fast."""
    run(_notices(_year(fiscal_year), json, csv))


app.command("sheet")(report_sheet.sheet)


def _year(given: int | None) -> int:
    year = fiscal_year_of_today(today_jst()) if given is None else given
    if not month_report.FIRST_YEAR <= year <= fiscal_year_of_today(today_jst()):
        fail(f"--fiscal-year: a year with four digits, from {month_report.FIRST_YEAR} to this one", USAGE)
    return year


async def _notices(year: int, as_json: bool, as_csv: bool) -> None:
    async with opened(load_settings(), only_reads=True) as service:
        report = await sent_report.sent_report(service, year)
    rows = sent_report.file_rows(report)
    if as_json:
        print_json(sent_report.to_json(report))
    elif as_csv:
        sys.stdout.write(reports.to_csv(rows))
    else:
        shown = ("measure", "name", "notices", "planned", "accepted", "refused", "unknown", "longest_seconds")
        table = [{sent_report.JAPANESE[column]: row[column] for column in shown} for row in rows]
        Console().print(_table(f"{year}年度に送ったお知らせ", table))
        sys.stdout.write(f"定義: {report.definition}\n")


async def _counts(as_json: bool, as_csv: bool) -> None:
    async with opened(load_settings(), only_reads=True) as service:
        rows = await reports.counts_rows(service)
    _print("登録数(人数ではありません)", rows, as_json, as_csv)


async def _months(year: int, by: str, as_json: bool, as_csv: bool) -> None:
    async with opened(load_settings(), only_reads=True) as service:
        report = await month_report.month_report(service, year, by)
    if as_json:
        print_json(month_report.to_json(report))
    elif as_csv:
        sys.stdout.write(reports.to_csv(month_report.to_file_rows(report)))
    else:
        shown = ("month", "channel", "name", "active", "joined", "returned", "left", "note")
        rows = [
            {month_report.JAPANESE[column]: row[column] for column in shown}
            for row in month_report.rows_of(report)
        ]
        Console().print(_table(f"{year}年度 {CHOICES[by]}別", rows))
        sys.stdout.write("".join(f"{name}: {words}\n" for name, words in month_report.about(report)))


async def _indicators(
    years: tuple[int, ...], key: str, chart: Path | None, as_json: bool, as_csv: bool
) -> None:
    if wrong := [year for year in years if not FIRST_YEAR <= year <= LAST_YEAR]:
        fail(f"--fiscal-year {wrong[0]}: 年度は西暦4桁で書いてください(2026 のように)", USAGE)
    async with opened(load_settings(), only_reads=True) as service:
        counted = await reports.indicator_reports(service, years)
        entered = await entered_results(service, years)
    if key and key not in (
        known := [*(one.indicator.key for one in counted), *(one.indicator.key for one in entered)]
    ):
        fail(f"--key: no indicator '{key}'; use {', '.join(known)}", USAGE)
    counted = [item for item in counted if key in ("", item.indicator.key)]
    entered = [result for result in entered if key in ("", result.indicator.key)]
    if chart is not None:
        _write_chart(service, chart, counted)
        return
    if as_json:
        print_json([*map(reports.indicator_json, counted), *map(entered_json, entered)])
        return
    if as_csv:
        rows = [row for item in counted for row in reports.indicator_rows(item)]
        sys.stdout.write(reports.to_csv(rows + [row for item in entered for row in entered_rows(item)]))
        return
    for item in counted:
        _show(item)
    for result in entered:
        _show_entered(result)


def _write_chart(service: Service, file: Path, counted: list[IndicatorReport]) -> None:
    from bot.console.chart_file import NoFont, chart_file, to_png, to_svg
    from bot.pages import environment

    if not counted:
        fail("--chart: 手で入れる指標のグラフは、評価表(`kairanban report sheet`)にあります", USAGE)
    (found,) = counted
    drawn = chart_file(service.town, found, reports.headline(found), now_ms())
    try:
        made = to_svg(environment(service), drawn) if file.suffix == ".svg" else to_png(drawn)
    except NoFont as error:
        fail(str(error))
    try:
        file.write_bytes(made)
    except OSError as error:
        fail(f"--chart: {file}: {error.strerror}")


def _show_entered(found: IndicatorResult) -> None:
    """One that a person enters: its years as the plan prints them."""
    years = [
        {
            "年度": f"{year.year}年度",
            "目標": year.target.text,
            "実績": year.actual.text,
            "達成率": year.rate_words or year.met_words,
        }
        for year in found.years
    ]
    Console().print(_table(found.indicator.name, years))
    sys.stdout.write(f"定義: {found.indicator.definition}\n")


def _show(found: IndicatorReport) -> None:
    """The years and their months, each narrow enough for a terminal, and what one must know to read them."""
    unit = found.indicator.unit
    years = [
        {
            "年度": f"{year.fiscal_year}年度",
            "時点": year.as_of.isoformat() if year.as_of else "",
            "目標": f"{year.target:,}{unit}" if year.target is not None else "",
            "実績": f"{year.actual:,}{unit}" if year.actual is not None else "",
            "達成率": f"{year.rate:.1f}%" if year.rate is not None else "",
            "": "確定" if year.frozen else "速報" if year.provisional and year.actual is not None else "",
        }
        for year in found.years
    ]
    months = [
        {
            "月": f"{month.year}-{month.month:02d}",
            "実績(末)": f"{month.actual:,}{unit}",
            "登録": f"{month.joined:,}",
            "終了": f"{month.left:,}",
        }
        for year in found.years
        for month in year.months
        if month.actual is not None
    ]
    Console().print(_table(found.indicator.name, years))
    if months:
        Console().print(_table("月別", months))
    else:
        sys.stdout.write("この年度の登録の記録はありません。\n")
    sys.stdout.write(f"定義: {found.indicator.definition}\n")
    sys.stdout.write(f"{found.as_of.isoformat()} 現在の登録の記録から計算\n")
    for year in found.years:
        for words in reports.frozen_notes(year, unit):
            sys.stdout.write(f"{year.fiscal_year}年度 {words}\n")
    notes = [note for year in found.years for note in year.annotations]
    for number, note in enumerate(notes, start=1):
        sys.stdout.write(f"注{number} {note.month} {note.text}\n")


def _print(title: str, rows: list[dict[str, Any]], as_json: bool, as_csv: bool) -> None:
    if as_json:
        print_json(rows)
    elif as_csv:
        sys.stdout.write(reports.to_csv(rows))
    else:
        headed = [{reports.JAPANESE.get(name, name): value for name, value in row.items()} for row in rows]
        Console().print(_table(title, headed))


def _table(title: str, rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title)
    for column in rows[0] if rows else ():
        table.add_column(column, justify="right" if _is_figure(rows[0][column]) else "left")
    for row in rows:
        table.add_row(*("" if value is None else str(value) for value in row.values()))
    return table


def _is_figure(value: object) -> bool:
    return isinstance(value, int | float) or (
        isinstance(value, str) and value[:1].isdecimal() and value[-1:] in "件%"
    )
