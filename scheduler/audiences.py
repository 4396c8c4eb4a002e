"""Who is meant by a delivery and stands in none of its batches yet."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.ledger.deliveries import Delivery
from content.notices.notices import Notice
from content.notices.segments import audience
from content.register.subscribers import subscriber
from scheduler.town_context import TownContext


def not_planned_yet(context: TownContext, planned: Delivery, notice: Notice) -> ColumnElement[bool]:
    """The condition on `subscriber` rows. Raises NobodyMatches."""
    # The day of the firing decides ages, also when planning goes on after midnight.
    day = today_jst(notice.fired_at)
    return and_(
        subscriber.c.account == planned.account,
        audience(context.town, notice.spec.target, notice.spec.category, day),
        subscriber.c.id > planned.planned_up_to,
    )


async def count_not_planned(
    connection: AsyncConnection, context: TownContext, planned: Delivery, notice: Notice
) -> int:
    condition = not_planned_yet(context, planned, notice)
    return int(await connection.scalar(select(func.count()).select_from(subscriber).where(condition)) or 0)
