"""How to register, on one short page."""

from __future__ import annotations

from aiohttp import web

from bot.pages import page
from bot.resident.joining import ways_in


async def show_landing(request: web.Request) -> web.Response:
    return page(request, "resident/landing.html", ways=ways_in(request))
