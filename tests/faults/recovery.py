"""How long what a killed process held stays in its dead hands: until the sweep or the new process frees it."""

from __future__ import annotations

import asyncio
import socket
import statistics
import time
from collections.abc import Iterable, Mapping, Sequence

from sqlalchemy import or_, select

from content.database import Database
from content.ledger.deliveries import batch
from content.ledger.states import BatchState

# Seconds; the waits that make it up are added in tests/scheduler/test_recovery_bound.py.
PROMISED = 30.0
# Past it somebody looks why: the books are compared all the same.
GIVE_UP = 120.0


async def held_by(database: Database, pids: Iterable[int]) -> dict[int, int]:
    """Batches that these processes of this machine hold: id and fence."""
    names = [batch.c.lease_owner.startswith(f"{socket.gethostname()}:{pid}:") for pid in pids]
    question = select(batch.c.id, batch.c.fence).where(batch.c.state == BatchState.CLAIMED, or_(*names))
    async with database.read() as connection:
        return {row.id: row.fence for row in await connection.execute(question)}


async def seconds_until_free(database: Database, held: Mapping[int, int], since: float) -> float:
    """Until somebody else may take the last of them; from `since` (monotonic) on."""
    question = select(batch.c.id, batch.c.fence).where(
        batch.c.id.in_(list(held)), batch.c.state == BatchState.CLAIMED
    )
    while (passed := time.monotonic() - since) < GIVE_UP:
        async with database.read() as connection:
            rows = list(await connection.execute(question))
        if not any(held[row.id] == row.fence for row in rows):
            break
        await asyncio.sleep(0.2)
    return passed


def summary(seconds: Sequence[float]) -> str:
    """min / median / max, as `make drill-faults` prints them."""
    if not seconds:
        return "nothing was held"
    return " / ".join(f"{value:.1f}" for value in (min(seconds), statistics.median(seconds), max(seconds)))
