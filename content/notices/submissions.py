"""What waits for a second person: notices submitted for approval, and urgent ones that somebody sent alone.

A submission holds for one version of a notice: changed words withdraw it. The notice itself stays a draft
until it is approved. A review is asked for after an urgent notice went out on the word of one person.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Row,
    Table,
    Text,
    and_,
    delete,
    insert,
    select,
    text,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR
from content.database import Id, insert_unless_known, metadata, one_of
from content.notices.notices import notice, notice_version
from content.notices.states import NoticeState

REVIEW_WITHIN = HOUR


class SubmissionState(StrEnum):
    """`withdrawn`: the words were changed, or the notice was cancelled, before anybody decided."""

    WAITING = "waiting"
    RETURNED = "returned"
    APPROVED = "approved"
    WITHDRAWN = "withdrawn"


submission = Table(
    "submission",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("version_id", Id, ForeignKey("notice_version.id"), nullable=False),
    Column("submitted_by", Text, nullable=False),
    Column("submitted_at", BigInteger, nullable=False),
    Column("state", Text, nullable=False),
    Column("decided_by", Text),
    Column("decided_at", BigInteger),
    Column("remark", Text, nullable=False, server_default=""),
    CheckConstraint(one_of("state", SubmissionState), name="state"),
    Index(None, "notice_id"),
    # Two who submit at once make one.
    Index(
        "uq_submission_waiting",
        "notice_id",
        unique=True,
        sqlite_where=text("state = 'waiting'"),
        postgresql_where=text("state = 'waiting'"),
    ),
)

review = Table(
    "review",
    metadata,
    Column("notice_id", Id, ForeignKey("notice.id"), primary_key=True, autoincrement=False),
    Column("sent_by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("due_at", BigInteger, nullable=False),
    Column("reviewed_by", Text),
    Column("reviewed_at", BigInteger),
    Column("remark", Text, nullable=False, server_default=""),
    Index(None, "reviewed_at"),
)


@dataclass(frozen=True, slots=True)
class Submission:
    notice_id: int
    version_id: int
    submitted_by: str
    submitted_at: int
    state: SubmissionState
    decided_by: str | None
    decided_at: int | None
    remark: str


@dataclass(frozen=True, slots=True)
class Review:
    """`due_at` is when a second person should have looked at the latest."""

    notice_id: int
    sent_by: str
    reason: str
    due_at: int
    reviewed_by: str | None
    reviewed_at: int | None
    remark: str


async def submit(
    connection: AsyncConnection, notice_id: int, version_id: int, *, staff: str, at: int
) -> bool:
    """Ask a second person for this version; False when it is no draft, has changed, or waits already."""
    current = await connection.scalar(
        select(notice_version.c.id)
        .join(
            notice,
            and_(notice.c.id == notice_version.c.notice_id, notice.c.version == notice_version.c.number),
        )
        .where(notice.c.id == notice_id, notice.c.state == NoticeState.DRAFT)
        .with_for_update()
    )
    if current != version_id:
        return False
    made = await connection.scalar(
        insert_unless_known(connection, submission)
        .values(
            notice_id=notice_id,
            version_id=version_id,
            submitted_by=staff,
            submitted_at=at,
            state=SubmissionState.WAITING,
        )
        .on_conflict_do_nothing()
        .returning(submission.c.id)
    )
    return made is not None


async def decide(
    connection: AsyncConnection,
    notice_id: int,
    state: SubmissionState,
    *,
    staff: str,
    at: int,
    remark: str = "",
    version_id: int | None = None,
) -> bool:
    """waiting → another state; False when nothing (or another version) waits: somebody was faster."""
    seen = submission.c.version_id == version_id if version_id is not None else submission.c.id > 0
    changed = await connection.execute(
        update(submission)
        .where(submission.c.notice_id == notice_id, submission.c.state == SubmissionState.WAITING, seen)
        .values(state=state, decided_by=staff, decided_at=at, remark=remark)
    )
    return bool(changed.rowcount)


async def latest(connection: AsyncConnection, notice_id: int) -> Submission | None:
    """The newest submission of a notice, whatever became of it."""
    row = (
        await connection.execute(
            select(submission)
            .where(submission.c.notice_id == notice_id)
            .order_by(submission.c.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return None if row is None else _submission(row)


async def waiting(connection: AsyncConnection) -> list[Submission]:
    """Everything that waits for approval, the oldest first."""
    rows = await connection.execute(
        select(submission).where(submission.c.state == SubmissionState.WAITING).order_by(submission.c.id)
    )
    return [_submission(row) for row in rows]


async def waiting_ids(connection: AsyncConnection, notice_ids: Iterable[int]) -> set[int]:
    """Which of these notices wait for approval."""
    found = await connection.scalars(
        select(submission.c.notice_id).where(
            submission.c.state == SubmissionState.WAITING, submission.c.notice_id.in_(list(notice_ids))
        )
    )
    return {int(row) for row in found}


async def author_of(connection: AsyncConnection, version_id: int) -> str | None:
    """Who wrote these words."""
    return await connection.scalar(
        select(notice_version.c.created_by).where(notice_version.c.id == version_id)
    )


async def ask_for_review(
    connection: AsyncConnection, notice_id: int, *, staff: str, reason: str, at: int
) -> None:
    """One person sent it: a second one looks at it within the hour."""
    await connection.execute(
        insert(review).values(notice_id=notice_id, sent_by=staff, reason=reason, due_at=at + REVIEW_WITHIN)
    )


async def forget_review(connection: AsyncConnection, notice_id: int) -> None:
    """It is no longer approved: whoever approves it next is looked at again."""
    await connection.execute(delete(review).where(review.c.notice_id == notice_id))


async def reviewed(connection: AsyncConnection, notice_id: int, *, staff: str, remark: str, at: int) -> bool:
    """A second person has looked; False when nobody asked, somebody was faster, or it is the sender."""
    changed = await connection.execute(
        update(review)
        .where(review.c.notice_id == notice_id, review.c.reviewed_at.is_(None), review.c.sent_by != staff)
        .values(reviewed_by=staff, reviewed_at=at, remark=remark)
    )
    return bool(changed.rowcount)


async def review_of(connection: AsyncConnection, notice_id: int) -> Review | None:
    row = (await connection.execute(select(review).where(review.c.notice_id == notice_id))).one_or_none()
    return None if row is None else _review(row)


async def open_reviews(connection: AsyncConnection) -> list[Review]:
    """What nobody else has looked at yet, the oldest first."""
    rows = await connection.execute(
        select(review).where(review.c.reviewed_at.is_(None)).order_by(review.c.due_at, review.c.notice_id)
    )
    return [_review(row) for row in rows]


def _submission(row: Row[Any]) -> Submission:
    return Submission(
        row.notice_id,
        row.version_id,
        row.submitted_by,
        row.submitted_at,
        SubmissionState(row.state),
        row.decided_by,
        row.decided_at,
        row.remark,
    )


def _review(row: Row[Any]) -> Review:
    return Review(
        row.notice_id, row.sent_by, row.reason, row.due_at, row.reviewed_by, row.reviewed_at, row.remark
    )
