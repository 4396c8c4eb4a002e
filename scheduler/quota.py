"""Whether an account's quota for this month is enough for a notice: it goes to everyone who is meant, or to nobody.

LINE counts a message for every person reached by push, multicast and broadcast, whatever the number of
bubbles (Messaging API, "Messaging API pricing"). Registrations are counted here, so a broadcast to friends
without one may need more than this says; LINE itself then refuses the one request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from channels.channel import ChannelError, MeteredSession, Quota
from content.ledger import deliveries, quota_reservations
from content.ledger.deliveries import Delivery
from content.ledger.planning import count_not_planned
from content.ledger.states import DeliveryState
from content.notices import notices
from content.notices.notices import Notice, NoticeSpec
from content.notices.segments import NobodyMatches
from scheduler.shortages import Shortage
from scheduler.town_context import LANES, TownContext, lane_of

log = structlog.get_logger(__name__)

# Seconds to wait for the answer. Without one a notice goes out unchecked: it is not kept back for a figure.
MAX_WAIT = 1.0


@dataclass(frozen=True, slots=True)
class Allowance:
    """What an account may still send this month, whether or not that is enough for a notice."""

    account: str
    limit: int
    left: int
    reserved: int
    needed: int

    @property
    def shortage(self) -> Shortage | None:
        enough = not self.needed or self.needed <= self.left - self.reserved
        return None if enough else Shortage(self.account, self.left, self.reserved, self.needed)


@dataclass(frozen=True, slots=True)
class Left:
    """What an account could still send when it was asked, of how much in the month."""

    messages: int
    asked_at: int
    limit: int = 0


async def ask(context: TownContext, account_key: str) -> Left | None:
    """None when the account has no limit, is not there or gave no answer. Never inside a transaction."""
    asked_at = context.database.now()
    found = await ask_figures(context, account_key)
    return None if found is None or found.left is None else Left(found.left, asked_at, found.limit or 0)


async def ask_figures(context: TownContext, account_key: str) -> Quota | None:
    """What the service says of this month; None when the account is not metered, not there or gave no answer."""
    account = context.town.account.get(account_key)
    if account is None:
        return None
    channel = context.channel_of(account)
    if not channel.metered:
        return None
    session = channel.open()
    if not isinstance(session, MeteredSession):
        raise TypeError(f"channel {channel.name} says that it is metered, and its session is not")
    try:
        async with asyncio.timeout(MAX_WAIT):
            return await session.quota()
    except Exception as error:
        # Whatever is wrong with the figure, a notice is not kept back for it.
        reason = error.reason if isinstance(error, ChannelError) else type(error).__name__
        log.warning("quota_unknown", account=account_key, reason=reason)
        return None
    finally:
        await session.close()


async def ask_for(context: TownContext, delivery_id: int) -> Left | None:
    """For a delivery whose planning has not begun; later it is decided."""
    async with context.database.read() as connection:
        planned = await connection.run_sync(deliveries.get_delivery, delivery_id)
    return await ask(context, planned.account) if is_undecided(planned) else None


def is_undecided(planned: Delivery) -> bool:
    return (
        planned.state == DeliveryState.PLANNING
        and not planned.reason
        and not (planned.batches or planned.planned_up_to)
    )


async def find_shortage(
    connection: AsyncConnection, context: TownContext, planned: Delivery, notice: Notice, left: Left
) -> Shortage | None:
    """Within the transaction that begins the planning, and under the lock of the account."""
    needed = await count_not_planned(connection, context.town, planned, notice)
    return await _shortage(connection, context, planned.account, planned.lane, needed, left, but=planned.id)


async def allowances(context: TownContext, spec: NoticeSpec, needed: Mapping[str, int]) -> list[Allowance]:
    """What the accounts with a limit may still send, for a notice to so many registrations that went out now."""
    lane = lane_of(spec)
    answers = await asyncio.gather(*(ask(context, account) for account in needed))
    found = []
    async with context.database.read() as connection:
        for account, left in zip(needed, answers, strict=True):
            if left is not None:
                found.append(await _allowance(connection, context, account, lane, needed[account], left))
    return found


async def foresee(context: TownContext, spec: NoticeSpec, needed: Mapping[str, int]) -> list[Shortage]:
    """Which accounts have too little quota for a notice to so many registrations, if it went out now."""
    wanted = {account: number for account, number in needed.items() if number}
    return [short for item in await allowances(context, spec, wanted) if (short := item.shortage)]


async def _shortage(
    connection: AsyncConnection,
    context: TownContext,
    account: str,
    lane: str,
    needed: int,
    left: Left,
    but: int = 0,
) -> Shortage | None:
    return (await _allowance(connection, context, account, lane, needed, left, but)).shortage


async def _allowance(
    connection: AsyncConnection,
    context: TownContext,
    account: str,
    lane: str,
    needed: int,
    left: Left,
    but: int = 0,
) -> Allowance:
    # What goes out behind this lane takes nothing from it: an urgent notice is not refused for a routine one.
    lanes = LANES[: LANES.index(lane) + 1]
    reserved = await quota_reservations.reserved(connection, account, lanes, but=but, asked_at=left.asked_at)
    for delivery_id in await quota_reservations.half_planned(connection, account, lanes, but=but):
        reserved += await _rest_of(connection, context, delivery_id)
    return Allowance(account, left.limit, left.messages, reserved, needed)


async def _rest_of(connection: AsyncConnection, context: TownContext, delivery_id: int) -> int:
    other = await connection.run_sync(deliveries.get_delivery, delivery_id)
    notice = await notices.get(connection, other.notice_id)
    try:
        return 0 if notice is None else await count_not_planned(connection, context.town, other, notice)
    except NobodyMatches:
        # It will be stopped where it is.
        return 0
