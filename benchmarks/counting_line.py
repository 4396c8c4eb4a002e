"""A LINE that only counts, as a process of its own.

`counting_line.py [latency in ms] [one in so many fails]` prints its port. It answers every multicast as LINE does,
after the latency, and remembers every user id and retry key; a key that it has seen is answered with 409.
Calls that fail are picked at random, half of them after they were taken: 429 (never taken), 500, or a connection
that is closed without an answer.
GET /totals tells calls, recipients, recipients that came once, more than once, and calls without a key.
"""

from __future__ import annotations

import asyncio
import json
import random
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
    def __init__(self, latency: float, one_in: int = 0) -> None:
        self._latency = latency
        self._one_in = one_in
        self._random = random.Random(1)
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
        failure = self._failure()
        if failure is None:
            return self._take(request.headers.get("X-Line-Retry-Key", ""), body)
        if failure != "rate" and self._random.random() < 0.5:
            self._take(request.headers.get("X-Line-Retry-Key", ""), body)
        if failure == "reset" and request.transport is not None:
            request.transport.abort()
        status = 429 if failure == "rate" else 500
        return web.json_response({"message": "Failed on purpose"}, status=status, headers=REQUEST_ID)

    def _failure(self) -> str | None:
        if not self._one_in or self._random.random() >= 1 / self._one_in:
            return None
        return self._random.choice(("rate", "error", "reset"))

    def _take(self, key: str, body: bytes) -> web.Response:
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
    latency, one_in = (*map(int, sys.argv[1:3]), 0, 0)[:2]
    line = CountingLine(latency / 1000, one_in)
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
