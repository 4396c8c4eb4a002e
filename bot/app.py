"""The web application: console, residents' pages, what machines call, LINE's webhook and the two probes, on one service."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.api.routes import add_api
from bot.app_keys import SERVICE
from bot.console.networks import only_from
from bot.console.routes import add_console
from bot.door.headers import SOURCE
from bot.errors import Handler, error_pages
from bot.health import add_health
from bot.line.friend_link import add_routes as add_friend_link
from bot.line.webhook import add_routes as add_line
from bot.outlets.routes import add_outlets
from bot.pages import STATIC, TEMPLATES, add_headers, environment
from bot.resident.routes import add_resident
from bot.service import Service


def create_app(
    service: Service,
    *,
    behind_door: bool = False,
    loop_troubles: Callable[[], list[str]] = list,
    middlewares: Sequence[Middleware] = (),
) -> web.Application:
    """Every page of one town's service. Handlers find it as `request.app[SERVICE]`.

    Behind the door `request.remote` is the visitor's address as the door found it. `loop_troubles` says
    what should run in this process and does not.
    """
    outermost = [take_source] if behind_door else []
    networks = service.settings.web.console_networks
    innermost = [only_from(networks)] if networks else []
    app = web.Application(middlewares=[*outermost, *middlewares, error_pages, *innermost])
    app[SERVICE] = service
    app[TEMPLATES] = environment(service)
    app.on_response_prepare.append(add_headers)
    app.router.add_static("/static", STATIC)
    add_health(app, loop_troubles)
    add_console(app)
    add_api(app)
    # Before the pages of residents: the name of a notice may end in the kind of its answer.
    add_outlets(app)
    add_resident(app)
    add_line(app)
    add_friend_link(app)
    return app


@web.middleware
async def take_source(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whose request it is stands in a header of the door's own."""
    return await handler(request.clone(remote=request.headers.get(SOURCE, "")))
