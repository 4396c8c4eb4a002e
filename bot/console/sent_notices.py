"""Notices of a fiscal year on the screen and as files."""

from __future__ import annotations

import json

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.download import download
from bot.console.months import read_year
from bot.month_report import FIRST_YEAR
from bot.reports import BYTE_ORDER_MARK, to_csv
from bot.sent_report import CHOICES, JAPANESE, SentReport, about, file_rows, sent_report, to_json
from bot.spreadsheet import EXCEL, to_xlsx
from content.clock import fiscal_year, today_jst


async def show(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    report = await sent_report(staff_request.service, read_year(query.get("year", "")))
    file = _file(report, query.get("format", ""))
    if file is not None:
        return file
    this_year = fiscal_year(today_jst())
    return staff_request.page(
        "console/sent_notices.html",
        report=report,
        choices=CHOICES,
        definition=report.definition,
        years=range(this_year, max(FIRST_YEAR, this_year - 10) - 1, -1),
        now=report.made_at,
    )


def _file(report: SentReport, form: str) -> web.Response | None:
    name = f"notices-{report.year}"
    match form:
        case "csv":
            text = BYTE_ORDER_MARK + to_csv(file_rows(report), JAPANESE)
            return download(text.encode(), "text/csv", f"{name}.csv")
        case "json":
            text = json.dumps(to_json(report), ensure_ascii=False, indent=1)
            return download(text.encode(), "application/json", f"{name}.json")
        case "xlsx":
            return download(to_xlsx(file_rows(report), JAPANESE, about(report)), EXCEL, f"{name}.xlsx")
    return None
