"""The months of a fiscal year on the screen, as files, and what is noted beside a frozen year."""

from __future__ import annotations

import json

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.download import download
from bot.console.month_tables import tables_of
from bot.figure_words import channel_of, channel_words
from bot.forms import read_fields
from bot.month_report import (
    CHOICES,
    FIRST_YEAR,
    JAPANESE,
    MonthReport,
    about,
    month_report,
    rows_of,
    to_file_rows,
    to_json,
)
from bot.pages import redirect
from bot.reports import BYTE_ORDER_MARK, to_csv
from bot.spreadsheet import EXCEL, to_xlsx
from content.clock import fiscal_year, now_ms, today_jst
from content.figures import year_ends
from content.figures.movements import Measure
from content.figures.year_ends import LONGEST_REMARK, Remark
from content.staff import audit

PATH = "/console/reports/months"


async def show_months(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    year = read_year(query.get("year", ""))
    by = query.get("by", Measure.TOTAL)
    report = await month_report(staff_request.service, year, by if by in CHOICES else Measure.TOTAL)
    return _file(report, query.get("format", "")) or await _page(staff_request, report)


async def add_remark(staff_request: StaffRequest) -> web.Response:
    """A later correction of a frozen year is a dated remark, never another figure."""
    fields = await read_fields(staff_request.request)
    year, text = read_year(fields.get("year", "")), fields.get("text", "").replace("\r\n", "\n").strip()
    if not 0 < len(text) <= LONGEST_REMARK:
        problem = f"注を1文字以上{LONGEST_REMARK:,}文字以内で入れてください(いま{len(text):,}文字)。"
        report = await month_report(staff_request.service, year, Measure.TOTAL)
        return await _page(staff_request, report, problem=problem, text=text[: 2 * LONGEST_REMARK])
    at, login = now_ms(), staff_request.staff.login
    async with staff_request.service.database.write() as connection:
        if await year_ends.add_remark(connection, year, Remark(text, login, at)):
            await audit.record(
                connection, at=at, actor=login, action="figure.remarked", subject=f"fiscal year {year}"
            )
    return redirect(f"{PATH}?year={year}#frozen")


def read_year(text: str) -> int:
    """The fiscal year of a form; the current one when it is none, as 26."""
    now = fiscal_year(today_jst())
    year = int(text) if text.isascii() and text.isdigit() and len(text) == 4 else now
    return year if FIRST_YEAR <= year <= now else now


async def _page(
    staff_request: StaffRequest, report: MonthReport, *, problem: str = "", text: str = ""
) -> web.Response:
    this_year = fiscal_year(report.today)
    return staff_request.page(
        "console/months.html",
        status=422 if problem else 200,
        report=report,
        tables=tables_of(report),
        choices=CHOICES,
        years=range(this_year, max(FIRST_YEAR, this_year - 10) - 1, -1),
        about=about(report)[-1] if report.by == Measure.CATEGORY else None,
        frozen_total=None if report.frozen is None else _frozen_total(report),
        channel_name=lambda account: channel_words(channel_of(report.town, account)),
        definition=report.definition,
        problem=problem,
        text=text,
        longest=LONGEST_REMARK,
        now=report.made_at,
    )


def _frozen_total(report: MonthReport) -> list[tuple[str, int, int | None]]:
    """(channel, frozen, counted once more now) of each account."""
    assert report.frozen is not None
    last = f"{report.year + 1}-03"
    now = {item.account: item.active for item in report.figures if item.month == last and item.value == ""}
    return [
        (channel_words(channel_of(report.town, account)), number, now.get(account))
        for (account, measure, _), number in sorted(report.frozen.figures.items())
        if measure == Measure.TOTAL
    ]


def _file(report: MonthReport, form: str) -> web.Response | None:
    name = f"registrations-{report.year}-{report.by}"
    match form:
        case "csv":
            text = BYTE_ORDER_MARK + to_csv(to_file_rows(report), JAPANESE)
            return download(text.encode(), "text/csv", f"{name}.csv")
        case "json":
            text = json.dumps(to_json(report), ensure_ascii=False, indent=1)
            return download(text.encode(), "application/json", f"{name}.json")
        case "xlsx":
            body = to_xlsx(rows_of(report), JAPANESE, about(report))
            return download(body, EXCEL, f"{name}.xlsx")
    return None
