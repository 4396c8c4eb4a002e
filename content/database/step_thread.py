"""A thread that runs whole transactions, one after the other, and never dies in silence.

Without it every step would wait for ever while the process looks alive. So when it cannot go on, as in a shortage
of memory, the process ends, and whoever supervises it starts it again: the ledger knows what is to be done.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from contextlib import suppress
from queue import SimpleQueue
from typing import Any, NoReturn, TypeVar

T = TypeVar("T")
# sysexits.h: EX_SOFTWARE.
BROKEN = 70


class StepThread:
    """`do(work)` runs `work` on the thread and returns what it returned."""

    def __init__(self, name: str) -> None:
        self._todo: SimpleQueue[tuple[Callable[[], Any], asyncio.Future[Any]] | None] = SimpleQueue()
        # Made now: later there may be no memory for it.
        self._last_words = f"kairanban: the thread {name} cannot go on, so this process ends\n".encode()
        self._closed = False
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    async def do(self, work: Callable[[], T]) -> T:
        if self._closed:
            raise RuntimeError("the database is closed")
        done: asyncio.Future[T] = asyncio.get_running_loop().create_future()
        self._todo.put((work, done))
        return await done

    def close(self) -> None:
        """Wait for what was asked for."""
        self._closed = True
        self._todo.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while (item := self._todo.get()) is not None:
                self._work(*item)
        except BaseException:
            end_process(self._last_words)

    def _work(self, work: Callable[[], Any], done: asyncio.Future[Any]) -> None:
        try:
            result = work()
        except BaseException as error:
            _tell(done, done.set_exception, error)
        else:
            _tell(done, done.set_result, result)


def end_process(last_words: bytes) -> NoReturn:
    """At once: what is left of the process may not work well enough for anything else."""
    with suppress(BaseException):
        os.write(2, last_words)
    os._exit(BROKEN)


def _tell(done: asyncio.Future[Any], tell: Callable[[Any], None], what: Any) -> None:
    loop = done.get_loop()
    try:
        loop.call_soon_threadsafe(_tell_unless_given_up, done, tell, what)
    except RuntimeError:
        # Nobody waits any more when the loop has ended.
        if not loop.is_closed():
            raise


def _tell_unless_given_up(done: asyncio.Future[Any], tell: Callable[[Any], None], what: Any) -> None:
    if not done.done():
        tell(what)
