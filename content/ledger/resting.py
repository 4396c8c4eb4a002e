"""Routine batches that an outage has kept until the night: they wait for the morning too (おやすみ時間).

Whom a notice may wake is decided when it is planned. A batch of the day that is still not sent when the town's quiet
hours have begun would ring at night all the same, at the moment when LINE or the mail server comes back.
"""

from __future__ import annotations

from sqlalchemy import select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.ledger.deliveries import batch, delivery, get_delivery
from content.ledger.planning import heeds_quiet_hours
from content.ledger.states import BatchState, Lane
from content.notices import notices
from content.quiet_hours import began, end_of
from content.town import Town

# What is on its way when the quiet hours begin may come to its end.
GRACE = 10 * MINUTE


async def rest_late(connection: AsyncConnection, town: Town, now: int) -> int:
    """Batches that wait from now on for the end of the town's quiet hours; their number.

    Not those that were planned in these hours: they are for people who do not sleep then. Not what nobody would
    get in the morning any more, and not what may have been accepted: its end is to be known.
    """
    until, since = end_of(town.quiet_hours, now), began(town.quiet_hours, now)
    if not until or now < since + GRACE:
        return 0
    kept = (
        batch.c.state == BatchState.READY,
        batch.c.maybe_sent.is_(False),
        batch.c.lane.in_((Lane.ROUTINE, Lane.DIGEST)),
        batch.c.created_at < since,
        batch.c.not_before < until,
    )
    rows = (
        await connection.execute(
            select(batch.c.delivery_id, delivery.c.notice_id, delivery.c.send_until)
            .join(delivery, delivery.c.id == batch.c.delivery_id)
            .where(*kept)
            .distinct()
        )
    ).all()
    resting = 0
    for row in rows:
        notice = await notices.get(connection, row.notice_id)
        planned = await connection.run_sync(get_delivery, row.delivery_id)
        if notice is None or not heeds_quiet_hours(town, planned, notice):
            continue
        if row.send_until is not None and row.send_until <= until:
            continue
        changed = await connection.execute(
            update(batch)
            .where(batch.c.delivery_id == row.delivery_id, *kept)
            .values(not_before=until, created_at=until)
        )
        resting += changed.rowcount
    return resting
