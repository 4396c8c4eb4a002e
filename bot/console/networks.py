"""The console opens from the networks that the town names alone, when it names any."""

from __future__ import annotations

from aiohttp import web
from aiohttp.typedefs import Middleware

from bot.door.source import is_trusted, read_networks
from bot.errors import Handler, message_page


def only_from(networks: str) -> Middleware:
    """Everything below /console is refused to other addresses, the page to sign in too."""
    allowed = read_networks(networks)

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_console = request.path == "/console" or request.path.startswith("/console/")
        if not is_console or is_trusted(request.remote or "", allowed):
            return await handler(request)
        return message_page(
            request,
            403,
            "この画面は、決められた場所からだけ開けます",
            "町役場の中など、決められたネットワークからもう一度開いてください。",
            "The staff pages open from the town's own networks only.",
            is_console=False,
        )

    return check
