"""One event stream for all phones of a page.

A browser opens at most six HTTP/1.1 connections to a host; twelve phones with a stream each would starve the
page of the connections it needs for tapping. So the page listens to one stream, and the per-phone streams
of the control API are joined here.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import AsyncIterator
from typing import Any, Final

from aiohttp import ClientError, ClientSession, ClientTimeout, StreamReader, web
from yarl import URL

MAX_PHONES: Final = 12
_HEARTBEAT_SECONDS: Final = 10.0
_QUEUE_LENGTH: Final = 1_000

_USER_ID = re.compile(r"[A-Za-z0-9_-]{1,64}")

_STREAMS = web.AppKey("phone_streams", set[asyncio.Task[Any]])


def add_stream(app: web.Application, path: str) -> None:
    """Serve the joined event stream at `path`; open streams end when the application shuts down."""
    app[_STREAMS] = set()
    app.router.add_get(path, _stream_phones)
    app.on_shutdown.append(_end_streams)


def phone_ids(request: web.Request) -> list[str]:
    """User ids from `ids=a,b&ids=c`, each once, in the order given; what cannot be a user id is left out."""
    parts = [part.strip() for value in request.query.getall("ids", []) for part in value.split(",")]
    return list(dict.fromkeys(part for part in parts if _USER_ID.fullmatch(part)))


async def _end_streams(app: web.Application) -> None:
    streams = app[_STREAMS]
    for task in tuple(streams):
        task.cancel()


async def _stream_phones(request: web.Request) -> web.StreamResponse:
    """Server-sent events of up to twelve phones: `ready` once all are connected, then `phone` with
    `{"userId", "event", "data"}` for each event of the phones' own streams.

    It ends when one of the phones' streams ends, so the browser reconnects and reads the state anew.
    """
    ids = phone_ids(request)
    if not 1 <= len(ids) <= MAX_PHONES:
        raise web.HTTPBadRequest(text=f"ids: 1 to {MAX_PHONES} user ids")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "Cache-Control": "no-cache"}
    )
    await response.prepare(request)
    task = asyncio.current_task()
    assert task is not None
    request.app[_STREAMS].add(task)
    try:
        with contextlib.suppress(ConnectionResetError, asyncio.BrokenBarrierError):
            await _relay_all(response, _own_address(request), ids)
    finally:
        request.app[_STREAMS].discard(task)
    return response


def _own_address(request: web.Request) -> URL:
    """Where this very server listens. Not the Host header, which anybody can set."""
    assert request.transport is not None
    host, port = request.transport.get_extra_info("sockname")[:2]
    return URL.build(scheme="http", host=host, port=port, path="/_sandbox/phone")


async def _relay_all(response: web.StreamResponse, base: URL, ids: list[str]) -> None:
    queue: asyncio.Queue[str | None] = asyncio.Queue(_QUEUE_LENGTH)
    connected = asyncio.Barrier(len(ids) + 1)
    async with ClientSession(timeout=ClientTimeout(total=None, sock_connect=5)) as session:
        relays = [
            asyncio.create_task(_relay(session, base / user_id / "events", user_id, queue, connected))
            for user_id in ids
        ]
        try:
            await response.write(b"retry: 1500\n\n")
            await connected.wait()
            await response.write(b"event: ready\ndata: {}\n\n")
            await _forward(queue, response)
        finally:
            for relay in relays:
                relay.cancel()
            await asyncio.gather(*relays, return_exceptions=True)


async def _relay(
    session: ClientSession,
    url: URL,
    user_id: str,
    queue: asyncio.Queue[str | None],
    connected: asyncio.Barrier,
) -> None:
    try:
        async with session.get(url) as upstream:
            await connected.wait()
            if upstream.status != 200:
                return  # an unknown resident says so in its state.json; the other phones go on
            async for event, data in _events(upstream.content):
                frame = json.dumps({"userId": user_id, "event": event, "data": data}, ensure_ascii=False)
                await queue.put(f"event: phone\ndata: {frame}\n\n")
    except (ClientError, OSError, asyncio.BrokenBarrierError):
        await connected.abort()
    await queue.put(None)


async def _events(lines: StreamReader) -> AsyncIterator[tuple[str, object]]:
    """Events of a server-sent stream; `data` is parsed as JSON."""
    event, data = "message", list[str]()
    async for raw in lines:
        line = raw.decode("utf-8").rstrip("\r\n")
        field, _, value = line.partition(":")
        if field == "event":
            event = value.strip()
        elif field == "data":
            data.append(value.removeprefix(" "))
        elif not line:
            if data:
                yield event, json.loads("\n".join(data))
            event, data = "message", []


async def _forward(queue: asyncio.Queue[str | None], response: web.StreamResponse) -> None:
    while True:
        try:
            frame = await asyncio.wait_for(queue.get(), _HEARTBEAT_SECONDS)
        except TimeoutError:
            frame = ": still here\n\n"  # finds out about closed pages
        if frame is None:
            return
        await response.write(frame.encode("utf-8"))
