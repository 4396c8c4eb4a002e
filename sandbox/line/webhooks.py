"""Sends events to the bot server: queue, batches, redelivery, pause during an outage.

LINE documentation, messaging-api/receiving-messages and check-webhook-error-statistics.
"""

from __future__ import annotations

import asyncio
import copy
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Any

from sandbox.line.errors import Json
from sandbox.line.platform import Account, Platform
from sandbox.line.webhook_faults import EventFaults, post_faults
from sandbox.line.webhook_post import Poster, Result

_KEPT_ATTEMPTS = 2000
_MINUTE_MS = 60_000


@dataclass(slots=True)
class Queued:
    """An event waiting to be sent; `done` learns what the bot server answered."""

    event: Json
    done: asyncio.Future[Result] | None = None
    redeliver_after: bool = False


@dataclass(slots=True)
class Attempts:
    """The newest POSTs and the error statistics: failures per reason and minute."""

    newest: deque[Json] = field(default_factory=lambda: deque(maxlen=_KEPT_ATTEMPTS))
    errors: Counter[tuple[int, str]] = field(default_factory=Counter)

    def statistics(self) -> list[Json]:
        """Rows of minute (ms), reason and count, as LINE's console shows them."""
        rows = sorted(self.errors.items())
        return [{"minute": minute, "reason": reason, "count": count} for (minute, reason), count in rows]


class Dispatcher:
    """The worker of one channel. It starts with the first event."""

    def __init__(self, platform: Platform, account: Account) -> None:
        self._platform = platform
        self._account = account
        self._queue: asyncio.Queue[Queued] = asyncio.Queue()
        self._workers: list[asyncio.Task[Any]] = []
        self.attempts = Attempts()
        self.poster = Poster(platform, account)

    def emit(self, event: Json, *, wait: bool = False) -> asyncio.Future[Result] | None:
        """Queue an event, bent by the webhook faults. With `wait` returns a future of the answer.

        The future ends with status None when nothing was sent: no endpoint, or dropped by a fault.
        """
        done: asyncio.Future[Result] | None = asyncio.get_running_loop().create_future() if wait else None
        bent = EventFaults(self._platform, self._account, event)
        if bent.dropped or not self._deliverable():
            _settle(done, Result(None, "dropped" if bent.dropped else "no_endpoint", 0.0))
            return done
        first = Queued(bent.event, done, redeliver_after=bent.redeliver)
        self._put(first, bent.delay_seconds)
        for number in range(1, bent.copies + 1):
            self._put(Queued(copy.deepcopy(bent.event)), bent.delay_seconds + number * bent.gap_seconds)
        return done

    def stop(self) -> None:
        """Forget what waits and end the workers."""
        for worker in self._workers:
            worker.cancel()
        self._workers.clear()
        while not self._queue.empty():
            _settle(self._queue.get_nowait().done, Result(None, "stopped", 0.0))

    async def close(self) -> None:
        """Stop and let the connections go."""
        self.stop()
        await self.poster.close()

    @property
    def waiting(self) -> int:
        """Events that were not sent yet."""
        return self._queue.qsize()

    def _deliverable(self) -> bool:
        return self._account.webhook.url is not None and self._account.webhook.active

    def _put(self, queued: Queued, delay_seconds: float) -> None:
        if delay_seconds > 0:
            self._platform.spawn(self._put_later(queued, delay_seconds))
            return
        self._queue.put_nowait(queued)
        self._workers = [worker for worker in self._workers if not worker.done()]
        while len(self._workers) < self._platform.config["webhook.concurrency"]:
            self._workers.append(self._platform.spawn(self._work()))

    async def _put_later(self, queued: Queued, delay_seconds: float) -> None:
        await self._platform.clock.sleep(delay_seconds)
        self._put(queued, 0)

    async def _work(self) -> None:
        while True:
            batch = [await self._queue.get()]
            await self._platform.clock.sleep_until(self._platform.outage_until_ms)
            faults = post_faults(self._platform, self._account, batch[0].event)
            limit, linger = self._batch_size(faults)
            if linger and self._queue.qsize() < limit - 1:
                await asyncio.sleep(linger)
            while len(batch) < limit and not self._queue.empty():
                batch.append(self._queue.get_nowait())
            await self._deliver(batch, {action["type"] for action in faults})

    def _batch_size(self, faults: list[Json]) -> tuple[int, float]:
        for action in faults:
            if action["type"] == "batch":
                return int(action.get("n", 5)), float(action.get("lingerMs", 50)) / 1000
        fixed = self._platform.config["webhook.batch"]
        return (int(fixed) if fixed else self._platform.ids.random.randint(1, 5)), 0.0

    async def _deliver(self, batch: list[Queued], faults: set[str]) -> None:
        result = await self._post([queued.event for queued in batch], faults, attempt=1)
        for queued in batch:
            _settle(queued.done, result)
        again = [queued.event for queued in batch if queued.redeliver_after]
        if self._account.webhook.redelivery and not result.ok:
            self._platform.spawn(self._redeliver([queued.event for queued in batch]))
        elif again:
            self._platform.spawn(self._post_again(again, attempt=2))

    async def _redeliver(self, events: list[Json]) -> None:
        for attempt, seconds in enumerate(self._platform.config["webhook.intervals"], start=2):
            await self._platform.clock.sleep(seconds)
            if await self._post_again(events, attempt):
                return

    async def _post_again(self, events: list[Json], attempt: int) -> bool:
        marked = [{**event, "deliveryContext": {"isRedelivery": True}} for event in events]
        return (await self._post(marked, set(), attempt)).ok

    async def _post(self, events: list[Json], faults: set[str], attempt: int) -> Result:
        now = self._platform.clock.now_ms()
        for event in events:
            self._account.reply_tokens.dispatched(event.get("replyToken", ""), now)
        result = await self.poster.send(events, faults)
        self._note(events, faults, attempt, now, result)
        return result

    def _note(self, events: list[Json], faults: set[str], attempt: int, now: int, result: Result) -> None:
        entry: Json = {
            "at": now,
            "channel": self._account.channel_id,
            "url": self._account.webhook.url,
            "attempt": attempt,
            "status": result.status,
            "reason": result.reason,
            "ms": result.ms,
            "faults": sorted(faults),
            "events": events,
        }
        self.attempts.newest.append(entry)
        if not result.ok:
            self.attempts.errors[(now - now % _MINUTE_MS, result.reason)] += 1
        self._platform.feed.publish("", "webhook", entry)


def _settle(done: asyncio.Future[Result] | None, result: Result) -> None:
    if done is not None and not done.done():
        done.set_result(result)
