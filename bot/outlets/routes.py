"""Every address of the ways out that are fetched."""

from __future__ import annotations

from aiohttp import web

from bot.outlets import calendar_pages, feed_pages


def add_outlets(app: web.Application) -> None:
    app.router.add_get("/feeds/{key:[a-z][a-z0-9_-]*}.{kind:rss|atom|json}", feed_pages.show_feed)
    app.router.add_get("/feeds/{key:[a-z][a-z0-9_-]*}.ics", calendar_pages.show_calendar)
    app.router.add_get("/n/{public_id:[A-Za-z0-9_-]+}.ics", calendar_pages.show_event)
