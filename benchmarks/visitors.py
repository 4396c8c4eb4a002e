"""Visitors who open one page: a process of its own that asks over connections that stay open.

`visitors.py URL CONNECTIONS SECONDS RATE`: RATE requests a second in all, each at its time whether the ones
before were answered or not; 0: each connection asks again as soon as it has its answer. Prints JSON: answers a
second, times in ms from the moment for which a request was meant, and answers that were not 200.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections import deque
from typing import cast
from urllib.parse import urlsplit

import uvloop

REQUEST = "GET {path} HTTP/1.1\r\nHost: {host}\r\nAccept-Encoding: gzip\r\nUser-Agent: Mozilla/5.0 (iPhone)\r\nAccept: text/html\r\nAccept-Language: ja\r\n\r\n"
END, LENGTH = b"\r\n\r\n", b"content-length: "


class Visitor(asyncio.Protocol):
    """One connection; `due` are the moments for which its unanswered requests were meant."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.due: deque[float] = deque()
        self.received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)

    def ask(self, due: float) -> None:
        self.due.append(due)
        # One at a time, as browsers do: the next goes out when this one is answered.
        if len(self.due) == 1:
            self.transport.write(self.crowd.request)

    def data_received(self, data: bytes) -> None:
        self.received += data
        head, found, rest = self.received.partition(END)
        if not found:
            return
        lower = head.lower()
        begin = lower.index(LENGTH) + len(LENGTH)
        length = int(lower[begin:].split(b"\r\n", 1)[0])
        if len(rest) < length:
            return
        self.received = rest[length:]
        took = time.perf_counter() - self.due.popleft()
        if self.due:
            self.transport.write(self.crowd.request)
        self.crowd.took(self, took, head.startswith(b"HTTP/1.1 200"))

    def connection_lost(self, exc: Exception | None) -> None:
        self.crowd.failed += len(self.due)


class Crowd:
    def __init__(self, request: bytes, rate: int, until: float) -> None:
        self.request = request
        self.rate = rate
        self.until = until
        self.times: list[float] = []
        self.failed = 0

    def took(self, visitor: Visitor, seconds: float, right: bool) -> None:
        self.times.append(seconds)
        self.failed += not right
        if not self.rate and time.perf_counter() < self.until:
            visitor.ask(time.perf_counter())


async def crowd(url: str, connections: int, seconds: float, rate: int) -> dict[str, float]:
    parts = urlsplit(url)
    host, port = str(parts.hostname), int(parts.port or 80)
    loop = asyncio.get_running_loop()
    request = REQUEST.format(path=parts.path, host=parts.netloc).encode()
    begun = time.perf_counter()
    one = Crowd(request, rate, begun + seconds)
    visitors = [
        (await loop.create_connection(lambda: Visitor(one), host, port))[1] for _ in range(connections)
    ]
    begun = time.perf_counter()
    one.until = begun + seconds
    asked = 0
    if not rate:
        for visitor in visitors:
            visitor.ask(time.perf_counter())
    while time.perf_counter() < one.until:
        for number in range(asked, int((time.perf_counter() - begun) * rate)):
            visitors[number % connections].ask(begun + number / rate)
            asked = number + 1
        await asyncio.sleep(0.002)
    async with asyncio.timeout(30):
        while any(visitor.due for visitor in visitors):
            await asyncio.sleep(0.002)
    took = time.perf_counter() - begun
    times = sorted(one.times)
    return {
        "per_second": len(times) / took,
        "median_ms": 1000 * times[len(times) // 2],
        "p99_ms": 1000 * times[int(len(times) * 0.99)],
        "failed": one.failed,
    }


if __name__ == "__main__":
    url, connections, seconds, rate = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(runner.run(crowd(url, int(connections), float(seconds), int(rate)))))
