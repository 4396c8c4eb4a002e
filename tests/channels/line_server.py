"""A real HTTP server that records what LINE would get and answers as LINE would, or as a test tells it to."""

import json
from collections import deque
from dataclasses import dataclass
from random import Random
from typing import Any

from aiohttp import web

ACCEPTED_ID = "00000000-0000-4000-8000-000000000001"
MONTHLY_LIMIT = {"message": "You have reached your monthly limit."}
OWN = {"x-line-request-id": ACCEPTED_ID}
RATE_LIMIT = {"message": "The API rate limit has been exceeded. Try again later."}


MISTAKEN = "The property, to[0], in the request body is invalid (line: -, column: -)"


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: Any
    json: Any


@dataclass(frozen=True)
class Answer:
    """What to answer once. `fault`: "reset" before, "reset after" or "truncate after" accepting.

    `page`: HTML of somebody between us and LINE instead.
    """

    status: int = 200
    json: Any = None
    headers: Any = None
    fault: str = ""
    page: str = ""


class LineServer:
    """`bad_ids` make a multicast fail as a whole; `answers` are used up first; `delivered` are the ids reached.

    The answer to request number `lost_answer` (from 1) gets lost after the request was acted upon.
    """

    def __init__(self) -> None:
        self.requests: list[Received] = []
        self.answers: deque[Answer] = deque()
        self.bad_ids: set[str] = set()
        self.delivered: list[str] = []
        self.accepted_keys: set[str] = set()
        self.lost_answer = 0
        # So many multicasts are refused for no reason; the second so many after LINE has taken the very same.
        self.refuse_next = self.refuse_accepted = 0
        # This part of the calls fails: 429, 5xx, reset before or after.
        self.failing, self.dice = 0.0, Random(1)

    def create_app(self) -> web.Application:
        app = web.Application()
        app.router.add_route("*", "/{path:.*}", self._handle)
        return app

    @property
    def multicasts(self) -> list[Received]:
        return [request for request in self.requests if request.path == "/v2/bot/message/multicast"]

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        content = json.loads(raw) if raw and request.content_type == "application/json" else None
        self.requests.append(Received(request.path, request.headers, content))
        told = self.answers.popleft() if self.answers else self._mishap()
        if told is None:
            answer = self._answer(request, content)
            return _reset(request) if len(self.requests) == self.lost_answer else answer
        if told.fault == "reset":
            return _reset(request)
        if told.fault:
            self._answer(request, content)
            return _reset(request) if told.fault == "reset after" else await _truncate(request)
        if told.page:
            return web.Response(
                text=told.page, status=told.status, headers=told.headers, content_type="text/html"
            )
        headers = {"x-line-request-id": ACCEPTED_ID, **(told.headers or {})}
        return web.json_response(told.json or {}, status=told.status, headers=headers)

    def _mishap(self) -> Answer | None:
        if self.failing and self.dice.random() < self.failing:
            return self.dice.choice(
                [Answer(429, RATE_LIMIT), Answer(500), Answer(fault="reset"), Answer(fault="reset after")]
            )
        return None

    def _answer(self, request: web.Request, content: Any) -> web.StreamResponse:
        key = request.headers.get("X-Line-Retry-Key")
        if key in self.accepted_keys and self.refuse_accepted:
            self.refuse_accepted -= 1
            return web.json_response({"message": MISTAKEN}, status=400, headers=OWN)
        if key in self.accepted_keys:
            body = {"message": "The retry key is already accepted"}
            return web.json_response(
                body, status=409, headers={**OWN, "x-line-accepted-request-id": ACCEPTED_ID}
            )
        if self.refuse_next:
            self.refuse_next -= 1
            return web.json_response({"message": MISTAKEN}, status=400, headers=OWN)
        bad = [
            index for index, address in enumerate((content or {}).get("to", [])) if address in self.bad_ids
        ]
        if bad:
            message = f"The property, to[{bad[0]}], in the request body is invalid (line: -, column: -)"
            return web.json_response({"message": message}, status=400, headers=OWN)
        if key:
            self.accepted_keys.add(key)
        self.delivered += (content or {}).get("to", [])
        return web.json_response({}, headers=OWN)


def _reset(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.abort()
    return web.Response()


async def _truncate(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"sent')
    assert request.transport is not None
    request.transport.close()
    return response
