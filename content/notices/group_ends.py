"""Memberships that end by a date (卒園): only after the group has been sent a notice in the time before."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.notices.notices import notice, trigger
from content.notices.states import TargetKind, TriggerState
from content.register.memberships import ENDED, due_to_end, remove_member
from content.register.states import Route
from content.town import Mode

# So long before the end a notice to the group counts as having told of it.
TOLD_WITHIN = 60 * DAY


async def told_groups(connection: AsyncConnection, at: int) -> set[str]:
    """Those that a live notice went to lately."""
    rows = await connection.scalars(
        select(notice.c.target_key)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(
            notice.c.target_kind == TargetKind.GROUP,
            notice.c.mode == Mode.LIVE,
            trigger.c.state == TriggerState.FIRED,
            trigger.c.fired_at >= at - TOLD_WITHIN,
        )
        .distinct()
    )
    return {str(row) for row in rows}


async def end_memberships(connection: AsyncConnection, today: date, at: int) -> int:
    """End those whose last day is over and whose group has been told; how many."""
    due = await due_to_end(connection, today)
    told = await told_groups(connection, at) if due else set()
    return sum(
        [
            await remove_member(connection, group, number, reason=ENDED, route=Route.SERVICE, at=at)
            for group, number in due
            if group in told
        ]
    )
