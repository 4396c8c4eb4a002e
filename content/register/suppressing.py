"""When an address gets no more mail, and when it does again (decision 015).

One failure says little: servers have bad days, and carriers answer a reader's own filter like an unknown user.
So failures count by the day, add up, and are forgotten when none follows for a month. A suppressed address stays
registered; only mail to it is left out, until its owner proves that mail arrives or staff let it go on.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete, func, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.database import insert_unless_known
from content.register.bounces import FORGOTTEN_AFTER, bounce, bounces_of, suppression
from content.register.registration_events import record_event
from content.register.states import BounceKind, EventKind, Route, SubscriberState
from content.register.subscribers import subscriber

# A day counts once, by the worst that happened on it. Enough after three days of "nobody there", five of what may be
# a filter, ten of full mailboxes, or a mixture of them.
POINTS = {BounceKind.HARD: 10, BounceKind.UNCLEAR: 6, BounceKind.SOFT: 3}
ENOUGH = 30
# The same for staff.
DAYS_IN_WORDS = "「アドレスがない」が3日、「宛先不明または受信拒否」が5日、「受信箱がいっぱい」が10日(いずれも別々の日)戻ってくると止めます。"
SUPPRESSED = "suppressed"
LIFTED = "suppression_lifted"
LONGEST_STATUS = 11


async def note_bounce(
    connection: AsyncConnection,
    subscriber_id: int,
    version_id: int,
    kind: BounceKind,
    *,
    status: str,
    at: int,
) -> bool:
    """Write down that a mail did not arrive; True when its address is suppressed from now on.

    The same mail a second time changes nothing, nor does one to a registration that has ended.
    """
    row = (
        await connection.execute(
            select(subscriber.c.account, subscriber.c.state)
            .where(subscriber.c.id == subscriber_id)
            .with_for_update()
        )
    ).one_or_none()
    if row is None or row.state != SubscriberState.ACTIVE:
        return False
    await _forget_stale(connection, subscriber_id, at)
    written = await connection.execute(
        insert_unless_known(connection, bounce)
        .values(
            subscriber_id=subscriber_id,
            version_id=version_id,
            kind=kind,
            status=status[:LONGEST_STATUS],
            at=at,
        )
        .on_conflict_do_nothing(index_elements=["subscriber_id", "version_id"])
    )
    if not written.rowcount or not await _is_enough(connection, subscriber_id, kind):
        return False
    begun = await connection.execute(
        insert_unless_known(connection, suppression)
        .values(subscriber_id=subscriber_id, account=row.account, kind=kind, since=at)
        .on_conflict_do_nothing(index_elements=["subscriber_id"])
    )
    if not begun.rowcount:
        return False
    await record_event(connection, subscriber_id, EventKind.CHANGED, SUPPRESSED, at, Route.SERVICE)
    return True


async def lift(connection: AsyncConnection, subscriber_id: int, *, route: Route, at: int) -> bool:
    """Send mail there again, and begin to count anew; False when it was not suppressed."""
    await connection.execute(
        update(bounce).where(bounce.c.subscriber_id == subscriber_id).values(counts=False)
    )
    account = await connection.scalar(
        delete(suppression)
        .where(suppression.c.subscriber_id == subscriber_id)
        .returning(suppression.c.account)
    )
    if account is None:
        return False
    await record_event(connection, subscriber_id, EventKind.CHANGED, LIFTED, at, route)
    return True


async def _forget_stale(connection: AsyncConnection, subscriber_id: int, at: int) -> None:
    last = await connection.scalar(
        select(func.max(bounce.c.at)).where(bounce.c.subscriber_id == subscriber_id)
    )
    if last is not None and last <= at - FORGOTTEN_AFTER:
        await connection.execute(delete(bounce).where(bounce.c.subscriber_id == subscriber_id))


async def _is_enough(connection: AsyncConnection, subscriber_id: int, kind: BounceKind) -> bool:
    if kind == BounceKind.COMPLAINT:
        return True
    worst: dict[date, int] = {}
    for row in (await bounces_of(connection, [subscriber_id])).get(subscriber_id, []):
        day = today_jst(row.at)
        worst[day] = max(worst.get(day, 0), POINTS.get(BounceKind(row.kind), 0))
    return sum(worst.values()) >= ENOUGH
