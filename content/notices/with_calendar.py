"""Recurring notices whose words of each day stand in a calendar (文の暦)."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.notices import notice, trigger
from content.notices.states import NoticeState, TriggerState


async def recurring(connection: AsyncConnection) -> list[int]:
    """Ids of the recurring notices that go on and take the words of each day from a calendar."""
    ids = await connection.scalars(
        select(notice.c.id)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(
            notice.c.calendar != "",
            notice.c.state == NoticeState.APPROVED,
            trigger.c.rule.is_not(None),
            trigger.c.state == TriggerState.WAITING,
        )
    )
    return list(ids)


async def occurs_at(connection: AsyncConnection, notice_id: int) -> int | None:
    """Which time of its series a notice is for (ms); None for one that is for none."""
    at = await connection.scalar(select(notice.c.occurs_at).where(notice.c.id == notice_id))
    return None if at is None else int(at)
