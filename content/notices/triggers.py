"""What is due: claiming a trigger, holding it for a person, and the next occurrence of a recurring notice.

A recurring notice is approved once. Whenever its time comes, a copy of it becomes a notice of its own,
already approved and due at that time, in the transaction that moves the series on to its next time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import takewhile
from uuid import uuid4

from sqlalchemy import case, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database.identity import NOT_HELD
from content.notices import notice_changes, recurrence
from content.notices.notices import Notice, notice, trigger
from content.notices.states import NoticeState, TriggerState


@dataclass(frozen=True, slots=True)
class NextOccurrence:
    """A series went on: the notice of this occurrence, the time it was due, and what was missed before."""

    notice_id: int
    due_at: int
    missed: tuple[int, ...]
    ended: bool


async def due(connection: AsyncConnection, now: int) -> list[int]:
    """Approved notices whose trigger waits and whose time has come, the most urgent first."""
    rows = await connection.scalars(
        select(notice.c.id)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(
            notice.c.state == NoticeState.APPROVED,
            trigger.c.state == TriggerState.WAITING,
            trigger.c.due_at <= now,
            NOT_HELD,
        )
        .order_by(notice.c.urgency.desc(), trigger.c.due_at, notice.c.id)
    )
    return [int(row) for row in rows]


async def lock_approved(connection: AsyncConnection, notice_id: int) -> bool:
    """Whether it is approved, and stays so until the transaction ends: nobody takes it back to a draft meanwhile."""
    approved = select(notice.c.id).where(notice.c.id == notice_id, notice.c.state == NoticeState.APPROVED)
    return await connection.scalar(approved.with_for_update()) is not None


async def fire(connection: AsyncConnection, notice_id: int, now: int) -> bool:
    """Claim the trigger of an approved notice: waiting → fired. Row count 1 wins, whoever else tries."""
    if not await lock_approved(connection, notice_id):
        return False
    changed = await connection.execute(
        update(trigger)
        .where(
            trigger.c.notice_id == notice_id,
            trigger.c.state == TriggerState.WAITING,
            trigger.c.rule.is_(None),
            NOT_HELD,
        )
        .values(state=TriggerState.FIRED, fired_at=now)
    )
    return bool(changed.rowcount)


async def hold(connection: AsyncConnection, notice_id: int, reason: str) -> bool:
    """Keep a notice that is due too late for a person to decide."""
    changed = await connection.execute(
        update(trigger)
        .where(
            trigger.c.notice_id == notice_id,
            trigger.c.state == TriggerState.WAITING,
            trigger.c.rule.is_(None),
        )
        .values(state=TriggerState.HELD, reason=reason)
    )
    return bool(changed.rowcount)


async def release(connection: AsyncConnection, notice_id: int, *, at: int) -> bool:
    """A person decided that a held notice goes out now after all, also when it has expired."""
    changed = await connection.execute(
        update(trigger)
        .where(trigger.c.notice_id == notice_id, trigger.c.state == TriggerState.HELD)
        .values(
            state=TriggerState.WAITING,
            due_at=at,
            released_at=at,
            reason="",
            expires_at=case((trigger.c.expires_at > at, trigger.c.expires_at)),
        )
    )
    return bool(changed.rowcount)


async def next_occurrence(connection: AsyncConnection, series: Notice, now: int) -> NextOccurrence | None:
    """Make the notice of the occurrence that is due and move the series on; None when another was faster.

    After a downtime over several occurrences only the newest becomes a notice.
    """
    rule, due_at = series.spec.rule, series.due_at
    assert rule is not None and due_at is not None and series.approved_by and series.approved_at is not None
    later = takewhile(lambda item: item.due_at <= now, recurrence.occurrences(rule, due_at))
    # The stored time counts also when the rule's days, such as a new public holiday, have changed since.
    *missed, newest = [due_at, *(item.due_at for item in later)]
    following = recurrence.next_after(rule, newest)
    moved_on = {"due_at": following.due_at} if following else {"state": TriggerState.FINISHED}
    changed = await connection.execute(
        update(trigger)
        .where(
            trigger.c.notice_id == series.id,
            trigger.c.state == TriggerState.WAITING,
            trigger.c.due_at == due_at,
        )
        .values(**moved_on)
    )
    if not changed.rowcount:
        return None
    notice_id, _ = await notice_changes.create(
        connection,
        replace(series.spec, rule=None, at=newest, expires=rule.ends_at, series=series.id),
        submission_key=str(uuid4()),
        # The database itself refuses a second notice of the same occurrence.
        occurs_at=newest,
        staff=series.created_by,
        at=now,
    )
    await notice_changes.approve(connection, notice_id, staff=series.approved_by, at=series.approved_at)
    return NextOccurrence(notice_id, newest, tuple(missed), following is None)


async def occurrences_of(connection: AsyncConnection, series_id: int, limit: int = 50) -> list[int]:
    """The notices that a recurring one has become so far, the newest first."""
    rows = await connection.scalars(
        select(notice.c.id).where(notice.c.series == series_id).order_by(notice.c.id.desc()).limit(limit)
    )
    return [int(row) for row in rows]
