"""The sender on a fanned-out notice, from the first claim to the last settled batch."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from common import cpu_seconds
from sqlalchemy import func, select

from content.clock import SECOND
from content.ledger.deliveries import batch
from content.ledger.tallies import nothing_open
from scheduler import notice_service
from scheduler.sender import Sender
from scheduler.town_context import TownContext


@dataclass(frozen=True, slots=True)
class Sent:
    seconds: float
    cpu: float


async def send_all(context: TownContext, notice_id: int, recipients: int) -> Sent:
    """Ends the benchmark unless the ledger says that everyone's was accepted."""
    sender = Sender(context, "bench")
    cpu, begun = cpu_seconds(), time.time()
    sending = asyncio.create_task(sender.run())
    while True:
        # Asked rarely, as asking costs too; the ledger knows when the last one was settled.
        await asyncio.sleep(0.25)
        async with context.database.read() as connection:
            if await nothing_open(connection):
                ended = await connection.scalar(select(func.max(batch.c.settled_at)))
                break
    sent = Sent(ended / SECOND - begun, cpu_seconds() - cpu)
    await sender.stop(5)
    await sending
    status = await notice_service.status(context, notice_id)
    if status.accepted != recipients:
        raise SystemExit(f"the ledger says accepted {status.accepted} of {recipients}")
    return sent
