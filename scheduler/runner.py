"""The runner: triggers, fan-out, sender and sweeps as tasks of one process.

On PostgreSQL any number of processes run the same loops: claims skip locked rows, and a trigger is
claimed by whoever is first.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from typing import Any
from uuid import uuid4

import structlog
from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.cron import CronTrigger
from apscheduler.triggers.interval import IntervalTrigger
from sqlalchemy.exc import DBAPIError

from content.clock import HOUR, JST
from content.database.wakeups import Signal
from content.register.mail_requests import LETTERS
from scheduler import audit_lines, monthly_mails, self_test
from scheduler.alarms import watch
from scheduler.clock_watch import ClockWatch, tick
from scheduler.fanout import plan_next
from scheduler.letters import send_letters
from scheduler.note_sending import send_notes
from scheduler.presence import Presence, tell_keys
from scheduler.probing import AccountProbes
from scheduler.rounds import Rounds
from scheduler.sender import Sender
from scheduler.suspending import mark_suspended
from scheduler.sweeps import (
    bind_seals,
    carry_choices_over,
    end_memberships,
    forget_handled,
    forget_pictures,
    forget_sources,
    forget_times_ahead,
    link_audit,
    snapshot_counts,
    summarise_old,
    sweep,
    take_over,
)
from scheduler.town_context import TownContext
from scheduler.triggers import fire_due

log = structlog.get_logger(__name__)

POLL = 1.0
SWEEP_EVERY = 3.0
# Seconds that what is in flight has to end when the process stops.
DRAIN = 3.0
# Seconds; what must go on sooner, the leases, has a loop of its own.
LONGEST_SWEEP = 300.0
WATCH_EVERY = 30.0
LOOK_EVERY = 60.0


class Runner:
    """`start` recovers what a dead process left behind and begins; `stop` drains."""

    def __init__(self, context: TownContext) -> None:
        self._context = context
        # In containers several processes may have the same name and number, and none may count as another.
        self._owner = f"{context.this_process.name}:{uuid4().hex[:6]}"
        self._rounds = Rounds()
        self._sender = Sender(context, self._owner, self._rounds)
        self._presence = Presence(context.database, self._owner, self._share_rates, context.keys)
        self._clock = AsyncIOScheduler(timezone=JST)
        self._tasks: list[asyncio.Task[None]] = []
        self._probes = AccountProbes()
        self._stop = asyncio.Event()

    async def start(self) -> None:
        database = self._context.database
        await database.ask_time()
        if database.is_sqlite:
            await take_over(self._context)
        else:
            await self._presence.start()
        await forget_times_ahead(self._context, longest_wait=HOUR)
        await mark_suspended(self._context)
        loops: dict[str, Coroutine[Any, Any, None]] = {
            "triggers": self._repeat("triggers", fire_due, database.listen("triggers")),
            "fan-out": self._repeat("fan-out", plan_next, database.listen("planning")),
            "audit": self._repeat("audit", link_audit, database.listen("audit")),
            "letters": self._repeat("letters", send_letters, database.listen(LETTERS)),
            "notes": self._repeat("notes", send_notes, database.listen("notes")),
            "exchanges": self._repeat("exchanges", _write_exchanges, database.listen("exchanges")),
            "sweeps": self._sweep_regularly(),
            "database": self._watch_database(),
            "alarms": self._watch_over(),
            **(
                {"keys": tell_keys(database, self._owner, self._context.keys, self._stop)}
                if database.is_sqlite
                else {"wake-ups": database.hear_others()}
            ),
            "sender": self._sender.run(),
        }
        self._tasks = [asyncio.create_task(loop, name=name) for name, loop in loops.items()]
        # It only ticks: what is due is asked of the database, so a missed tick only delays.
        self._clock.add_job(forget_handled, IntervalTrigger(hours=1), [self._context])
        self._clock.add_job(forget_pictures, IntervalTrigger(hours=1), [self._context])
        self._clock.add_job(end_memberships, IntervalTrigger(hours=1), [self._context])
        self._clock.add_job(carry_choices_over, args=[self._context])
        self._clock.add_job(carry_choices_over, IntervalTrigger(hours=1), [self._context])
        self._clock.add_job(bind_seals, args=[self._context])
        self._clock.add_job(forget_sources, IntervalTrigger(hours=1), [self._context])
        # At the start too, and often: what is in the book need not be folded when somebody looks.
        self._clock.add_job(self._keep_figures)
        self._clock.add_job(self._keep_figures, IntervalTrigger(minutes=5))
        # Once at the start too: a machine that is off at night would keep recipients for ever.
        self._clock.add_job(summarise_old, args=[self._context])
        self._clock.add_job(summarise_old, CronTrigger(hour=3, minute=30, timezone=JST), [self._context])
        self._clock.start()

    async def stop(self) -> None:
        if self._clock.running:
            self._clock.shutdown(wait=False)
        # The loops end behind the step they are at. Cancelling is for what does not end: a transaction
        # cancelled inside a SELECT would keep the lock of SQLite, and what is in flight could not settle.
        self._stop.set()
        for topic in ("triggers", "planning", "audit", "notes", "exchanges", LETTERS):
            self._context.database.wakeups.wake(topic)
        await asyncio.gather(self._sender.stop(DRAIN), self._let_end(DRAIN))
        # A sender that hangs too, or the process could never be stopped.
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with suppress(DBAPIError):
            await _write_exchanges(self._context)
        await self._presence.stop()

    async def _let_end(self, within: float) -> None:
        ending = [task for task in self._tasks if task.get_name() != "wake-ups"]
        if ending:
            await asyncio.wait(ending, timeout=within)

    def is_sending(self) -> bool:
        """Whether something is on its way out, or about to be."""
        return self._sender.is_sending

    def ended_loops(self) -> list[str]:
        """Loops that ended although nobody stopped them: none may, so the process can only be started anew."""
        if self._stop.is_set():
            return []
        return [task.get_name() for task in self._tasks if task.done()]

    def loop_troubles(self) -> list[str]:
        """In words: the loops that ended, and those that have not come round in time."""
        hanging = [] if self._stop.is_set() else self._rounds.late()
        return [*(f"{name} has ended" for name in self.ended_loops()), *(f"{name} hangs" for name in hanging)]

    def _share_rates(self, senders: int) -> None:
        """So many processes send, this one included: each has its part of every account's rate."""
        for limiter in self._sender.limiters.values():
            limiter.share(senders)

    async def _sweep_regularly(self) -> None:
        """By a clock of its own: a scheduler that goes by the wall's stops for as long as that is set back."""
        watch = ClockWatch(self._context)
        while await tick(SWEEP_EVERY, self._stop):
            # One that finishes the large import of a killed command takes its minutes.
            self._rounds.beat("sweeps", pause=LONGEST_SWEEP)
            try:
                await watch.look()
                # A process that stood still must not take its own batches for those of a dead one.
                await self._sender.renew_leases()
                if not self._context.database.stands_aside:
                    await sweep(self._context)
            except Exception:
                log.exception("sweep_failed")

    async def _keep_figures(self) -> None:
        # What a machine with a wrong clock would write down is a figure of the wrong day.
        if not self._context.database.stands_aside:
            await snapshot_counts(self._context)

    async def _watch_over(self) -> None:
        while await tick(LOOK_EVERY, self._stop):
            # Mail to operators has long timeouts.
            self._rounds.beat("alarms", pause=10 * LOOK_EVERY)
            try:
                await self_test.look(self._context)
            except Exception:
                log.exception("self_test_failed")
            try:
                await monthly_mails.look(self._context)
            except Exception:
                log.exception("monthly_reports_failed")
            try:
                await audit_lines.look(self._context)
            except Exception as error:
                # Not its words: they may name a mailbox.
                log.warning("audit_line_not_kept", error=type(error).__name__)
            try:
                await self._probes.look(self._context)
            except Exception:
                log.exception("probing_failed")
            try:
                await watch(self._context)
            except Exception:
                log.exception("watching_failed")

    async def _watch_database(self) -> None:
        while await tick(WATCH_EVERY, self._stop):
            try:
                await self._context.database.end_process_when_stuck()
            except Exception:
                log.exception("database_not_reachable")

    async def _repeat(self, name: str, step: Callable[[TownContext], Awaitable[int]], signal: Signal) -> None:
        """Do `step` until it finds nothing more, then wait for a signal or the poll."""
        while not self._stop.is_set():
            try:
                self._rounds.beat(name)
                while not self._stop.is_set() and await step(self._context):
                    self._rounds.beat(name)
            except Exception as error:
                self._context.this_process.notice(error)
                log.exception("step_failed", step=name)
                await asyncio.sleep(POLL)
            await signal.wait_for(POLL)


async def _write_exchanges(context: TownContext) -> int:
    return await context.exchanges.flush(context.database)
