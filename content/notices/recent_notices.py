"""What was approved a short time ago, for whoever is about to say it again; and what residents may look up."""

from __future__ import annotations

import json

from sqlalchemy import and_, case, func, or_, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.notices.checks.circumstances import SentBefore
from content.notices.notices import Notice, notice, notice_version, select_notices, trigger
from content.notices.publicity import is_listed
from content.notices.segments import Target
from content.notices.states import NoticeState, TriggerState
from content.notices.trials import is_no_trial
from content.town import Mode, Town

# More than a town says in a day; a runaway machine is stopped by its own limit.
MOST = 200


async def sent_before(
    connection: AsyncConnection, category: str, *, now: int, but_id: int = 0, but_key: str = ""
) -> list[SentBefore]:
    """Notices of the category that were approved within a day, the newest first, but this one itself."""
    rows = await connection.execute(
        select(notice, notice_version.c.texts)
        .join(
            notice_version,
            and_(notice_version.c.notice_id == notice.c.id, notice_version.c.number == notice.c.version),
        )
        .where(
            # By the primary key: a day holds the newest ids.
            notice.c.id > select(func.coalesce(func.max(notice.c.id), 0) - MOST).scalar_subquery(),
            notice.c.category == category,
            notice.c.state == NoticeState.APPROVED,
            notice.c.approved_at > now - DAY,
            notice.c.id != but_id,
            notice.c.submission_key != but_key,
            is_no_trial(notice.c.id),
        )
        .order_by(notice.c.id.desc())
    )
    found = []
    for row in rows:
        japanese = json.loads(row.texts)["ja"]
        found.append(
            SentBefore(
                notice_id=row.id,
                title=japanese["title"],
                body=japanese["body"],
                target=Target(row.target_kind, row.target_key),
                channels=tuple(row.channels.split(",")),
                mode=row.mode,
                at=row.approved_at,
                by=row.approved_by or row.created_by,
            )
        )
    return found


async def find_by_key(connection: AsyncConnection, submission_key: str) -> int | None:
    """The notice of this form when it was stored before."""
    found = await connection.scalar(select(notice.c.id).where(notice.c.submission_key == submission_key))
    return None if found is None else int(found)


async def listed(connection: AsyncConnection, town: Town, limit: int, now: int) -> list[Notice]:
    """Those that everybody may read and find, the newest first: live, out, not ended, and for no closed circle."""
    out = and_(
        notice.c.mode == Mode.LIVE,
        notice.c.closed.is_(False),
        trigger.c.state == TriggerState.FIRED,
        or_(trigger.c.expires_at.is_(None), trigger.c.expires_at > now),
    )
    found = await select_notices(connection, out, limit=limit)
    return [item for item in found if is_listed(town, item, now)]


async def last_change(connection: AsyncConnection, now: int) -> tuple[int, int, int]:
    """Differs when what everybody may read has changed: something went out, was corrected, or came to its end."""
    out = trigger.c.state == TriggerState.FIRED
    found = await connection.execute(
        select(
            func.count(),
            func.coalesce(func.max(trigger.c.fired_at), 0),
            func.coalesce(func.sum(case((trigger.c.expires_at <= now, 1), else_=0)), 0),
        ).where(out)
    )
    number, newest, ended = found.one()
    return int(number), int(newest), int(ended)
