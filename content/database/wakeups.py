"""Wake-ups: hurry, not truth. Every loop also asks the database itself once a second.

Inside a process a topic sets the signals of its listeners; between processes on PostgreSQL the same
topics travel by NOTIFY (content/database/postgres_wakeups.py).
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakSet

CHANNEL = "kairanban"


class Signal(asyncio.Event):
    """One listener's own; a lost one only delays until the listener's poll."""

    async def wait_for(self, timeout: float) -> None:
        """Until it is set or `timeout` seconds have passed; leaves it cleared."""
        with suppress(TimeoutError):
            async with asyncio.timeout(timeout):
                await self.wait()
        self.clear()


class Wakeups:
    """Topics and who listens to them in this process."""

    def __init__(self) -> None:
        self._signals: dict[str, WeakSet[Signal]] = {}

    def listen(self, topic: str) -> Signal:
        """A signal of one's own; each listener is woken, whoever else was listening."""
        signal = Signal()
        self._signals.setdefault(topic, WeakSet()).add(signal)
        return signal

    def wake(self, topic: str) -> None:
        for signal in self._signals.get(topic, ()):
            signal.set()

    def wake_all(self) -> None:
        for topic in self._signals:
            self.wake(topic)
