"""Wake-ups between processes: what others NOTIFY on PostgreSQL. A lost connection only delays."""

from __future__ import annotations

import asyncio

import asyncpg
import structlog

from content.database.wakeups import CHANNEL, Wakeups

log = structlog.get_logger(__name__)

RECONNECT_AFTER = 2.0


async def hear_postgres(dsn: str, wakeups: Wakeups) -> None:
    """Pass on what other processes NOTIFY, until cancelled; connects again whenever the line breaks."""
    while True:
        try:
            await _hear(dsn, wakeups)
        except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            log.warning("wakeups_interrupted", error=type(error).__name__)
        await asyncio.sleep(RECONNECT_AFTER)


async def _hear(dsn: str, wakeups: Wakeups) -> None:
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
