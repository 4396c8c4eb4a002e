"""Counts and indicators for the planning officer, on screen, on paper and as files."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.chart import draw
from bot.console.chart_file import NoFont, chart_file, to_png, to_svg
from bot.console.download import download
from bot.console.overlaid import overlay
from bot.console.words import channel_words
from bot.pages import TEMPLATES
from bot.reports import (
    BYTE_ORDER_MARK,
    JAPANESE,
    MEASURES,
    counts_rows,
    frozen_notes,
    headline,
    indicator_json,
    indicator_reports,
    indicator_rows,
    to_csv,
)
from content.clock import fiscal_year, now_ms, today_jst
from content.figures.counts import DEFINITION
from content.figures.indicators import IndicatorReport
from content.figures.plans import counted_indicators
from content.register import bounces


async def show_counts(staff_request: StaffRequest) -> web.Response:
    rows = await counts_rows(staff_request.service)
    file = _file(staff_request, rows, f"registrations-{today_jst():%Y%m%d}")
    if file is not None:
        return file
    async with staff_request.service.database.read() as connection:
        indicators = await counted_indicators(connection, staff_request.service.town)
        unreachable = sum((await bounces.count_suppressed(connection)).values())
    channels = [row["channel"] for row in rows if row["measure"] == "channel"]
    return staff_request.page(
        "console/reports.html",
        tables=[(name, _table(rows, key)) for key, name in MEASURES.items()],
        channels=list(dict.fromkeys(channels)),
        channel_name=channel_words,
        definition=DEFINITION,
        always=[item.name() for item in staff_request.service.town.categories if item.always],
        indicators=indicators,
        unreachable=unreachable,
        now=now_ms(),
    )


async def show_indicator(staff_request: StaffRequest) -> web.Response:
    year = _year(staff_request.request.query.get("year", ""))
    key = staff_request.request.match_info["key"]
    reports = await indicator_reports(staff_request.service, (year,) if year else (), key)
    if not reports:
        raise web.HTTPNotFound
    (found,) = reports
    indicator = found.indicator
    name = f"{indicator.key}-{today_jst():%Y%m%d}"
    file = _file(staff_request, indicator_rows(found), name, indicator_json(found))
    if file is not None:
        return file
    known = sorted({*indicator.targets, fiscal_year(today_jst())})
    picture, problem = _picture(staff_request, found, name)
    if picture is not None:
        return picture
    return staff_request.page(
        "console/indicator.html",
        status=503 if problem else 200,
        problem=problem,
        report=found,
        headline=headline(found),
        frozen_notes=frozen_notes,
        overlay={"wide": overlay(found, 760, 340), "narrow": overlay(found, 358, 300)},
        charts={"wide": draw(found, 760, 380), "narrow": draw(found, 358, 330)},
        year=year,
        years=known,
        channel_name=channel_words,
        now=now_ms(),
    )


def _picture(
    staff_request: StaffRequest, found: IndicatorReport, name: str
) -> tuple[web.Response | None, str]:
    """The chart as a file when `?format=` asks for one, or why there is none."""
    form = staff_request.request.query.get("format", "")
    drawn = chart_file(staff_request.service.town, found, headline(found), now_ms())
    if form == "svg":
        body = to_svg(staff_request.request.app[TEMPLATES], drawn)
        return download(body, "image/svg+xml", f"{name}.svg"), ""
    if form != "png":
        return None, ""
    try:
        return download(to_png(drawn), "image/png", f"{name}.png"), ""
    except NoFont as error:
        return None, str(error)


def _table(rows: Sequence[Mapping[str, Any]], measure: str) -> dict[str, dict[str, int]]:
    """name → channel → registrations, in the town's order."""
    table: dict[str, dict[str, int]] = {}
    for row in rows:
        if row["measure"] == measure:
            cells = table.setdefault(row["name"], {})
            cells[row["channel"]] = cells.get(row["channel"], 0) + row["registrations"]
    return table


def _file(
    staff_request: StaffRequest, rows: list[dict[str, Any]], name: str, whole: Any = None
) -> web.Response | None:
    """A file when `?format=` asks for one: the rows as CSV, `whole` (default: the rows) as JSON."""
    match staff_request.request.query.get("format", ""):
        case "csv":
            text = BYTE_ORDER_MARK + to_csv(rows, JAPANESE)
            content_type, ending = "text/csv", "csv"
        case "json":
            text = json.dumps(rows if whole is None else whole, ensure_ascii=False, indent=1)
            content_type, ending = "application/json", "json"
        case _:
            return None
    return web.Response(
        body=text.encode(),
        content_type=content_type,
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="{name}.{ending}"'},
    )


def _year(value: str) -> int:
    """A fiscal year that a report can show, 0 for all of them."""
    year = int(value) if value.isascii() and value.isdigit() and len(value) == 4 else 0
    return year if 1990 <= year <= 2200 else 0
