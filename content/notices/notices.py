"""Notices (お知らせ): what the town says. Versions, states, the chain of corrections, and when it is due.

draft → approved, and back until it fires; an approved text cannot change, after firing a change is a correction. `held` waits for a
person because it was due too long ago; `cancelled` never goes out. Whether an approved notice is
scheduled, going out or finished is derived from trigger and ledger, never stored. A notice with a
rule is the pattern of a series and never goes out itself, see content.notices.triggers.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
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
    false,
    select,
    true,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata, one_of
from content.database.identity import new_public_id
from content.notices import attachments, recurrence
from content.notices.attachments import Attachments
from content.notices.recurrence import RecurrenceRule
from content.notices.segments import Target
from content.notices.states import NoticeKind, NoticeState, TargetKind, TriggerState
from content.notices.trials import TRIAL_COLUMNS, Trial, trial, trial_in
from content.town import Mode, Urgency

notice = Table(
    "notice",
    metadata,
    Column("id", Id, primary_key=True),
    # In the address of its public page: random, so that nobody can count them up.
    Column(
        "public_id",
        Text,
        nullable=False,
        unique=True,
        index=True,
        default=new_public_id,
        server_default="",
    ),
    # One form, sent twice, is one notice. Occurrences of a series have a random one: no form can meet it.
    Column("submission_key", Text, nullable=False, unique=True),
    Column("state", Text, nullable=False),
    Column("kind", Text, nullable=False, server_default=NoticeKind.ORIGINAL),
    Column("corrects", Id, ForeignKey("notice.id")),
    Column("urgency", Text, nullable=False),
    Column("mode", Text, nullable=False),
    Column("category", Text, nullable=False),
    Column("target_kind", Text, nullable=False),
    Column("target_key", Text, nullable=False),
    # The rules of its segment as they were when it fired.
    Column("target_rules", Text),
    # The calendar from which an occurrence takes its words.
    Column("calendar", Text, nullable=False, server_default=""),
    Column("channels", Text, nullable=False),
    Column("version", Integer, nullable=False, server_default="1"),
    Column("created_by", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("approved_by", Text),
    Column("approved_at", BigInteger),
    # The recurring notice of which this is one occurrence.
    Column("series", Id, ForeignKey("notice.id"), index=True),
    # When this occurrence was due, so that none comes twice.
    Column("occurs_at", BigInteger),
    # For a closed circle alone, see content.notices.publicity.
    Column("closed", Boolean, nullable=False, server_default=false()),
    Index("uq_notice_series_occurs_at", "series", "occurs_at", unique=True),
    CheckConstraint(one_of("state", NoticeState), name="state"),
    CheckConstraint(one_of("kind", NoticeKind), name="kind"),
    CheckConstraint(one_of("urgency", Urgency), name="urgency"),
    CheckConstraint(one_of("mode", Mode), name="mode"),
    CheckConstraint(one_of("target_kind", TargetKind), name="target"),
)

notice_version = Table(
    "notice_version",
    metadata,
    Column("id", Id, primary_key=True),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("number", Integer, nullable=False),
    # {language: {"title": …, "body": …}}
    Column("texts", Text, nullable=False),
    # As content.notices.attachments writes them.
    Column("attached", Text, nullable=False, server_default=""),
    # Its words as content.notices.searching compares them.
    Column("searched", Text, nullable=False, server_default=""),
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
    # When a person let a held notice go after all.
    Column("released_at", BigInteger),
    CheckConstraint(one_of("state", TriggerState), name="state"),
    Index(None, "state", "due_at"),
)


@dataclass(frozen=True, slots=True)
class NoticeSpec:
    """What a person or a machine asks for; checked by the caller before it is stored.

    `texts` maps language to (title, body), at least "ja"; `at` is when it is due in ms, None for at once.
    With a `rule` it comes again and again, each time as a notice of its own whose `series` it is.
    From `expires` (ms) on it is not sent by itself, nor listed. `calendar` fills the gaps of an occurrence by its date.
    """

    category: str
    urgency: str
    texts: dict[str, tuple[str, str]]
    channels: tuple[str, ...]
    mode: str = Mode.LIVE
    target: Target = field(default_factory=Target)
    at: int | None = None
    expires: int | None = None
    rule: RecurrenceRule | None = None
    series: int | None = None
    calendar: str = ""
    kind: NoticeKind = NoticeKind.ORIGINAL
    corrects: int | None = None
    attached: Attachments = field(default_factory=Attachments)
    # With a target of trials alone.
    trial: Trial | None = None

    @property
    def asks_read(self) -> bool:
        """Whether readers are asked to say that they have read it: as chosen, else those of a group are."""
        chosen, to_group = self.attached.asks_read, self.target.kind == TargetKind.GROUP
        return (to_group if chosen is None else chosen) and self.kind != NoticeKind.WITHDRAWAL


@dataclass(frozen=True, slots=True)
class Notice:
    """One notice with its newest version and its trigger, as read from the rows."""

    id: int
    public_id: str
    state: NoticeState
    kind: NoticeKind
    corrects: int | None
    version_id: int
    spec: NoticeSpec
    created_by: str
    created_at: int
    approved_by: str | None
    approved_at: int | None
    trigger_state: TriggerState
    due_at: int | None
    fired_at: int | None
    held_reason: str
    closed: bool = False
    # When a person let it go after it was held.
    released_at: int | None = None
    target_rules: str | None = None

    @property
    def aim(self) -> Target:
        """Its target; once it has fired with the rules of that moment."""
        kind = self.spec.target.kind
        return Target(kind, self.target_rules) if self.target_rules is not None else self.spec.target

    @property
    def title(self) -> str:
        return self.spec.texts["ja"][0]

    @property
    def body(self) -> str:
        return self.spec.texts["ja"][1]


async def get(connection: AsyncConnection, notice_id: int) -> Notice | None:
    found = await select_notices(connection, notice.c.id == notice_id, limit=1, with_trials=True)
    return found[0] if found else None


async def find_public(connection: AsyncConnection, public_id: str) -> Notice | None:
    """The notice with this public address, whether it may be shown or not."""
    found = await select_notices(connection, notice.c.public_id == public_id, limit=1, with_trials=True)
    return found[0] if found else None


async def recent(
    connection: AsyncConnection,
    limit: int = 50,
    before: int | None = None,
    categories: Iterable[str] | None = None,
) -> list[Notice]:
    """The newest first; `before` pages on from an id. Only of these categories, None for all."""
    wanted = notice.c.id < before if before else notice.c.id > 0
    if categories is not None:
        wanted &= notice.c.category.in_(list(categories))
    return await select_notices(connection, wanted, limit=limit)


async def select_notices(
    connection: AsyncConnection, condition: ColumnElement[bool], limit: int, *, with_trials: bool = False
) -> list[Notice]:
    """Those for whose rows of `notice` and `trigger` the condition holds, the newest first; trials when asked for."""
    rows = await connection.execute(
        select(
            notice,
            notice_version.c.id.label("version_id"),
            notice_version.c.texts,
            notice_version.c.attached,
            trigger.c.due_at,
            trigger.c.scheduled,
            trigger.c.state.label("trigger_state"),
            trigger.c.reason,
            trigger.c.fired_at,
            trigger.c.rule,
            trigger.c.expires_at,
            trigger.c.released_at,
            *TRIAL_COLUMNS,
        )
        .join(
            notice_version,
            and_(notice_version.c.notice_id == notice.c.id, notice_version.c.number == notice.c.version),
        )
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .outerjoin(trial, trial.c.notice_id == notice.c.id)
        .where(condition, true() if with_trials else trial.c.notice_id.is_(None))
        .order_by(notice.c.id.desc())
        .limit(limit)
    )
    return [_notice(row) for row in rows]


def _notice(row: Row[Any]) -> Notice:
    texts = {key: (item["title"], item["body"]) for key, item in json.loads(row.texts).items()}
    about = trial_in(row)
    spec = NoticeSpec(
        category=row.category,
        urgency=row.urgency,
        texts=texts,
        channels=tuple(row.channels.split(",")),
        mode=row.mode,
        # The columns of a trial's own row match nobody.
        target=Target(*(about.target if about else (row.target_kind, row.target_key))),
        at=row.due_at if row.scheduled else None,
        expires=row.expires_at,
        rule=recurrence.from_json(json.loads(row.rule)) if row.rule else None,
        series=row.series,
        calendar=row.calendar,
        kind=NoticeKind(row.kind),
        corrects=row.corrects,
        attached=attachments.from_json(row.attached),
        trial=about,
    )
    return Notice(
        id=row.id,
        public_id=row.public_id,
        state=NoticeState(row.state),
        kind=NoticeKind(row.kind),
        corrects=row.corrects,
        version_id=row.version_id,
        spec=spec,
        created_by=row.created_by,
        created_at=row.created_at,
        approved_by=row.approved_by,
        approved_at=row.approved_at,
        trigger_state=TriggerState(row.trigger_state),
        due_at=row.due_at or None,
        fired_at=row.fired_at,
        held_reason=row.reason,
        closed=row.closed,
        released_at=row.released_at,
        target_rules=row.target_rules,
    )
