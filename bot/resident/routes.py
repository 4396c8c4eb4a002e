"""Every public page."""

from __future__ import annotations

from aiohttp import web

from bot.resident import landing, notice, unsubscribe


def add_resident(app: web.Application) -> None:
    app.router.add_get("/", landing.show_landing)
    app.router.add_get("/n/{public_id}", notice.show_notice)
    app.router.add_get("/unsubscribe/{token}", unsubscribe.show_unsubscribe)
    app.router.add_post("/unsubscribe/{token}", unsubscribe.unsubscribe)
