"""Making the notice of a trial, and finding those that tried a notice."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

from sqlalchemy import func, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import notice_changes
from content.notices.notices import Notice, NoticeSpec, notice, notice_version, select_notices
from content.notices.segments import Target
from content.notices.states import NoticeKind, TargetKind
from content.notices.trials import Trial, trial
from content.town import Mode

# A row that somebody reads without its trial leads nowhere.
NOWHERE = Target(TargetKind.SEGMENT, "")


def trial_spec(spec: NoticeSpec, about: Trial, *, channels: tuple[str, ...], until: int) -> NoticeSpec:
    """The same words as a test to staff, at once and until then at the latest, once."""
    return replace(
        spec,
        mode=Mode.TEST,
        target=Target(*about.target),
        channels=channels,
        at=None,
        expires=until,
        rule=None,
        series=None,
        calendar="",
        kind=NoticeKind.ORIGINAL,
        corrects=None,
        trial=about,
    )


async def create(connection: AsyncConnection, spec: NoticeSpec, *, staff: str, at: int, closed: bool) -> int:
    """The notice of a trial, approved and due now. `closed`: it has no public page."""
    about = spec.trial
    assert about is not None and spec.target.is_trial and spec.mode == Mode.TEST
    notice_id, _ = await notice_changes.create(
        connection, replace(spec, target=NOWHERE), submission_key=str(uuid4()), staff=staff, at=at
    )
    await connection.execute(
        insert(trial).values(
            notice_id=notice_id,
            kind=about.kind,
            staff_id=about.staff_id,
            version_id=about.version_id,
            language=about.language,
        )
    )
    await connection.execute(update(notice).where(notice.c.id == notice_id).values(closed=closed))
    await notice_changes.approve(connection, notice_id, staff=staff, at=at)
    return notice_id


async def trials_of(connection: AsyncConnection, notice_id: int, limit: int) -> list[Notice]:
    """The newest first: every notice that tried words of this one."""
    versions = select(notice_version.c.id).where(notice_version.c.notice_id == notice_id)
    tried = select(trial.c.notice_id).where(trial.c.version_id.in_(versions))
    return await select_notices(connection, notice.c.id.in_(tried), limit, with_trials=True)


async def tried_of(connection: AsyncConnection, found: Notice) -> int | None:
    """The number of the notice whose words a trial tries; None for any other notice."""
    version = found.spec.trial.version_id if found.spec.trial else None
    if version is None:
        return None
    number = await connection.scalar(select(notice_version.c.notice_id).where(notice_version.c.id == version))
    return None if number is None else int(number)


async def number_since(connection: AsyncConnection, staff_id: int, since: int) -> int:
    """How many trials this member has sent since then."""
    number = await connection.scalar(
        select(func.count())
        .select_from(trial)
        .join(notice, notice.c.id == trial.c.notice_id)
        .where(trial.c.staff_id == staff_id, notice.c.created_at > since)
    )
    return int(number or 0)
