"""Every open state has an age limit and a sweep; and the nightly snapshot of counts."""

from __future__ import annotations

from datetime import timedelta

import structlog

from content import counts, inbox, leases
from content.clock import MINUTE, now_ms, today_jst
from scheduler.office import BUDGET, Office

log = structlog.get_logger(__name__)

# Longer than any wait before a retry, so that the sender decides first.
GRACE = 70 * MINUTE


async def sweep(office: Office) -> None:
    """Leases that ran out go back to the queue, with the same retry key; what nobody sends is closed.

    The sender itself closes what is past its budget; an account that has left the town profile has
    no sender any more.
    """
    now = now_ms()
    async with office.database.write() as connection:
        released = await leases.release_expired(connection, now)
        for lane, budget in BUDGET.items():
            before = now - budget - GRACE
            if closed := await leases.settle_overdue(connection, lane=lane, before=before, now=now):
                log.warning("batches_overdue", lane=lane, batches=closed)
    if released:
        office.database.wakeups.wake("batches")
        log.warning("leases_expired", batches=released)


async def forget_handled(office: Office) -> None:
    """The ids of handled events, kept to recognise late copies, are forgotten after two weeks."""
    async with office.database.write() as connection:
        await inbox.forget_old(connection, now_ms())


async def take_over(office: Office) -> None:
    """At the start of the only sender of a database: whoever held a batch before is gone."""
    async with office.database.write(wake="batches") as connection:
        released = await leases.release_all(connection, now_ms())
    if released:
        log.warning("batches_taken_over", batches=released)


async def snapshot_counts(office: Office) -> int:
    """Write down the counts of every day that has ended and has none yet; the number of days."""
    yesterday = today_jst() - timedelta(days=1)
    async with office.database.write() as connection:
        return await counts.take_snapshots(connection, up_to=yesterday, at=now_ms())
