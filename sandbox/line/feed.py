"""Live events for pages and watchers, over server-sent events."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from aiohttp import web

Item = tuple[str, Any]
_QUEUE_SIZE = 1000
_HEARTBEAT_SECONDS = 10.0


class Feed:
    """Spreads events to whoever listens to a topic: "" for everything, a user id for one phone."""

    def __init__(self) -> None:
        self._queues: dict[str, set[asyncio.Queue[Item | None]]] = {}

    def listens(self, topic: str) -> bool:
        """Whether anybody would notice an event on this topic."""
        return topic in self._queues

    @property
    def idle(self) -> bool:
        """Whether nobody listens to anything: the fast path of a load test."""
        return not self._queues

    def topics(self) -> Iterable[str]:
        """Topics that somebody listens to."""
        return list(self._queues)

    def publish(self, topic: str, name: str, data: Any) -> None:
        """Hand an event to the listeners of a topic. A listener that stopped reading loses the oldest."""
        for queue in self._queues.get(topic, ()):
            if queue.full():
                queue.get_nowait()
            queue.put_nowait((name, data))

    def close(self) -> None:
        """End every stream."""
        for queues in self._queues.values():
            for queue in queues:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(None)

    @contextmanager
    def subscription(self, topic: str) -> Iterator[asyncio.Queue[Item | None]]:
        """A queue of what is published on a topic while the block runs."""
        queue: asyncio.Queue[Item | None] = asyncio.Queue(_QUEUE_SIZE)
        self._queues.setdefault(topic, set()).add(queue)
        try:
            yield queue
        finally:
            self._queues[topic].discard(queue)
            if not self._queues[topic]:
                del self._queues[topic]


async def stream(request: web.Request, feed: Feed, topic: str) -> web.StreamResponse:
    """Answer a request with the events of a topic until the reader or the sandbox leaves."""
    headers = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store"}
    response = web.StreamResponse(headers=headers)
    with feed.subscription(topic) as queue, suppress(ConnectionError):
        await response.prepare(request)
        await response.write(b": open\n\n")
        while (chunk := await _next_chunk(queue)) is not None:
            await response.write(chunk)
    return response


async def _next_chunk(queue: asyncio.Queue[Item | None]) -> bytes | None:
    try:
        item = await asyncio.wait_for(queue.get(), _HEARTBEAT_SECONDS)
    except TimeoutError:
        return b": still here\n\n"
    if item is None:
        return None
    name, data = item
    return f"event: {name}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n".encode()
