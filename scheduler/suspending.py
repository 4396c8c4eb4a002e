"""An account that left the town profile, or became another channel's, suspends its open deliveries.

Nothing is sent to it and nothing planned until it is back, within the budget of the lane; the page
says so, and a person may give up the rest.
"""

from __future__ import annotations

import structlog

from channels.channel import TemporaryFailure
from channels.reasons import Reason
from content.ledger import suspensions
from content.ledger.deliveries import Delivery
from content.staff import audit
from scheduler import permits
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

# Seconds until a batch of an account that is another channel's now is looked at again.
LOOK_AGAIN = 60.0


def is_lost(context: TownContext, account: str, channel: str) -> bool:
    """Whether the profile has no such account any more: its addresses mean nothing to another channel."""
    found = context.town.account.get(account)
    return found is None or found.channel != channel


def refuse_lost(context: TownContext, delivery: Delivery) -> None:
    """Raises TemporaryFailure when a batch was claimed for an account that is another channel's now."""
    if is_lost(context, delivery.account, delivery.channel):
        raise TemporaryFailure(Reason.ACCOUNT_GONE, "アカウントの配信手段が変わりました。", LOOK_AGAIN)


async def mark_suspended(context: TownContext) -> None:
    """Remember which open deliveries wait for their account, and since when; forget those that go on."""
    async with context.database.read() as connection:
        still_open = await suspensions.open_deliveries(connection)
        before = await suspensions.suspended(connection)
    lost = {
        delivery_id: account
        for delivery_id, account, channel in still_open
        if is_lost(context, account, channel)
    }
    new, back = lost.keys() - before, before - lost.keys()
    if not new and not back:
        return
    async with context.database.write(wake="planning") as connection:
        await suspensions.suspend(connection, new, at=context.database.now())
        await suspensions.resume(connection, back)
    for delivery_id in sorted(new):
        log.warning("delivery_suspended", delivery=delivery_id, account=lost[delivery_id])


async def give_up_rest(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """残りの配信をやめる: what is left of suspended deliveries is never sent; False when none is suspended."""
    now = context.database.now()
    async with context.database.write() as connection:
        await permits.require_send(connection, staff, notice_id)
        given_up = await suspensions.give_up(connection, notice_id, now=now)
        if given_up:
            await audit.record(
                connection, at=now, actor=staff, action="notice.given_up", subject=f"notice {notice_id}"
            )
    return bool(given_up)
