"""Who is meant by a delivery and stands in none of its batches yet."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.database import all_rows, as_one_row
from content.ledger.deliveries import Delivery
from content.notices.notices import Notice
from content.notices.segments import audience
from content.register.subscribers import subscriber
from content.town import Town


async def count_not_planned(
    connection: AsyncConnection, town: Town, planned: Delivery, notice: Notice
) -> int:
    """Raises NobodyMatches."""
    condition = _not_planned_yet(town, planned, notice)
    return int(await connection.scalar(select(func.count()).select_from(subscriber).where(condition)) or 0)


async def next_people(
    connection: AsyncConnection, town: Town, planned: Delivery, notice: Notice, limit: int | None
) -> list[tuple[int, str]]:
    """(subscriber id, language) of the next of the audience, in the order of ids. Raises NobodyMatches.

    In one pass over all languages: with a pass for each, who changes the language between two slices
    would stand in two batches or in none.
    """
    statement = (
        select(subscriber.c.id, subscriber.c.language)
        .where(_not_planned_yet(town, planned, notice))
        .order_by(subscriber.c.id)
        .limit(limit)
    )
    people = await connection.run_sync(all_rows, as_one_row(connection.dialect.name, statement))
    return [(int(subscriber_id), str(language)) for subscriber_id, language in people]


def _not_planned_yet(town: Town, planned: Delivery, notice: Notice) -> ColumnElement[bool]:
    # The day of the firing decides ages, also when planning goes on after midnight.
    day = today_jst(notice.fired_at)
    return and_(
        subscriber.c.account == planned.account,
        audience(town, notice.aim, notice.spec.category, day),
        subscriber.c.id > planned.planned_up_to,
    )
