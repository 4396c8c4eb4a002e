"""Which notices still ask a segment or a calendar: drafts, what is scheduled and what comes again."""

from __future__ import annotations

from sqlalchemy import ColumnElement, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import notices
from content.notices.notices import Notice, notice, trigger
from content.notices.states import NoticeState, TargetKind, TriggerState

MOST = 50


async def uses_of_segment(connection: AsyncConnection, key: str) -> list[Notice]:
    """The newest first."""
    named = (notice.c.target_kind == TargetKind.SEGMENT) & (notice.c.target_key == key)
    return await _open_notices(connection, named)


async def uses_of_calendar(connection: AsyncConnection, key: str) -> list[Notice]:
    """The newest first."""
    return await _open_notices(connection, notice.c.calendar == key)


async def _open_notices(connection: AsyncConnection, condition: ColumnElement[bool]) -> list[Notice]:
    ids = await connection.scalars(
        select(notice.c.id)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(
            condition,
            notice.c.state != NoticeState.CANCELLED,
            trigger.c.state.in_((TriggerState.WAITING, TriggerState.HELD)),
        )
        .order_by(notice.c.id.desc())
        .limit(MOST)
    )
    found = [await notices.get(connection, notice_id) for notice_id in list(ids)]
    return [item for item in found if item is not None]
