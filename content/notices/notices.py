"""Notices (お知らせ): what the town says. Versions, states, the chain of corrections, and when it is due.

draft → approved; from there its text cannot change, a change is a correction. `held` waits for a
person because it was due too long ago; `cancelled` never goes out. Whether an approved notice is
scheduled, going out or finished is derived from trigger and ledger, never stored. A notice with a
rule is the pattern of a series and never goes out itself, see content.series.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    Integer,
    Row,
    Table,
    Text,
    UniqueConstraint,
    and_,
    insert,
    select,
    true,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, insert_unless_known, metadata
from content.notices import recurrence
from content.notices.recurrence import RecurrenceRule, next_after
from content.notices.segments import Target

notice = Table(
    "notice",
    metadata,
    Column("id", Id, primary_key=True),
    # One form, sent twice, is one notice.
    Column("submission_key", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default="original"),
    Column("corrects", Id, ForeignKey("notice.id")),
    Column("urgency", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_key", Text, nullable=False),
    Column("channels", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", BigInteger),
    # The recurring notice of which this is one occurrence.
    Column("series", Id, ForeignKey("notice.id"), index=True),
    CheckConstraint("state IN ('draft', 'approved', 'cancelled')", name="state"),
    CheckConstraint("kind IN ('original', 'correction', 'withdrawal')", name="kind"),
    CheckConstraint("urgency IN ('urgent', 'routine')", name="urgency"),
    CheckConstraint("mode IN ('live', 'drill', 'test')", name="mode"),
    CheckConstraint("target_kind IN ('subscribed', 'segment', 'group', 'everyone')", name="target"),
)

notice_version = Table(
    "notice_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("number", Integer, nullable=False),
    # {language: {"title": …, "body": …}}
    Column("texts", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    UniqueConstraint("notice_id", "number"),
)

trigger = Table(
    "trigger",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False, unique=True),
    Column("due_at", BigInteger, nullable=False),
    Column("scheduled", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("reason", Text, nullable=False, server_default=""),
    Column("fired_at", BigInteger),
    # Of a recurring notice; its `due_at` is that of the next occurrence.
    Column("rule", Text),
    Column("expires_at", BigInteger),
    CheckConstraint("state IN ('waiting', 'fired', 'held', 'cancelled', 'finished')", name="state"),
    Index(None, "state", "due_at"),
)


@dataclass(frozen=True, slots=True)
class NoticeSpec:
    """What a person or a machine asks for; checked by the caller before it is stored.

    `texts` maps language to (title, body), at least "ja"; `at` is when it is due in ms, None for at once.
    With a `rule` it comes again and again, each time as a notice of its own whose `series` it is.
    From `expires` (ms) on it is not sent by itself.
    """

    category: str
    urgency: str
    texts: dict[str, tuple[str, str]]
    channels: tuple[str, ...]
    mode: str = "live"
    target: Target = field(default_factory=Target)
    at: int | None = None
    expires: int | None = None
    rule: RecurrenceRule | None = None
    series: int | None = None
    kind: str = "original"
    corrects: int | None = None


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice with its newest version and its trigger, as read from the rows."""

    id: int
    state: str
    kind: str
    corrects: int | None
    version_id: int
    spec: NoticeSpec
    created_by: str
    created_at: int
    approved_by: str | None
    approved_at: int | None
    trigger_state: str
    due_at: int | None
    fired_at: int | None
    held_reason: str

    @property
    def title(self) -> str:
        return self.spec.texts["ja"][0]

    @property
    def body(self) -> str:
        return self.spec.texts["ja"][1]

    @property
    def languages(self) -> tuple[str, ...]:
        return tuple(self.spec.texts)


async def create(
    connection: AsyncConnection, spec: NoticeSpec, *, submission_key: str, staff: str, at: int
) -> tuple[int, bool]:
    """Store a draft; its id, and False when the same form had been stored before."""
    new_id = await connection.scalar(
        insert_unless_known(connection, notice)
        .values(
            submission_key=submission_key,
            state="draft",
            created_by=staff,
            created_at=at,
            **_columns(spec),
        )
        .on_conflict_do_nothing(index_elements=["submission_key"])
        .returning(notice.c.id)
    )
    if new_id is None:
        known = await connection.scalar(select(notice.c.id).where(notice.c.submission_key == submission_key))
        assert known is not None
        return int(known), False
    await _add_version(connection, new_id, 1, spec, staff, at)
    await connection.execute(insert(trigger).values(notice_id=new_id, state="waiting", **_due_columns(spec)))
    return int(new_id), True


async def revise(
    connection: AsyncConnection, notice_id: int, spec: NoticeSpec, *, staff: str, at: int
) -> bool:
    """Replace the words and choices of a draft by a new version; False when it is no draft any more."""
    changed = await connection.execute(
        update(notice)
        .where(notice.c.id == notice_id, notice.c.state == "draft")
        .values(version=notice.c.version + 1, **_columns(spec))
    )
    if not changed.rowcount:
        return False
    number = await connection.scalar(select(notice.c.version).where(notice.c.id == notice_id))
    await _add_version(connection, notice_id, number or 1, spec, staff, at)
    await connection.execute(
        update(trigger).where(trigger.c.notice_id == notice_id).values(**_due_columns(spec))
    )
    return True


