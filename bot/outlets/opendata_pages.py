"""`/opendata/subscribers.{csv,json}`: there as soon as the town names a licence in its profile."""

from __future__ import annotations

import json

from aiohttp import web

from bot.outlets.opendata import HEADINGS, open_json, open_rows
from bot.pages import service_of
from bot.reports import BYTE_ORDER_MARK, to_csv

# The door answers from what it keeps, so that a flood asks the database once in ten minutes.
CACHE = "public, max-age=600"


async def show_subscribers(request: web.Request) -> web.Response:
    service = service_of(request)
    if not service.town.open_data_licence:
        raise web.HTTPNotFound
    rows = await open_rows(service)
    if request.match_info["kind"] == "csv":
        text, media_type = BYTE_ORDER_MARK + to_csv(rows, HEADINGS), "text/csv"
    else:
        text = json.dumps(open_json(service.town, rows), ensure_ascii=False, indent=1)
        media_type = "application/json"
    response = web.Response(body=text.encode(), content_type=media_type, charset="utf-8")
    response.headers["Cache-Control"] = CACHE
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
