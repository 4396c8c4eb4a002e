"""A LINE that only counts, as a process of its own.

`counting_line.py [latency in ms]` prints its port. It answers every multicast as LINE does, after the
latency, and remembers every user id and retry key; a key that it has seen is answered with 409.
GET /totals tells calls, recipients, recipients that came once, more than once, and calls without a key.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
import uuid
from collections import Counter

import uvloop
from aiohttp import web

# As every answer of LINE has one.
REQUEST_ID = {"x-line-request-id": "0"}


class CountingLine:
    def __init__(self, latency: float) -> None:
        self._latency = latency
        self._start_over()

    def _start_over(self) -> None:
        self._lists: list[bytes] = []
        self._keys: set[str] = set()
        self._bad_keys = self._repeats = 0
        self._first = self._last = 0.0

    async def accept(self, request: web.Request) -> web.Response:
        body = await request.read()
        if self._latency:
            await asyncio.sleep(self._latency)
        key = request.headers.get("X-Line-Retry-Key", "")
        if not _is_uuid(key):
            self._bad_keys += 1
            return web.json_response({"message": "Invalid retry key"}, status=400, headers=REQUEST_ID)
        if key in self._keys:
            self._repeats += 1
            return web.json_response(
                {"message": "The retry key is already accepted"},
                status=409,
                headers={"x-line-request-id": "1", "x-line-accepted-request-id": "0"},
            )
        self._keys.add(key)
        self._last = time.time()
        self._first = self._first or self._last
        # Counted when totals are asked for: while sending, the server shall not be the limit.
        self._lists.append(body)
        return web.json_response({}, headers={"x-line-request-id": str(uuid.uuid4())})

    async def totals(self, _request: web.Request) -> web.Response:
        seen: Counter[str] = Counter()
        kinds: Counter[str] = Counter()
        for body in self._lists:
            call = json.loads(body)
            seen.update(call["to"])
            kinds.update(message["type"] for message in call["messages"])
        usage = resource.getrusage(resource.RUSAGE_SELF)
        return web.json_response(
            {
                "calls": len(self._lists),
                "recipients": sum(seen.values()),
                "different": len(seen),
                "doubled": sum(1 for times in seen.values() if times > 1),
                "without_key": self._bad_keys,
                "repeats": self._repeats,
                "kinds": kinds,
                "first": self._first,
                "last": self._last,
                "cpu_s": usage.ru_utime + usage.ru_stime,
            }
        )

    async def count(self, _request: web.Request) -> web.Response:
        """How many calls so far; cheap, for asking while a send is running."""
        return web.json_response({"calls": len(self._keys), "last": self._last})

    async def forget(self, _request: web.Request) -> web.Response:
        self._start_over()
        return web.json_response({})


async def no_limit(_request: web.Request) -> web.Response:
    """An account without a monthly limit."""
    return web.json_response({"type": "none", "totalUsage": 0}, headers=REQUEST_ID)


def _is_uuid(text: str) -> bool:
    try:
        return bool(uuid.UUID(text))
    except ValueError:
        return False


async def main() -> None:
    line = CountingLine(float(sys.argv[1]) / 1000 if len(sys.argv) > 1 else 0.0)
    app = web.Application(client_max_size=4_000_000)
    app.router.add_post("/v2/bot/message/multicast", line.accept)
    app.router.add_get("/v2/bot/message/quota", no_limit)
    app.router.add_get("/v2/bot/message/quota/consumption", no_limit)
    app.router.add_get("/totals", line.totals)
    app.router.add_get("/count", line.count)
    app.router.add_post("/forget", line.forget)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