async def approve(
    connection: AsyncConnection, notice_id: int, *, staff: str, at: int, version_id: int | None = None
) -> bool:
    """draft → approved, due at its time, its first time or now; False when somebody was faster or it was
    cancelled.

    With `version_id` only that version: whoever approves must have seen the words that go out.
    """
    seen = select(notice_version.c.number).where(notice_version.c.id == version_id)
    changed = await connection.execute(
        update(notice)
        .where(notice.c.id == notice_id, notice.c.state == "draft")
        .where(notice.c.version == seen.scalar_subquery() if version_id is not None else true())
        .values(state="approved", approved_by=staff, approved_at=at)
    )
    if not changed.rowcount:
        return False
    found = await get(connection, notice_id)
    first = next_after(found.spec.rule, at) if found and found.spec.rule else None
    await connection.execute(
        update(trigger)
        .where(trigger.c.notice_id == notice_id, trigger.c.scheduled == 0)
        .values(due_at=first.due_at if first else at)
    )
    return True


async def cancel(connection: AsyncConnection, notice_id: int) -> bool:
    """A draft, scheduled or held notice never goes out; False once it has fired."""
    changed = await connection.execute(
        update(trigger)
        .where(trigger.c.notice_id == notice_id, trigger.c.state.in_(("waiting", "held")))
        .values(state="cancelled")
    )
    if changed.rowcount:
        await connection.execute(update(notice).where(notice.c.id == notice_id).values(state="cancelled"))
    return bool(changed.rowcount)


async def get(connection: AsyncConnection, notice_id: int) -> Notice | None:
    found = await _select(connection, notice.c.id == notice_id, limit=1)
    return found[0] if found else None


async def recent(connection: AsyncConnection, limit: int = 50, before: int | None = None) -> list[Notice]:
    """The newest first; `before` pages on from an id."""
    return await _select(connection, notice.c.id < before if before else notice.c.id > 0, limit=limit)


async def corrections_of(connection: AsyncConnection, notice_id: int) -> list[int]:
    """The notices that correct or withdraw this one, oldest first."""
    rows = await connection.scalars(
        select(notice.c.id).where(notice.c.corrects == notice_id).order_by(notice.c.id)
    )
    return [int(row) for row in rows]


async def _select(connection: AsyncConnection, condition: ColumnElement[bool], limit: int) -> list[Notice]:
    rows = await connection.execute(
        select(
            notice,
            notice_version.c.id.label("version_id"),
            notice_version.c.texts,
            trigger.c.due_at,
            trigger.c.scheduled,
            trigger.c.state.label("trigger_state"),
            trigger.c.reason,
            trigger.c.fired_at,
            trigger.c.rule,
            trigger.c.expires_at,
        )
        .join(
            notice_version,
            and_(notice_version.c.notice_id == notice.c.id, notice_version.c.number == notice.c.version),
        )
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(condition)
        .order_by(notice.c.id.desc())
        .limit(limit)
    )
    return [_notice(row) for row in rows]


def _notice(row: Row[Any]) -> Notice:
    texts = {key: (item["title"], item["body"]) for key, item in json.loads(row.texts).items()}
    spec = NoticeSpec(
        category=row.category,
        urgency=row.urgency,
        texts=texts,
        channels=tuple(row.channels.split(",")),
        mode=row.mode,
        target=Target(row.target_kind, row.target_key),
        at=row.due_at if row.scheduled else None,
        expires=row.expires_at,
        rule=recurrence.from_json(json.loads(row.rule)) if row.rule else None,
        series=row.series,
        kind=row.kind,
        corrects=row.corrects,
    )
    return Notice(
        id=row.id,
        state=row.state,
        kind=row.kind,
        corrects=row.corrects,
        version_id=row.version_id,
        spec=spec,
        created_by=row.created_by,
        created_at=row.created_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        trigger_state=row.trigger_state,
        due_at=row.due_at or None,
        fired_at=row.fired_at,
        held_reason=row.reason,
    )


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
    }


def _due_columns(spec: NoticeSpec) -> dict[str, object]:
    return {
        "due_at": spec.at or 0,
        "scheduled": int(spec.at is not None),
        "expires_at": spec.expires,
        "rule": json.dumps(recurrence.to_json(spec.rule)) if spec.rule else None,
    }


async def _add_version(
    connection: AsyncConnection, notice_id: int, number: int, spec: NoticeSpec, staff: str, at: int
) -> None:
    texts = {key: {"title": title, "body": body} for key, (title, body) in spec.texts.items()}
    await connection.execute(
        insert(notice_version).values(
            notice_id=notice_id,
            number=number,
            texts=json.dumps(texts, ensure_ascii=False),
            created_by=staff,
            created_at=at,
        )
    )
