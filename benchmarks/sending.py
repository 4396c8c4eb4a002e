"""The sender on a fanned-out notice, from the first claim to the last settled batch."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass

from common import cpu_seconds

from content.tallies import nothing_open
from scheduler import posting
from scheduler.office import Office
from scheduler.sender import Sender


@dataclass(frozen=True, slots=True)
class Sent:
    seconds: float
    cpu: float


async def send_all(office: Office, notice_id: int, recipients: int) -> Sent:
    """Ends the benchmark unless the ledger says that everyone's was accepted."""
    sender = Sender(office, "bench")
    cpu, begun = cpu_seconds(), time.perf_counter()
    sending = asyncio.create_task(sender.run())
    while True:
        async with office.database.read() as connection:
            if await nothing_open(connection):
                break
        await asyncio.sleep(0.1)
    sent = Sent(time.perf_counter() - begun, cpu_seconds() - cpu)
    await sender.stop(5)
    await sending
    status = await posting.status(office, notice_id)
    if status.accepted != recipients:
        raise SystemExit(f"the ledger says accepted {status.accepted} of {recipients}")
    return sent
