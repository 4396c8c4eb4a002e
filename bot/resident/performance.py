"""`/performance`: how many notices went out and how fast, for everybody; only where the town's profile says so."""

from __future__ import annotations

from aiohttp import web

from bot.pages import page, service_of
from bot.sent_report import sent_report
from content.clock import fiscal_year, today_jst

# The door answers from what it keeps, so that a flood asks the database once in ten minutes.
CACHE = "public, max-age=600"


async def show_performance(request: web.Request) -> web.Response:
    service = service_of(request)
    if not service.town.public_performance:
        raise web.HTTPNotFound
    this_year = fiscal_year(today_jst())
    reports = [await sent_report(service, year) for year in (this_year, this_year - 1)]
    response = page(
        request,
        "resident/performance.html",
        years=[(item.year, item.whole, item.of("channel")) for item in reports if item.whole.notices],
        now=reports[0].made_at,
    )
    response.headers["Cache-Control"] = CACHE
    return response
