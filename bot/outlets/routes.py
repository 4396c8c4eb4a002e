"""Every address of the ways out that are fetched."""

from __future__ import annotations

from aiohttp import web

from bot.outlets import calendar_pages, cap_pages, feed_pages, opendata_pages, poster_pages, signage_pages


def add_outlets(app: web.Application) -> None:
    app[signage_pages.LAST_SEEN] = signage_pages.LastSeen()
    app.router.add_get("/signage/worker.js", signage_pages.show_worker)
    app.router.add_get("/signage/{key:[A-Za-z0-9_-]{20,60}}", signage_pages.show_display)
    app.router.add_get("/signage/{key:[A-Za-z0-9_-]{20,60}}/slides", signage_pages.show_slides)
    app.router.add_get("/feeds/cap.atom", cap_pages.show_active)
    app.router.add_get("/cap/certificate.pem", cap_pages.show_certificate)
    app.router.add_get("/cap/{public_id:[A-Za-z0-9_-]+}.xml", cap_pages.show_alert)
    app.router.add_get("/cap/exercise/{public_id:[A-Za-z0-9_-]+}.xml", cap_pages.show_exercise)
    app.router.add_get("/feeds/{key:[a-z][a-z0-9_-]*}.{kind:rss|atom|json}", feed_pages.show_feed)
    app.router.add_get("/feeds/{key:[a-z][a-z0-9_-]*}.ics", calendar_pages.show_calendar)
    app.router.add_get("/n/{public_id:[A-Za-z0-9_-]+}/poster/{size:a4|a3}", poster_pages.show_poster)
    app.router.add_get("/n/{public_id:[A-Za-z0-9_-]+}.ics", calendar_pages.show_event)
    app.router.add_get("/opendata/subscribers.{kind:csv|json}", opendata_pages.show_subscribers)
