"""Wake-ups: hurry, not truth. Every loop also asks the database itself once a second.

Inside a process a topic sets the signals of its listeners; between processes on PostgreSQL the same
topics travel by NOTIFY, so that a lost connection only delays.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from weakref import WeakSet

import structlog

log = structlog.get_logger(__name__)

CHANNEL = "kairanban"
RECONNECT_AFTER = 2.0


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


async def hear_postgres(dsn: str, wakeups: Wakeups) -> None:
    """Pass on what other processes NOTIFY, until cancelled; connects again whenever the line breaks."""
    # On SQLite nobody needs the driver.
    import asyncpg

    while True:
        try:
            await _hear(dsn, wakeups)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("wakeups_interrupted", error=type(error).__name__)
        await asyncio.sleep(RECONNECT_AFTER)


async def _hear(dsn: str, wakeups: Wakeups) -> None:
    import asyncpg

    broken = asyncio.Event()
    connection = await asyncpg.connect(dsn, timeout=10)
    try:
        connection.add_termination_listener(lambda _: broken.set())
        await connection.add_listener(CHANNEL, lambda _c, _pid, _channel, topic: wakeups.wake(str(topic)))
        # Whatever was said while nobody listened.
        wakeups.wake_all()
        await broken.wait()
    finally:
        await connection.close(timeout=2)
