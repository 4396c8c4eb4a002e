"""A short queue before the slow hashing of passwords: who would wait long is told so at once.

Hashing has threads of its own, and they come after everything else: however many people sign in, alerts
go out. Known devices stand in front, and no single source can fill the queue.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar

THREADS = 2
# With 0.1 s a hash the last of them waits for less than a second.
MOST_WAITING = 12
MOST_OF_ONE = 4
LONGEST_WAIT = 4.0
# The sender's threads have 0; 10 gives these about a tenth of what those get when both want the processor.
NICENESS = 10

Result = TypeVar("Result")


class Busy(Exception):
    """The queue is full, or the wait became too long: try again in a moment."""


@dataclass(order=True, slots=True)
class _Place:
    after_known: bool
    number: int
    turn: asyncio.Future[None] = field(compare=False)


class HashingQueue:
    """`run` does slow work in a thread, in turn."""

    def __init__(self, longest_wait: float = LONGEST_WAIT) -> None:
        self._threads = ThreadPoolExecutor(THREADS, "password", initializer=_stand_back)
        self._longest_wait = longest_wait
        self._free = THREADS
        self._waiting: list[_Place] = []
        self._inside: dict[str, int] = {}
        self._numbers = count()

    async def run(self, work: Callable[[], Result], *, who: str, known: bool) -> Result:
        """What `work` returned. `who` shares MOST_OF_ONE places. Raises Busy."""
        if self._inside.get(who, 0) >= MOST_OF_ONE:
            raise Busy
        self._inside[who] = self._inside.get(who, 0) + 1
        try:
            await self._wait_for_turn(known)
            done = asyncio.get_running_loop().run_in_executor(self._threads, work)
            # A thread cannot be stopped: its place is free when it has ended, whoever still waits for it.
            done.add_done_callback(lambda _: self._next())
            return await asyncio.shield(done)
        finally:
            self._inside[who] -= 1
            if not self._inside[who]:
                del self._inside[who]

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def _wait_for_turn(self, known: bool) -> None:
        if self._free:
            self._free -= 1
            return
        self._make_room(known)
        place = _Place(not known, next(self._numbers), asyncio.get_running_loop().create_future())
        self._waiting.append(place)
        try:
            async with asyncio.timeout(self._longest_wait):
                await place.turn
        except BaseException as error:
            self._leave(place)
            if isinstance(error, TimeoutError):
                raise Busy from error
            raise

    def _make_room(self, known: bool) -> None:
        """A known device takes the place of the last stranger. Raises Busy."""
        if len(self._waiting) < MOST_WAITING:
            return
        last = max(self._waiting)
        if not known or not last.after_known:
            raise Busy
        self._waiting.remove(last)
        if not last.turn.done():
            last.turn.set_exception(Busy())

    def _leave(self, place: _Place) -> None:
        if place in self._waiting:
            self._waiting.remove(place)
        elif place.turn.done() and not place.turn.cancelled() and place.turn.exception() is None:
            # Its turn came in the moment that it gave up: the next one's then.
            self._next()

    def _next(self) -> None:
        # Who has given up in this moment is still in the list, and takes himself out of it.
        ready = [place for place in self._waiting if not place.turn.done()]
        if not ready:
            self._free += 1
            return
        place = min(ready)
        self._waiting.remove(place)
        place.turn.set_result(None)


def _stand_back() -> None:
    # Linux gives each thread a niceness of its own; elsewhere it stays as it is.
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICENESS)
