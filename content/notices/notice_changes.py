"""What happens to a notice before it goes out: drafted, revised, approved, cancelled."""

from __future__ import annotations

import json

from sqlalchemy import and_, insert, select, true, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known
from content.notices import attachments, pictures, recurrence
from content.notices.attachments import Attachments
from content.notices.notices import NoticeSpec, get, notice, notice_version, trigger
from content.notices.recurrence import next_after
from content.notices.searching import normalise
from content.notices.states import NoticeKind, NoticeState, TriggerState


async def create(
    connection: AsyncConnection,
    spec: NoticeSpec,
    *,
    submission_key: str,
    staff: str,
    at: int,
    occurs_at: int | None = None,
) -> tuple[int, bool]:
    """Store a draft; its id, and False when the same form had been stored before. Raises MissingPicture.

    `occurs_at` is for the occurrence of a series: a second one for that time raises IntegrityError.
    """
    new_id = await connection.scalar(
        insert_unless_known(connection, notice)
        .values(
            submission_key=submission_key,
            state=NoticeState.DRAFT,
            created_by=staff,
            created_at=at,
            occurs_at=occurs_at,
            **_columns(spec),
        )
        .on_conflict_do_nothing(index_elements=["submission_key"])
        .returning(notice.c.id)
    )
    if new_id is None:
        known = await connection.scalar(select(notice.c.id).where(notice.c.submission_key == submission_key))
        assert known is not None
        return int(known), False
    await _add_version(connection, new_id, 1, spec.texts, spec.attached, staff, at)
    await connection.execute(
        insert(trigger).values(notice_id=new_id, state=TriggerState.WAITING, **_due_columns(spec))
    )
    return int(new_id), True


async def revise(
    connection: AsyncConnection,
    notice_id: int,
    spec: NoticeSpec,
    *,
    staff: str,
    at: int,
    version_id: int | None = None,
) -> bool:
    """Replace the words and choices of a draft by a new version; False when it is no draft any more. Raises MissingPicture.

    With `version_id` only that version: whoever saves must have seen the words that are replaced.
    """
    seen = select(notice_version.c.number).where(notice_version.c.id == version_id)
    changed = await connection.execute(
        update(notice)
        .where(notice.c.id == notice_id, notice.c.state == NoticeState.DRAFT)
        .where(notice.c.version == seen.scalar_subquery() if version_id is not None else true())
        .values(version=notice.c.version + 1, **_columns(spec))
    )
    if not changed.rowcount:
        return False
    number = await connection.scalar(select(notice.c.version).where(notice.c.id == notice_id))
    await _add_version(connection, notice_id, number or 1, spec.texts, spec.attached, staff, at)
    await connection.execute(
        update(trigger).where(trigger.c.notice_id == notice_id).values(**_due_columns(spec))
    )
    return True


async def approve(
    connection: AsyncConnection,
    notice_id: int,
    *,
    staff: str,
    at: int,
    version_id: int | None = None,
    wait: int = 0,
) -> bool:
    """draft → approved, due at its time, its first time or now; False when somebody was faster or it was
    cancelled. `wait` is how long one that goes out at once can still be taken back, in ms.

    With `version_id` only that version: whoever approves must have seen the words that go out.
    """
    seen = select(notice_version.c.number).where(notice_version.c.id == version_id)
    changed = await connection.execute(
        update(notice)
        .where(notice.c.id == notice_id, notice.c.state == NoticeState.DRAFT)
        .where(notice.c.version == seen.scalar_subquery() if version_id is not None else true())
        .values(state=NoticeState.APPROVED, approved_by=staff, approved_at=at)
    )
    if not changed.rowcount:
        return False
    found = await get(connection, notice_id)
    first = next_after(found.spec.rule, at) if found and found.spec.rule else None
    await connection.execute(
        update(trigger)
        .where(trigger.c.notice_id == notice_id, trigger.c.scheduled == 0)
        .values(due_at=first.due_at if first else at + wait)
    )
    return True


