"""How to register, on one short page, and on a poster to print."""

from __future__ import annotations

from aiohttp import web

from bot.pages import page, service_of
from bot.resident.joining import ways_in


async def show_landing(request: web.Request) -> web.Response:
    return page(request, "resident/landing.html", ways=ways_in(request))


async def show_poster(request: web.Request) -> web.Response:
    """One sheet of A4, to be printed by the browser."""
    town = service_of(request).town
    always = [town.category[key] for key in town.always_categories]
    return page(request, "resident/poster.html", ways=ways_in(request), always=always)
