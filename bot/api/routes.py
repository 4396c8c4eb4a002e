"""The addresses that machines call."""

from __future__ import annotations

from aiohttp import web

from bot.api.access import THROTTLE, guarded
from bot.api.notices import PATH, post_notice, show_notice
from bot.api.openapi import description
from content.staff.throttle import Throttle


def add_api(app: web.Application) -> None:
    app[THROTTLE] = Throttle()
    app.router.add_post(PATH, guarded(post_notice))
    app.router.add_get(PATH + "/{id:[0-9]{1,18}}", guarded(show_notice))
    app.router.add_get("/api/v1/openapi.json", _describe)


async def _describe(request: web.Request) -> web.Response:
    return web.json_response(description())
