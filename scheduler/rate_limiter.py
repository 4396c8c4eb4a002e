"""How fast one account may be used: a token bucket that learns from refusals and serves urgent batches first.

LINE limits each endpoint by a token bucket of its own: multicast 200 and push 2,000 requests a second,
broadcast 60 an hour; beyond that it answers 429 without saying for how long (Messaging API reference,
"Rate limits" and "Response headers"). So refusals that repeat lower the rate here, the more of the calls they are
up to the half of it, and time brings it back. A single one among answers that are good is the trouble of its batch.
"""

from __future__ import annotations

import asyncio
import math
from collections import Counter, deque
from typing import Literal

from scheduler.town_context import LANES

# Seconds' worth of permits that may go in one burst.
BURST = 0.1
# Permits that fall due within this time are given together: to wake up for each of them costs more than its work.
TICK = 0.05
# A service that refuses again and again is still asked at this part of the rate.
FLOOR = 1 / 20
# From nothing back to the whole rate.
RECOVERY = 60.0
# Refusals of calls that were in flight together are one lesson, not several.
LESSON = 1.0
# How long an answer counts, and which part of those answers must be refusals (and how many) to mean the account.
WINDOW = 5.0
STRAY = 1 / 20
REPEATED = 2
# From this part on, the wait that a refusal asks for is asked of everybody.
MOST = 1 / 2
# What a service asks for at the most: an urgent notice must not be kept back for an hour.
LONGEST_PAUSE = 300.0

Answer = Literal["accepted", "refused", "failed"]


class RateLimiter:
    """A permit lets one batch go. `rate` of them per second, None for no limit. One for all lanes of an account in this process."""

    def __init__(self, rate: float | None) -> None:
        self._limit = rate
        self._senders = 1
        # The part of the rate that the service was last found to bear, and from when it grows again.
        self._learned, self._grows_from = 1.0, -math.inf
        self._lesson_at = -math.inf
        # When a call ended, and how; none older than WINDOW.
        self._answers: deque[tuple[float, Answer]] = deque()
        # How many of each there are: a mail server that is fast gives thousands of answers in a window.
        self._numbers: Counter[Answer] = Counter()
        # Full at the first permit. Nothing flows in before `_filled_at`, which a pause moves ahead.
        self._tokens, self._filled_at = math.inf, -math.inf
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {lane: deque() for lane in LANES}
        self._timer: asyncio.TimerHandle | None = None

    async def acquire(self, lane: str) -> None:
        """Wait for a permit. While a lane before this one waits, this one gets none."""
        if self._first() is None and self._take():
            return
        waiter = asyncio.get_running_loop().create_future()
        self._waiting[lane].append(waiter)
        self._set_timer()
        try:
            await waiter
        except asyncio.CancelledError:
            if not waiter.cancelled():
                # This one had its permit already: the next in the queue takes it.
                self._tokens += 1
                self._reset_timer()
            raise

    def accepted(self) -> None:
        """The service took a call."""
        self._remember("accepted")

    def failed(self) -> None:
        """A call failed for another reason than the rate."""
        self._remember("failed")

    def refused(self, retry_after: float | None = None) -> None:
        """The service refused a call by rate. When it does so to most, nothing is asked of it for `retry_after` seconds."""
        self._remember("refused")
        refusals = self._numbers["refused"]
        part = refusals / len(self._answers)
        if refusals >= REPEATED and part > STRAY:
            self._slow_down(min(part, 1 / 2), (retry_after or 0.0) if part >= MOST else 0.0)

    def _slow_down(self, by: float, pause: float) -> None:
        now = _now()
        self._fill(now)
        self._tokens = 0.0
        self._filled_at = max(self._filled_at, now + min(pause, LONGEST_PAUSE))
        if now >= self._lesson_at + LESSON:
            self._learned, self._lesson_at = max(FLOOR, self._part(now) * (1 - by)), now
        self._grows_from = max(now, self._filled_at)
        self._reset_timer()

    def _remember(self, answer: Answer) -> None:
        self._answers.append((_now(), answer))
        self._numbers[answer] += 1
        self._forget_old()

    def _forget_old(self) -> None:
        oldest = _now() - WINDOW
        while self._answers and self._answers[0][0] < oldest:
            _, answer = self._answers.popleft()
            self._numbers[answer] -= 1

    def share(self, senders: int) -> None:
        """So many processes use the account: each takes its part of the rate."""
        self._fill(_now())
        self._senders = max(1, senders)
        self._reset_timer()

    @property
    def takes_most(self) -> bool:
        """Whether the service has lately taken most of what it was asked: who failed had bad luck."""
        self._forget_old()
        return self._numbers["accepted"] > len(self._answers) / 2

    @property
    def rate(self) -> float | None:
        """Permits per second as things stand."""
        return None if self._limit is None else self._limit / self._senders * self._part(_now())

    def _part(self, now: float) -> float:
        return min(1.0, self._learned + max(0.0, now - self._grows_from) / RECOVERY)

    def _take(self) -> bool:
        now = _now()
        self._fill(now)
        if now < self._filled_at:
            return False
        if self._limit is None:
            return True
        if self._tokens < 1 - 1e-9:
            return False
        self._tokens -= 1
        return True

    def _fill(self, now: float) -> None:
        if self._limit is None or now <= self._filled_at:
            return
        rate = self._limit / self._senders * self._part(now)
        flown_in = (now - self._filled_at) * rate
        self._tokens = min(max(1.0, rate * BURST), self._tokens + flown_in)
        self._filled_at = now

    def _first(self) -> deque[asyncio.Future[None]] | None:
        """The queue that gets the next permit; whoever has given up is taken out."""
        for queue in self._waiting.values():
            while queue and queue[0].done():
                queue.popleft()
            if queue:
                return queue
        return None

    def _serve(self) -> None:
        self._timer = None
        while (queue := self._first()) is not None and self._take():
            queue.popleft().set_result(None)
        self._set_timer()

    def _set_timer(self) -> None:
        if self._timer is None and self._first() is not None:
            self._timer = asyncio.get_running_loop().call_later(self._delay(), self._serve)

    def _reset_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            self._set_timer()

    def _delay(self) -> float:
        """Seconds until the next permit is due."""
        now = _now()
        self._fill(now)
        rate = self.rate
        missing = 0.0 if rate is None else max(0.0, 1 - self._tokens) / rate
        return max(TICK if missing else 0.0, max(0.0, self._filled_at - now) + missing)


def _now() -> float:
    return asyncio.get_running_loop().time()
