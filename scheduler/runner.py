"""The embedded runner: triggers, fan-out, sender and sweeps as tasks of one process.

A distributed engine attaches here: it runs the same loops in several processes on PostgreSQL,
where claims skip locked rows and a trigger is claimed by whoever is first.
"""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import Awaitable, Callable

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger

from content.clock import JST
from content.wakeups import Signal
from scheduler.fanout import plan_next
from scheduler.office import Office
from scheduler.sender import Sender
from scheduler.sweeps import forget_handled, snapshot_counts, sweep, take_over
from scheduler.triggers import fire_due

log = structlog.get_logger(__name__)

POLL = 1.0
DRAIN = 10.0


class Runner:
    """`start` recovers what a dead process left behind and begins; `stop` drains."""

    def __init__(self, office: Office) -> None:
        self._office = office
        owner = f"{socket.gethostname()}:{os.getpid()}"
        self._sender = Sender(office, owner)
        self._clock = AsyncIOScheduler(timezone=JST)
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False

    async def start(self) -> None:
        database = self._office.database
        if database.is_sqlite:
            await take_over(self._office)
        await snapshot_counts(self._office)
        self._tasks = [
            asyncio.create_task(self._repeat("triggers", fire_due, database.listen("triggers"))),
            asyncio.create_task(self._repeat("fan-out", plan_next, database.listen("planning"))),
            asyncio.create_task(database.hear_others()),
            asyncio.create_task(self._sender.run()),
        ]
        # It only ticks: what is due is asked of the database, so a missed tick only delays.
        self._clock.add_job(sweep, IntervalTrigger(seconds=5), [self._office])
        self._clock.add_job(forget_handled, IntervalTrigger(hours=1), [self._office])
        self._clock.add_job(snapshot_counts, CronTrigger(hour=0, minute=5, timezone=JST), [self._office])
        self._clock.start()

    async def stop(self) -> None:
        if self._clock.running:
            self._clock.shutdown(wait=False)
        # The loops end behind the step they are at. Cancelling is for what does not end: a transaction
        # cancelled inside a SELECT would keep the lock of SQLite, and what is in hand could not settle.
        self._stopping = True
        for topic in ("triggers", "planning"):
            self._office.database.wakeups.wake(topic)
        await self._sender.stop(DRAIN)
        if self._tasks:
            await asyncio.wait(self._tasks[:2], timeout=DRAIN)
        for task in self._tasks[:-1]:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _repeat(self, name: str, step: Callable[[Office], Awaitable[int]], signal: Signal) -> None:
        """Do `step` until it finds nothing more, then wait for a signal or the poll."""
        while not self._stopping:
            try:
                while not self._stopping and await step(self._office):
                    pass
            except Exception:
                log.exception("step_failed", step=name)
                await asyncio.sleep(POLL)
            await signal.wait_for(POLL)
