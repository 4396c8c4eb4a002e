"""Every open state has an age limit and a sweep; and the nightly snapshot of counts."""

from __future__ import annotations

from datetime import timedelta

import structlog

from content import counts, inbox, leases, presence, retention
from content.clock import MINUTE, now_ms, today_jst
from scheduler.holding import mark_held
from scheduler.office import BUDGET, Office

log = structlog.get_logger(__name__)

# Longer than any wait before a retry, so that the sender decides first.
GRACE = 70 * MINUTE


async def sweep(office: Office) -> None:
    """Leases that ran out go back to the queue, with the same retry key; what nobody sends is closed.

    The sender itself closes what is past its budget; an account that has left the town profile has
    no sender any more, so its deliveries are held until then.
    """
    now = now_ms()
    async with office.database.write() as connection:
        released = await leases.release_expired(connection, now)
        for lane, budget in BUDGET.items():
            before = now - budget - GRACE
            if closed := await leases.settle_overdue(connection, lane=lane, before=before, now=now):
                log.warning("batches_overdue", lane=lane, batches=closed)
        dead = await presence.forget_dead(connection, now)
    if released:
        office.database.wakeups.wake("batches")
        log.warning("leases_expired", batches=released)
    if dead:
        log.warning("senders_gone", senders=dead)
    await mark_held(office)


async def forget_times_ahead(office: Office, *, longest_wait: int = 0) -> None:
    """After the clock was set back: nothing waits for a time that comes once more.

    At a start nobody knows; then only what waits longer than it ever should.
    """
    async with office.database.write(wake="batches") as connection:
        changed = await leases.forget_times_ahead(
            connection, now_ms(), lease=MINUTE, longest_wait=longest_wait
        )
    if changed:
        log.warning("times_ahead_forgotten", batches=changed)


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


async def fold_old(office: Office) -> int:
    """Of deliveries past the time that recipients are kept only the figures stay; the number folded.

    Each is a transaction of its own, so nothing else waits for long and a crash loses nothing.
    """
    now = now_ms()
    async with office.database.read() as connection:
        old = await retention.deliveries_to_fold(connection, before=now - office.keep_recipients)
    folded = 0
    for delivery_id in old:
        async with office.database.write() as connection:
            folded += await retention.fold(connection, delivery_id, at=now)
    if folded:
        log.info("deliveries_folded", deliveries=folded)
    return folded


async def snapshot_counts(office: Office) -> int:
    """Write down the counts of every day that has ended and has none yet; the number of days."""
    yesterday = today_jst() - timedelta(days=1)
    async with office.database.write() as connection:
        return await counts.take_snapshots(connection, up_to=yesterday, at=now_ms())
