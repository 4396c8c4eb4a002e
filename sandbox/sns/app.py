"""The stand-ins as one application: each service below its own name, the page at "/", JSON below "/api/"."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from typing import Any

from aiohttp import web

from sandbox.layout import require_loopback
from sandbox.sns import bluesky, discord, facebook, instagram, mastodon, slack, teams, threads, x
from sandbox.sns.keys import SANDBOX
from sandbox.sns.pages import show
from sandbox.sns.state import Fault, SnsSandbox

SERVICES: dict[str, Callable[[], list[web.RouteDef]]] = {
    "mastodon": mastodon.routes,
    "bluesky": bluesky.routes,
    "x": x.routes,
    "facebook": facebook.routes,
    "instagram": instagram.routes,
    "threads": threads.routes,
    "slack": slack.routes,
    "discord": discord.routes,
    "teams": teams.routes,
}
WRITES = ("POST", "PUT", "PATCH", "DELETE")


def create_app(sandbox: SnsSandbox) -> web.Application:
    """Can be mounted under a prefix."""
    app = web.Application(middlewares=[_faults], client_max_size=10_000_000)
    app[SANDBOX] = sandbox
    for routes in SERVICES.values():
        app.add_routes(routes())
    app.add_routes(
        [
            web.get("/", show),
            web.get("/api/posts", _api_posts),
            web.delete("/api/posts", _api_clear),
            web.put("/api/faults/{service}", _api_fault),
        ]
    )
    return app


async def run(host: str, port: int) -> None:
    """Serve until cancelled."""
    require_loopback(host)
    runner = web.AppRunner(create_app(SnsSandbox()))
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port).start()
        await asyncio.Event().wait()
    finally:
        await runner.cleanup()


@web.middleware
async def _faults(
    request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
) -> web.StreamResponse:
    sandbox = request.app[SANDBOX]
    service = request.path.lstrip("/").partition("/")[0]
    if service not in SERVICES:
        return await handler(request)
    sandbox.calls.append((service, request.method, request.path))
    # Who hangs up after having said everything is served all the same, as by a real service.
    await request.read()
    if sandbox.latency:
        await asyncio.sleep(sandbox.latency)
    writes = request.method in WRITES and not request.path.endswith("Session")
    fault = sandbox.next_fault(service, request.path) if writes else None
    if fault is None:
        return await handler(request)
    if fault.wait:
        await asyncio.sleep(fault.wait)
    if fault.status:
        headers = {"Retry-After": fault.retry_after} if fault.retry_after else {}
        return web.Response(
            status=fault.status, text=fault.body, headers=headers, content_type="application/json"
        )
    answer = await handler(request)
    if fault.lost and request.transport is not None:
        request.transport.abort()
    return answer


async def _api_posts(request: web.Request) -> web.Response:
    wanted: dict[str, Any] = dict(request.query)
    found = [item.shown() for item in request.app[SANDBOX].posts]
    return web.json_response(
        [item for item in found if all(str(item.get(name)) == value for name, value in wanted.items())]
    )


async def _api_clear(request: web.Request) -> web.Response:
    request.app[SANDBOX].clear()
    return web.Response(status=204)


async def _api_fault(request: web.Request) -> web.Response:
    try:
        fault = Fault(**await request.json())
    except (TypeError, ValueError) as error:
        raise web.HTTPBadRequest(text=str(error)) from None
    request.app[SANDBOX].fail(request.match_info["service"], fault)
    return web.json_response(asdict(fault))
