"""Accounts through which nothing goes out until a person acts, read from the ledger's rows.

Several processes send, so none of them is asked. What counts is the newest evidence: something that
the service accepted later says that the account works again.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import SECOND, from_datetime, to_jst
from content.ledger.deliveries import batch, delivery
from content.ledger.settling import LEFT_OVER, UNSETTLED
from content.ledger.states import DeliveryState

# Reasons of batches that wait for a person, not for time.
FOR_A_PERSON = ("authentication", "credentials")
# The senders try a stopped account again after so long, so a batch was refused this long before its next try.
TRIED_AGAIN_AFTER = 30 * SECOND


@dataclass(frozen=True, slots=True)
class AccountOutage:
    """`waiting` recipients go out by themselves once it is mended; those refused for quota do not."""

    account: str
    reason: str
    waiting: int


async def find_outages(connection: AsyncConnection, now: int) -> list[AccountOutage]:
    """At most one for an account, in the order of their keys."""
    found = {item.account: item for item in await _out_of_quota(connection, now)}
    found |= {item.account: item for item in await _waiting_for_a_person(connection)}
    return [found[account] for account in sorted(found)]


async def _waiting_for_a_person(connection: AsyncConnection) -> list[AccountOutage]:
    """Open batches whose last try was refused, unless the account has accepted anything since."""
    rows = await connection.execute(
        select(batch.c.account, func.max(batch.c.reason), func.max(batch.c.not_before))
        .where(UNSETTLED, batch.c.reason.in_(FOR_A_PERSON))
        .group_by(batch.c.account)
    )
    outages = []
    for account, reason, next_try in rows.all():
        accepted_at = await connection.scalar(
            select(func.max(batch.c.last_accepted_at)).where(batch.c.account == account)
        )
        if (accepted_at or 0) > next_try - TRIED_AGAIN_AFTER:
            continue
        waiting = await connection.scalar(
            select(func.sum(LEFT_OVER)).where(batch.c.account == account, UNSETTLED)
        )
        outages.append(AccountOutage(account, reason, int(waiting or 0)))
    return outages


async def _out_of_quota(connection: AsyncConnection, now: int) -> list[AccountOutage]:
    """Deliveries refused for this month's quota, unless a later one was accepted."""
    first_of_month = to_jst(now).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    rows = await connection.execute(
        select(delivery.c.account, func.max(delivery.c.id))
        .where(
            delivery.c.state == DeliveryState.STOPPED,
            delivery.c.reason == "quota",
            delivery.c.created_at >= from_datetime(first_of_month),
        )
        .group_by(delivery.c.account)
    )
    outages = []
    for account, newest in rows.all():
        later = (
            select(batch.c.id)
            .join(delivery, delivery.c.id == batch.c.delivery_id)
            .where(delivery.c.account == account, delivery.c.id > newest, batch.c.accepted > 0)
        )
        if await connection.scalar(later.limit(1)) is None:
            outages.append(AccountOutage(account, "quota", 0))
    return outages
