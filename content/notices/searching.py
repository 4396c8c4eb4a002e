"""Finding notices: by their words, state, category, author, day and mode, a page at a time.

Words are compared as NFKC makes them, so that half and full width, large and small letters are the same.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from sqlalchemy import ColumnElement, and_, exists, func, select, true
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import notices
from content.notices.notices import Notice, notice, notice_version, trigger
from content.notices.states import NoticeState, TriggerState
from content.notices.trials import is_no_trial
from content.town import Mode

MOST_WORDS = 10
# The categories that somebody may see; None for all.
Seen = Collection[str] | None


class Phase(StrEnum):
    """What a list of notices can be narrowed to."""

    DRAFT = "draft"
    SCHEDULED = "scheduled"
    RECURRING = "recurring"
    HELD = "held"
    SENT = "sent"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Wanted:
    """Empty fields do not count. `since` is included, `before` (both ms) is not: when it went out, is due or was written."""

    words: str = ""
    phase: str = ""
    category: str = ""
    author: str = ""
    mode: str = ""
    urgency: str = ""
    since: int | None = None
    before: int | None = None

    def __bool__(self) -> bool:
        return self != Wanted()


def for_everybody(category: str = "") -> Wanted:
    """What public lists and feeds are made from; who makes one leaves out what `publicity.is_listed` does not let in."""
    return Wanted(phase=Phase.SENT, category=category, mode=Mode.LIVE)


def normalise(text: str) -> str:
    """As words are stored for the search, and as they are asked for."""
    return unicodedata.normalize("NFKC", text).casefold()


async def category_of(connection: AsyncConnection, notice_id: int) -> str | None:
    """None when there is no such notice."""
    return await connection.scalar(select(notice.c.category).where(notice.c.id == notice_id))


async def search(
    connection: AsyncConnection,
    wanted: Wanted,
    *,
    limit: int,
    older_than: int | None = None,
    seen: Seen = None,
) -> list[Notice]:
    """The newest first; `older_than` pages on from an id."""
    conditions = [*_conditions(wanted), _is_seen(seen)]
    if older_than is not None:
        conditions.append(notice.c.id < older_than)
    return await notices.select_notices(connection, and_(notice.c.id > 0, *conditions), limit)


async def count(connection: AsyncConnection, wanted: Wanted, seen: Seen = None) -> int:
    found = await connection.scalar(
        select(func.count())
        .select_from(notice)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(*_conditions(wanted), _is_seen(seen), is_no_trial(notice.c.id))
    )
    return int(found or 0)


async def authors(connection: AsyncConnection) -> list[str]:
    """Everybody who has written a notice."""
    return list(
        await connection.scalars(
            select(notice.c.created_by)
            .distinct()
            .where(is_no_trial(notice.c.id))
            .order_by(notice.c.created_by)
        )
    )


async def between(
    connection: AsyncConnection, since: int, before: int, seen: Seen = None, limit: int = 500
) -> list[Notice]:
    """What went out or is due in this time, and is not cancelled; drafts have no time yet."""
    return await notices.select_notices(
        connection,
        and_(
            notice.c.state == NoticeState.APPROVED,
            trigger.c.rule.is_(None),
            _moment() >= since,
            _moment() < before,
            _is_seen(seen),
        ),
        limit,
    )


async def running_series(connection: AsyncConnection, seen: Seen = None, limit: int = 200) -> list[Notice]:
    """Recurring notices that go on."""
    going_on = and_(*_phases()[Phase.RECURRING], _is_seen(seen))
    return await notices.select_notices(connection, going_on, limit)


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    found = [_has_word(word) for word in normalise(wanted.words).split()[:MOST_WORDS]]
    if wanted.phase:
        found += _phases().get(wanted.phase, [notice.c.id < 0])
    equal = (
        (notice.c.urgency, wanted.urgency),
        (notice.c.category, wanted.category),
        (notice.c.created_by, wanted.author),
        (notice.c.mode, wanted.mode),
    )
    found += [column == value for column, value in equal if value]
    if wanted.since is not None:
        found.append(_moment() >= wanted.since)
    if wanted.before is not None:
        found.append(_moment() < wanted.before)
    return found


def _is_seen(seen: Seen) -> ColumnElement[bool]:
    return true() if seen is None else notice.c.category.in_(list(seen))


def _has_word(word: str) -> ColumnElement[bool]:
    version = notice_version.alias()
    return exists().where(
        version.c.notice_id == notice.c.id,
        version.c.number == notice.c.version,
        version.c.searched.contains(word, autoescape=True),
    )


def _moment() -> ColumnElement[int]:
    """When it went out, else when it is due, else when it was written: as the list prints it."""
    return func.coalesce(trigger.c.fired_at, func.nullif(trigger.c.due_at, 0), notice.c.created_at)


def _phases() -> dict[str, list[ColumnElement[bool]]]:
    approved, waiting = notice.c.state == NoticeState.APPROVED, trigger.c.state == TriggerState.WAITING
    return {
        Phase.DRAFT: [notice.c.state == NoticeState.DRAFT],
        Phase.SCHEDULED: [approved, waiting, trigger.c.rule.is_(None)],
        Phase.RECURRING: [approved, waiting, trigger.c.rule.is_not(None)],
        Phase.HELD: [trigger.c.state == TriggerState.HELD],
        Phase.SENT: [trigger.c.state == TriggerState.FIRED],
        Phase.CANCELLED: [notice.c.state == NoticeState.CANCELLED],
    }
