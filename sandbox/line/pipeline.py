"""Takes every API request through the same steps, in the same order.

A refusal before the handler accepted leaves the retry key unused and the quota untouched. A fault of
stage "after" spoils only the answer: the message is out, and a retry with the key must get 409.
"""

from __future__ import annotations

import inspect
import json
import time
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web

from sandbox.line import api_faults
from sandbox.line.answer import send_answer
from sandbox.line.call import Call, Route, RouteTable
from sandbox.line.errors import ApiError, Detail, Json, Reply, invalid_body
from sandbox.line.retrykeys import KEPT_MS as RETRY_KEY_KEPT_MS
from sandbox.line.retrykeys import Accepted, check_form
from sandbox.line.schema import Checker, violations
from sandbox.line.state import LineSandbox

BODY_BYTES = 2 * 1024 * 1024
_BEARER = "Bearer "


class Pipeline:
    """The API side of a sandbox: one request handler over a table of endpoints."""

    def __init__(self, sandbox: LineSandbox, table: RouteTable) -> None:
        self._sandbox = sandbox
        self._table = table

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Answer one request; `x-line-request-id` is on every answer."""
        started = time.perf_counter()
        found = self._table.find(request.method, request.path)
        call = Call(
            self._sandbox,
            self._sandbox.ids.request_id(),
            request.method,
            request.path,
            request.query,
            request.headers,
            retry_key=request.headers.get("X-Line-Retry-Key"),
        )
        if self._sandbox.faults.rules:
            await self._know_recipients(call, request)
        spoil = api_faults.Spoil()
        try:
            reply = await self._steps(call, request, found, spoil)
        except ApiError as error:
            reply = error.reply()
        except api_faults.Spoiled as fault:
            reply = fault.reply
        self._note(call, found, reply, (time.perf_counter() - started) * 1000)
        return await send_answer(request, call.request_id, reply, spoil, self._sandbox.closing)

    async def _steps(
        self,
        call: Call,
        request: web.Request,
        found: tuple[Route, dict[str, str]] | None,
        spoil: api_faults.Spoil,
    ) -> Reply:
        await api_faults.before(call, found, spoil)
        if found is None:
            raise ApiError(404, "Not found")
        route, call.params = found
        if not route.public:
            self._authenticate(call)
        self._limit_rate(call, route)
        await self._read(call, request, route)
        self._check_retry_key(call, route)
        reply = await self._accept(call, route)
        await api_faults.after(call, found, spoil, reply)
        return reply

    async def _know_recipients(self, call: Call, request: web.Request) -> None:
        # Rules may match on a recipient, so the body is needed before the first step.
        if request.content_length is not None and request.content_length <= BODY_BYTES:
            call.raw = await request.read()

    def _authenticate(self, call: Call) -> None:
        header = call.headers.get("Authorization", "")
        token = self._sandbox.tokens.find(header.removeprefix(_BEARER), call.now_ms)
        if not header.startswith(_BEARER) or token is None:
            raise ApiError(
                401,
                "Authentication failed. Confirm that the access token in the authorization header is valid.",
            )
        call.token = token
        call.owner = self._sandbox.channels[token.channel_id]

    def _limit_rate(self, call: Call, route: Route) -> None:
        limiter = (call.owner or self._sandbox.channel).limiter
        if limiter.allow(route.key, route.rate, call.now_ms):
            return
        wait = self._sandbox.config["rate.retryAfter"]
        headers = {} if wait is None else {"retry-after": str(wait)}
        raise ApiError(429, "The API rate limit has been exceeded. Try again later.", headers=headers)

    async def _read(self, call: Call, request: web.Request, route: Route) -> None:
        if not route.reads:
            return
        if (request.content_length or 0) > BODY_BYTES:
            raise ApiError(413, "Payload Too Large")
        call.raw = call.raw or await request.read()
        if len(call.raw) > BODY_BYTES:
            raise ApiError(413, "Payload Too Large")
        if route.reads == "raw" or (route.reads == "optional" and not call.raw):
            return
        _require_type(request, "application/x-www-form-urlencoded" if route.reads == "form" else _JSON)
        call.body = _form(call.raw) if route.reads == "form" else _json(call.raw)
        if route.schema is not None and (errors := _violations(route.schema, call.body)):
            raise invalid_body(errors, call.body)

    def _check_retry_key(self, call: Call, route: Route) -> None:
        if call.retry_key is None:
            return
        if not route.takes_retry_key:
            raise ApiError(400, "The retry key is not supported for this endpoint")
        check_form(call.retry_key)
        mismatch = self._sandbox.config["retryKey.mismatch"]
        call.channel.retry_keys.refuse_known(call.retry_key, call.body_hash, call.now_ms, mismatch)

    async def _accept(self, call: Call, route: Route) -> Reply:
        # A sending handler never awaits, so between the look-up of the retry key and the note of it
        # no other request runs: of two parallel requests with one key exactly one is accepted.
        answer = route.handler(call)
        reply = await answer if inspect.isawaitable(answer) else answer
        if call.retry_key is not None:
            accepted = Accepted(
                call.request_id, call.body_hash, reply.sent_messages, call.now_ms + RETRY_KEY_KEPT_MS
            )
            call.channel.retry_keys.remember(call.retry_key, accepted)
        return reply

    def _note(self, call: Call, found: tuple[Route, Any] | None, reply: Reply, ms: float) -> None:
        entry: Json = {
            "id": call.request_id,
            "at": call.now_ms,
            "channel": call.owner.channel_id if call.owner else None,
            "endpoint": found[0].key if found else f"{call.method} (unknown)",
            "path": call.path,
            "status": reply.status,
            "accepted": reply.accepted,
            "retryKey": call.retry_key,
            "bytes": len(call.raw),
            "ms": round(ms, 3),
        }
        self._sandbox.requests.append(entry)
        if found and found[0].label:
            ledger = (call.owner or self._sandbox.channel).ledger
            ledger.timed(found[0].label, reply.accepted, ms)
        if not self._sandbox.feed.idle:
            self._sandbox.feed.publish("", "request", entry)


_JSON = "application/json"


def _require_type(request: web.Request, wanted: str) -> None:
    given = request.headers.get("Content-Type", "")
    if given.split(";")[0].strip().lower() != wanted:
        raise ApiError(415, f"The content type, {given}, is not supported")


def _json(raw: bytes) -> Json:
    line, column = 1, 1
    try:
        body = json.loads(raw)
        if isinstance(body, dict):
            return body
    except json.JSONDecodeError as error:
        line, column = error.lineno, error.colno
    except (UnicodeDecodeError, RecursionError):
        pass
    raise ApiError(400, f"The request body could not be parsed as JSON (line: {line}, column: {column})")


def _violations(schema: Checker, body: Json) -> list[Detail]:
    try:
        return violations(schema, body)
    except RecursionError:
        return [{"message": "The nesting is too deep", "property": "messages"}]


def _form(raw: bytes) -> Json:
    return dict(parse_qsl(raw.decode("utf-8", "replace"), keep_blank_values=True))
