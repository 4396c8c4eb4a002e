"""What this service is and how to register, on one short page."""

from __future__ import annotations

from aiohttp import web

from bot.pages import page


async def show_landing(request: web.Request) -> web.Response:
    return page(request, "resident/landing.html")
