"""What is usual: how many a category's last notices went to, and how fast an account was."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.ledger.deliveries import batch, delivery
from content.ledger.states import DeliveryState
from content.notices.notices import notice
from content.notices.states import NoticeKind
from content.town import Mode

LAST = 20
# Too few to tell how fast it goes.
FAIR = 100


async def usual_sizes(connection: AsyncConnection, category: str) -> tuple[int, ...]:
    """Recipients of the last live notices of a category, the newest first, each over all its accounts."""
    last = (
        select(notice.c.id)
        .where(
            notice.c.category == category,
            notice.c.mode == Mode.LIVE,
            notice.c.kind == NoticeKind.ORIGINAL,
            select(delivery.c.id)
            .where(delivery.c.notice_id == notice.c.id, delivery.c.state == DeliveryState.PLANNED)
            .exists(),
        )
        .order_by(notice.c.id.desc())
        .limit(LAST)
        .subquery()
    )
    rows = await connection.execute(
        select(func.sum(delivery.c.planned))
        .join(last, last.c.id == delivery.c.notice_id)
        .group_by(delivery.c.notice_id)
        .order_by(delivery.c.notice_id.desc())
    )
    return tuple(int(size) for (size,) in rows)


async def last_pace(connection: AsyncConnection, account: str) -> float | None:
    """Recipients a second that the account took in the last fair-sized delivery; None when none is kept."""
    last = (
        select(delivery.c.id)
        .where(delivery.c.account == account, delivery.c.planned >= FAIR)
        .order_by(delivery.c.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    row = (
        await connection.execute(
            select(
                func.sum(batch.c.accepted),
                func.min(batch.c.first_accepted_at),
                func.max(batch.c.last_accepted_at),
            ).where(batch.c.delivery_id == last)
        )
    ).one()
    accepted, first, latest = row
    if not accepted or first is None or latest is None:
        return None
    return int(accepted) / max((int(latest) - int(first)) / 1000, 1.0)
