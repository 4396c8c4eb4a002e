"""The sandbox as a web application: LINE's API at the root, control under /_sandbox/."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace

from aiohttp import web

from sandbox.line import control_chats, control_ledger, control_platform, control_users, login
from sandbox.line.call import RouteTable
from sandbox.line.control import SANDBOX_KEY
from sandbox.line.options import SandboxOptions
from sandbox.line.phone.pages import add_routes as add_phone_pages
from sandbox.line.pipeline import Pipeline
from sandbox.line.routes import all_routes
from sandbox.line.state import LineSandbox
from sandbox.line.webhook_post import is_loopback

__all__ = ["SANDBOX_KEY", "LineSandbox", "SandboxOptions", "create_app", "run"]

log = logging.getLogger(__name__)

# Larger than anything the API takes, so that the size is refused in LINE's words and order.
_READABLE_BYTES = 64 * 1024 * 1024
_SHUTDOWN_SECONDS = 1.0


def create_app(options: SandboxOptions) -> web.Application:
    """A sandbox ready to be served; `app[SANDBOX_KEY]` is its state."""
    app = web.Application(client_max_size=_READABLE_BYTES)
    sandbox = LineSandbox(options)
    app[SANDBOX_KEY] = sandbox
    control_users.add_routes(app)
    control_chats.add_routes(app)
    control_ledger.add_routes(app)
    control_platform.add_routes(app)
    login.add_routes(app)
    add_phone_pages(app)
    app.router.add_get("/", _to_phones)
    # Also what holds a line feed, which a dot does not match.
    app.router.add_route("*", r"/{path:[\s\S]*}", Pipeline(sandbox, RouteTable(all_routes())).handle)
    app.on_shutdown.append(_close)
    return app


async def run(
    options: SandboxOptions, host: str = "127.0.0.1", port: int = 8686, *, allow_remote: bool = False
) -> None:
    """Serve until cancelled. Raises ValueError for a host that other machines reach, unless allowed."""
    if not (allow_remote or is_loopback(host)):
        raise ValueError(
            f"the sandbox has no protection of its own and listens on this machine only, not on {host}"
        )
    app = create_app(replace(options, allow_remote=allow_remote))
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        log.info("LINE sandbox on http://%s:%s, phones at /_sandbox/phones", host, port)
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


async def _to_phones(request: web.Request) -> web.Response:
    del request
    raise web.HTTPFound("/_sandbox/phones")


async def _close(app: web.Application) -> None:
    await app[SANDBOX_KEY].close()
