"""Figures for a monitoring system, in Prometheus' text format, at an address of their own.

Nothing personal is in them: keys of accounts, states, reasons and numbers. What stands in the database is asked
when somebody asks, so every process that is scraped tells the same of it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress

from aiohttp import web
from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Gauge,
    Histogram,
    Metric,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector

from bot.errors import Handler
from bot.ledger_metrics import families
from bot.operating_settings import host_and_port
from bot.service import Service

# Seconds; whoever asks more often gets the same answer.
ANSWER_HOLDS = 5.0
ANSWER_WITHIN = 5.0
LAST_ANSWERS = 0.5
LOOK_AT_THE_LOOP = 0.5
# Seconds, up to what LINE waits for and beyond.
ANSWER_TIMES = (0.01, 0.025, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
WEBHOOK = "/line/webhook"


class Told(Collector):
    """What was last heard of the database."""

    def __init__(self) -> None:
        self.families: list[Metric] = []

    def collect(self) -> Iterator[Metric]:
        yield from self.families


class Metrics:
    """One process: what it measures itself, and what it asks of the database."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._registry = CollectorRegistry()
        ProcessCollector(registry=self._registry)
        self._loop_lag = Gauge(
            "kairanban_loop_lag_seconds",
            "How late the event loop of this process was at the most in the last half second.",
            registry=self._registry,
        )
        self._webhook = Histogram(
            "kairanban_line_webhook_seconds",
            "Time until a webhook of LINE was stored and answered (LINE waits 2 s).",
            buckets=ANSWER_TIMES,
            registry=self._registry,
        )
        self._of_the_database = Told()
        self._registry.register(self._of_the_database)
        self._lock = asyncio.Lock()
        self._known_until = 0.0
        self._known = b""

    @web.middleware
    async def time_webhooks(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path != WEBHOOK:
            return await handler(request)
        with self._webhook.time():
            return await handler(request)

    async def answer(self, request: web.Request) -> web.Response:
        """503 while the database does not answer: a missing figure is better than an old one."""
        async with self._lock:
            if time.monotonic() >= self._known_until:
                try:
                    async with asyncio.timeout(ANSWER_WITHIN):
                        self._of_the_database.families = await families(self._service)
                except Exception:
                    return web.Response(status=503, text="database not reachable\n")
                self._known = generate_latest(self._registry)
                self._known_until = time.monotonic() + ANSWER_HOLDS
        return web.Response(body=self._known, headers={"Content-Type": CONTENT_TYPE_LATEST})

    async def watch_loop(self) -> None:
        """Until cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + LOOK_AT_THE_LOOP
            await asyncio.sleep(LOOK_AT_THE_LOOP)
            self._loop_lag.set(max(0.0, loop.time() - due))


@asynccontextmanager
async def measuring(metrics: Metrics | None, listen: str) -> AsyncIterator[None]:
    """`GET /metrics` at an address of its own, nothing without one. Raises OSError."""
    if metrics is None:
        yield
        return
    app = web.Application()
    app.router.add_get("/metrics", metrics.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=LAST_ANSWERS)
    await runner.setup()
    watching = asyncio.create_task(metrics.watch_loop())
    try:
        await web.TCPSite(runner, *host_and_port(listen)).start()
        yield
    finally:
        watching.cancel()
        with suppress(asyncio.CancelledError):
            await watching
        await runner.cleanup()
