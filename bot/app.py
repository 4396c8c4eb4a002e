"""The web application: console, residents' pages, LINE's webhook and the two probes, on one service."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.app_keys import SERVICE
from bot.belonging import refuse_strange
from bot.console.routes import add_console
from bot.door.headers import SOURCE
from bot.errors import Handler, error_pages
from bot.line.webhook import add_routes as add_line
from bot.pages import STATIC, TEMPLATES, add_headers, environment, service_of
from bot.resident.routes import add_resident
from bot.service import Service
from content.database import identity
from content.database.identity import Identity, WrongDatabase
from content.keys import KeyFileError

READY_WITHIN = 3.0


def create_app(service: Service, *, behind_door: bool = False) -> web.Application:
    """Every page of one town's service. Handlers find it as `request.app[SERVICE]`.

    Behind the door `request.remote` is the visitor's address as the door found it.
    """
    app = web.Application(middlewares=[take_source, error_pages] if behind_door else [error_pages])
    app[SERVICE] = service
    app[TEMPLATES] = environment(service)
    app.on_response_prepare.append(add_headers)
    app.router.add_static("/static", STATIC)
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    add_console(app)
    add_resident(app)
    add_line(app)
    return app


@web.middleware
async def take_source(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whose request it is stands in a header of the door's own."""
    return await handler(request.clone(remote=request.headers.get(SOURCE, "")))


async def healthz(request: web.Request) -> web.Response:
    """The process lives. Asks nobody else, so a database in trouble does not get the process restarted."""
    return web.Response(text="ok\n")


async def readyz(request: web.Request) -> web.Response:
    """The database answers, and it is the one of this town and this key."""
    service = service_of(request)
    try:
        async with asyncio.timeout(READY_WITHIN):
            await service.database.ping()
            async with service.database.read() as connection:
                found = await identity.read(connection)
    except Exception:
        return web.Response(status=503, text="database not reachable\n")
    try:
        refuse_strange(found or Identity(""), service.town, service.keys)
    except (KeyFileError, WrongDatabase) as error:
        return web.Response(status=503, text=f"{error}\n")
    if found is not None and found.held_since is not None:
        return web.Response(
            text=f"ready, but nothing goes out ({found.held_reason}): kairanban restore --confirm\n"
        )
    return web.Response(text="ready\n")
