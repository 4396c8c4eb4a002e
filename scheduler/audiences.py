"""Who is meant by a delivery and stands in none of its batches yet."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.ledger import Delivery
from content.notices import Notice
from content.segments import audience
from content.subscribers import subscriber
from scheduler.office import Office


def not_planned_yet(office: Office, planned: Delivery, notice: Notice) -> ColumnElement[bool]:
    """The condition on `subscriber` rows. Raises NobodyMatches."""
    # The day of the firing decides ages, also when planning goes on after midnight.
    day = today_jst(notice.fired_at)
    return and_(
        subscriber.c.account == planned.account,
        audience(office.town, notice.draft.target, notice.draft.category, day),
        subscriber.c.id > planned.planned_up_to,
    )


async def count_not_planned(
    connection: AsyncConnection, office: Office, planned: Delivery, notice: Notice
) -> int:
    condition = not_planned_yet(office, planned, notice)
    return int(await connection.scalar(select(func.count()).select_from(subscriber).where(condition)) or 0)
