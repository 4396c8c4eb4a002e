"""Writes an answer to the wire, whole or spoiled."""

from __future__ import annotations

import asyncio
import json
import socket
import struct
from contextlib import suppress

from aiohttp import web

from sandbox.line.api_faults import Spoil
from sandbox.line.errors import Json, Reply

_EMPTY = b"{}"
# Closing with this option sends a TCP reset instead of an orderly end.
_LINGER_OFF = struct.pack("ii", 1, 0)


async def send_answer(
    request: web.Request, request_id: str, reply: Reply, spoil: Spoil, closing: asyncio.Event
) -> web.StreamResponse:
    """Send the reply as `spoil` says. A hang ends when the client or the sandbox leaves."""
    if spoil.ending == "hang":
        await _hang(request, closing)
        return _reset(request)
    if spoil.ending == "reset" and spoil.reset_when != "body":
        return _reset(request)
    body = _bytes(reply) if reply.status else _EMPTY
    headers = {"x-line-request-id": request_id, **reply.headers}
    content_type = reply.content_type
    if spoil.ending == "reset":
        return await _reset_in_body(request, headers)
    bytes_per_second = 0
    for action in spoil.mangle:
        body, content_type = _mangled(action, body, content_type, headers)
        bytes_per_second = (
            int(action.get("bytesPerSecond", 10)) if action["type"] == "slowBody" else bytes_per_second
        )
    if bytes_per_second:
        return await _trickle(request, reply.status, headers, content_type, body, bytes_per_second)
    headers["content-type"] = content_type
    return web.Response(body=body, status=reply.status, headers=headers)


def _bytes(reply: Reply) -> bytes:
    if isinstance(reply.body, bytes):
        return reply.body
    return json.dumps(reply.body, ensure_ascii=False).encode("utf-8", "replace") if reply.body else _EMPTY


def _mangled(action: Json, body: bytes, content_type: str, headers: dict[str, str]) -> tuple[bytes, str]:
    kind = action["type"]
    if kind == "truncate":
        return body[: len(body) // 2], content_type
    if kind == "badJson":
        return b'{"message": ', content_type
    if kind == "emptyBody":
        return b"", content_type
    if kind == "wrongContentType":
        return body, str(action.get("contentType", "text/html"))
    if kind == "dropHeader":
        headers.pop(str(action.get("name", "x-line-request-id")).lower(), None)
    return body, content_type


async def _hang(request: web.Request, closing: asyncio.Event) -> None:
    while not closing.is_set() and request.transport is not None and not request.transport.is_closing():
        with suppress(TimeoutError):
            await asyncio.wait_for(closing.wait(), 0.2)


def _reset(request: web.Request) -> web.StreamResponse:
    transport = request.transport
    if transport is not None:
        raw = transport.get_extra_info("socket")
        if raw is not None:
            with suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _LINGER_OFF)
        transport.abort()
    return web.Response(status=500)


async def _reset_in_body(request: web.Request, headers: dict[str, str]) -> web.StreamResponse:
    response = web.StreamResponse(headers={**headers, "content-length": "100"})
    await response.prepare(request)
    await response.write(b'{"sentMess')
    _reset(request)
    return response


async def _trickle(
    request: web.Request,
    status: int,
    headers: dict[str, str],
    content_type: str,
    body: bytes,
    bytes_per_second: int,
) -> web.StreamResponse:
    response = web.StreamResponse(status=status, headers={**headers, "content-type": content_type})
    await response.prepare(request)
    with suppress(ConnectionError):
        for start in range(0, len(body), bytes_per_second):
            await response.write(body[start : start + bytes_per_second])
            await asyncio.sleep(1)
    return response
