"""Each day one line of the audit trail goes out of the house: to a file on another machine, to mailboxes, or both."""

from __future__ import annotations

from datetime import date

import structlog

from content.clock import today_jst
from content.staff import audit, audit_chain, audit_line
from content.staff.audit_chain import Head
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

KEPT = "audit.line_kept"


async def look(context: TownContext) -> bool:
    """Hand the line of today over, unless that was done; whether it was done now.

    Two processes may both do so: twice the same is no harm. A day on which it failed is tried again at the next look.
    """
    if context.keep_audit_line is None or context.database.stands_aside:
        return False
    now = context.database.now()
    today = today_jst(now)
    async with context.database.read() as connection:
        if await audit.entries(connection, subject_of(today), 1, action=KEPT):
            return False
    head = await newest_head(context)
    await context.keep_audit_line(str(audit_line.make(context.keys, context.town.code, today, head)))
    async with context.database.write() as connection:
        await audit.record(
            connection, at=now, actor="scheduler", action=KEPT, subject=subject_of(today), head=str(head)
        )
    log.info("audit_line_kept", day=today.isoformat(), head=str(head))
    return True


async def newest_head(context: TownContext) -> Head:
    """With everything linked that was written so far."""
    while await audit_chain.link_new(context.database, context.keys, look_back=None):
        pass
    return await context.database.read_step(audit_chain.newest)


def subject_of(day: date) -> str:
    return f"audit {day.isoformat()}"