async def back_to_draft(connection: AsyncConnection, notice_id: int) -> bool:
    """approved → draft, to be changed and approved again; False once it has fired, or waits for a decision.

    Not for a series, an occurrence of one, or what corrects another: its approval has stopped that already.
    """
    bookable = and_(
        notice.c.id == notice_id,
        notice.c.state == NoticeState.APPROVED,
        notice.c.kind == NoticeKind.ORIGINAL,
        notice.c.series.is_(None),
    )
    # Locked first, as firing locks it: one of the two comes first, and the other then sees what it did.
    if await connection.scalar(select(notice.c.id).where(bookable).with_for_update()) is None:
        return False
    waiting = and_(
        trigger.c.notice_id == notice_id, trigger.c.state == TriggerState.WAITING, trigger.c.rule.is_(None)
    )
    changed = await connection.execute(update(trigger).where(waiting).values(released_at=None))
    if changed.rowcount:
        await connection.execute(
            update(notice)
            .where(notice.c.id == notice_id)
            .values(state=NoticeState.DRAFT, approved_by=None, approved_at=None)
        )
    return bool(changed.rowcount)


async def cancel(connection: AsyncConnection, notice_id: int) -> bool:
    """A draft, scheduled or held notice never goes out; False once it has fired."""
    # In the order in which firing locks, so that the two never wait for each other.
    await connection.execute(select(notice.c.id).where(notice.c.id == notice_id).with_for_update())
    changed = await connection.execute(
        update(trigger)
        .where(
            trigger.c.notice_id == notice_id, trigger.c.state.in_((TriggerState.WAITING, TriggerState.HELD))
        )
        .values(state=TriggerState.CANCELLED)
    )
    if changed.rowcount:
        await connection.execute(
            update(notice).where(notice.c.id == notice_id).values(state=NoticeState.CANCELLED)
        )
    return bool(changed.rowcount)


async def fill_words(
    connection: AsyncConnection, notice_id: int, texts: dict[str, tuple[str, str]], *, at: int
) -> None:
    """The words of an occurrence with its gaps filled from a calendar, before it fires: a version of its own."""
    before = await get(connection, notice_id)
    number = await connection.scalar(
        update(notice)
        .where(notice.c.id == notice_id)
        .values(version=notice.c.version + 1)
        .returning(notice.c.version)
    )
    attached = before.spec.attached if before else Attachments()
    await _add_version(connection, notice_id, number or 1, texts, attached, "scheduler", at)


def _columns(spec: NoticeSpec) -> dict[str, object]:
    return {
        "category": spec.category,
        "urgency": spec.urgency,
        "mode": spec.mode,
        "target_kind": spec.target.kind,
        "target_key": spec.target.key,
        "channels": ",".join(spec.channels),
        "kind": spec.kind,
        "corrects": spec.corrects,
        "series": spec.series,
        "calendar": spec.calendar,
    }


def _due_columns(spec: NoticeSpec) -> dict[str, object]:
    return {
        "due_at": spec.at or 0,
        "scheduled": int(spec.at is not None),
        "expires_at": spec.expires,
        "rule": json.dumps(recurrence.to_json(spec.rule)) if spec.rule else None,
    }


async def _add_version(
    connection: AsyncConnection,
    notice_id: int,
    number: int,
    words: dict[str, tuple[str, str]],
    attached: Attachments,
    staff: str,
    at: int,
) -> None:
    await pictures.use(connection, attached.names, at=at)
    texts = {key: {"title": title, "body": body} for key, (title, body) in words.items()}
    await connection.execute(
        insert(notice_version).values(
            notice_id=notice_id,
            number=number,
            texts=json.dumps(texts, ensure_ascii=False),
            attached=attachments.to_json(attached),
            searched=normalise("\n".join(part for texts_of in words.values() for part in texts_of)),
            created_by=staff,
            created_at=at,
        )
    )
