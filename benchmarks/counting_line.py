"""A LINE that only counts: answers every multicast at once. Runs as a process of its own."""

from __future__ import annotations

import asyncio
import sys

import uvloop
from aiohttp import web


async def accept(request: web.Request) -> web.Response:
    await request.read()
    return web.json_response({}, headers={"x-line-request-id": "0"})


async def main() -> None:
    app = web.Application(client_max_size=4_000_000)
    app.router.add_post("/v2/bot/message/multicast", accept)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    sys.stdout.write(f"{runner.addresses[0][1]}\n")
    sys.stdout.flush()
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
