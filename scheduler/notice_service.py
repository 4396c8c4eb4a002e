"""From the staff's words to an approved notice: check, store, approve, cancel, release, and its status.

Every refusal names the field and the remedy and changes nothing. The checks run when a draft is
stored and again when it is approved, since the town profile may have changed in between. Whether the one
who acts has the right to is asked within the transaction of the act (content.staff.members.NotAllowed).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices import maintenance, notice_changes, notices, pictures, submissions, triggers
from content.notices.notices import Notice, NoticeSpec
from content.notices.recent_notices import find_by_key
from content.notices.states import NoticeState, TriggerState
from content.staff import audit, members
from content.staff.rights import Permission
from scheduler import approval, permits
from scheduler.after_sending import refuse_impossible, stop_chain
from scheduler.checks import NoticeRefused, Problem, refuse_problems
from scheduler.examination import Examination, examine_notice, require_yes
from scheduler.holding import cannot_go
from scheduler.notice_status import Status, read_status
from scheduler.occurrence_words import fill_occurrence
from scheduler.town_context import TownContext

# Why somebody posts without a second person, when nothing else is said.
ALONE = "コマンドによる発信"
NO_PICTURE = "画像が見つかりません。「外す」を押して、もう一度足してください。"


async def post(
    context: TownContext,
    spec: NoticeSpec,
    *,
    submission_key: str,
    staff: str,
    accepted: Collection[str] = (),
    examined: Examination | None = None,
    reason: str = ALONE,
) -> int:
    """Store and approve in one step, for whoever does both: no draft is left behind when it breaks off.

    A notice that takes two people waits for the second one. The same key again is the same notice. `accepted` are the codes of findings that somebody said yes to;
    `examined` is what was found a moment ago. Raises NoticeRefused, or NoticeQuestioned for what lacks a yes.
    """
    async with context.database.read() as connection:
        known = await find_by_key(connection, submission_key)
    answered: list[str] = []
    if known is None:
        examined = examined or await examine_notice(context, spec, but_key=submission_key, to_show=False)
        answered = require_yes(examined, accepted)
    now = context.database.now()
    async with context.database.write(wake="triggers") as connection:
        return await post_within(
            context,
            connection,
            spec,
            submission_key=submission_key,
            staff=staff,
            answered=answered,
            reason=reason,
            now=now,
        )


async def post_within(
    context: TownContext,
    connection: AsyncConnection,
    spec: NoticeSpec,
    *,
    submission_key: str,
    staff: str,
    answered: Sequence[str],
    reason: str,
    now: int,
) -> int:
    """What `post` does once everything that was found has its yes, in a transaction of the caller's."""
    notice_id, _ = await _draft(connection, spec, submission_key, staff, now)
    if approval.needs_two(context.town, spec):
        await approval.submit_within(connection, notice_id, staff=staff, now=now)
    else:
        await _approve(context, connection, notice_id, staff, now, answered=answered, reason=reason)
    return notice_id


async def store(
    context: TownContext, spec: NoticeSpec, *, submission_key: str, staff: str
) -> tuple[int, bool]:
    """Store a draft; its id, and False when the same form had come before. Raises NoticeRefused."""
    refuse_problems(context, spec)
    now = context.database.now()
    async with context.database.write() as connection:
        return await _draft(connection, spec, submission_key, staff, now)


async def revise(
    context: TownContext, notice_id: int, spec: NoticeSpec, *, staff: str, version_id: int | None = None
) -> bool:
    """Replace a draft's words and choices; False when it is no draft any more. Raises NoticeRefused.

    With `version_id` (the version that was shown), also False when somebody has changed it since.
    """
    refuse_problems(context, spec)
    now = context.database.now()
    async with context.database.write() as connection:
        await permits.require(connection, staff, notice_id, Permission.WRITE)
        await members.require(connection, staff, Permission.WRITE, spec.category)
        await _refuse_missing(connection, spec)
        changed = await notice_changes.revise(
            connection, notice_id, spec, staff=staff, at=now, version_id=version_id
        )
        if changed:
            await approval.withdraw_within(connection, notice_id, staff=staff, now=now)
            await audit.record(
                connection, at=now, actor=staff, action="notice.revised", subject=f"notice {notice_id}"
            )
    return changed


async def approve(
    context: TownContext,
    notice_id: int,
    *,
    staff: str,
    version_id: int | None = None,
    accepted: Collection[str] = (),
    examined: Examination | None = None,
    reason: str = "",
    on_screen: bool = False,
) -> bool:
    """Let a draft go, at once or at its time; False when it was approved or cancelled before.

    With `version_id` (the version that was shown), also False when the words have changed since. `on_screen`:
    the town's time to take it back begins.

    `accepted` are the codes of findings that somebody said yes to; `examined` is what was found a moment ago.
    Raises NoticeRefused when the draft has become unusable, NoticeQuestioned when a finding lacks its yes,
    ApprovalRefused when one person is not enough or the reason is missing, LookupError when there is no such
    notice.
    """
    found = await find(context, notice_id)
    answered: list[str] = []
    if found.state == NoticeState.DRAFT:
        examined = examined or await examine_notice(context, found.spec, notice_id=notice_id, to_show=False)
        answered = require_yes(examined, accepted)
    now = context.database.now()
    async with context.database.write(wake="triggers") as connection:
        return await _approve(
            context, connection, notice_id, staff, now, version_id, answered, reason, on_screen
        )


async def cancel(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """A draft, scheduled or held notice never goes out; False once it has fired."""
    now = context.database.now()
    async with context.database.write() as connection:
        await permits.require(connection, staff, notice_id, Permission.WRITE)
        cancelled = await notice_changes.cancel(connection, notice_id)
        if cancelled:
            await approval.withdraw_within(connection, notice_id, staff=staff, now=now)
            await audit.record(
                connection, at=now, actor=staff, action="notice.cancelled", subject=f"notice {notice_id}"
            )
    return cancelled


async def take_back(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """下書きに戻す: a booked notice becomes a draft again, and takes its approval anew; False once it has fired."""
    now = context.database.now()
    async with context.database.write() as connection:
        await permits.require(connection, staff, notice_id, Permission.WRITE)
        taken_back = await notice_changes.back_to_draft(connection, notice_id)
        if taken_back:
            await submissions.forget_review(connection, notice_id)
            await audit.record(
                connection, at=now, actor=staff, action="notice.taken_back", subject=f"notice {notice_id}"
            )
    return taken_back


async def release(context: TownContext, notice_id: int, *, staff: str) -> bool:
    """A person lets a held notice go now after all; False when it is not held.

    Raises NoticeRefused when it would be held again, for a reason that nobody can overrule, and
    LookupError when there is no such notice.
    """
    now = context.database.now()
    async with context.database.write(wake="triggers") as connection:
        await permits.require_send(connection, staff, notice_id)
        found = await notices.get(connection, notice_id)
        if found is None:
            raise LookupError(f"no notice {notice_id}")
        if found.trigger_state == TriggerState.HELD:
            found = await fill_occurrence(connection, found, now)
            as_released = replace(found, released_at=now)
            reason = cannot_go(context, as_released, now, await maintenance.read(connection))
            if reason:
                raise NoticeRefused([Problem("target", reason)])
        released = await triggers.release(connection, notice_id, at=now)
        if released:
            await audit.record(
                connection, at=now, actor=staff, action="notice.released", subject=f"notice {notice_id}"
            )
    return released


async def find(context: TownContext, notice_id: int) -> Notice:
    """Raises LookupError when there is no such notice."""
    async with context.database.read() as connection:
        found = await notices.get(connection, notice_id)
    if found is None:
        raise LookupError(f"no notice {notice_id}")
    return found


async def status(context: TownContext, notice_id: int) -> Status:
    """Raises LookupError when there is no such notice."""
    return await read_status(context, notice_id)


async def _draft(
    connection: AsyncConnection, spec: NoticeSpec, submission_key: str, staff: str, now: int
) -> tuple[int, bool]:
    await members.require(connection, staff, Permission.WRITE, spec.category)
    await _refuse_missing(connection, spec)
    notice_id, created = await notice_changes.create(
        connection, spec, submission_key=submission_key, staff=staff, at=now
    )
    if created:
        await audit.record(
            connection, at=now, actor=staff, action="notice.drafted", subject=f"notice {notice_id}"
        )
    return notice_id, created


async def _refuse_missing(connection: AsyncConnection, spec: NoticeSpec) -> None:
    """Raises NoticeRefused: a picture that nobody used for days is gone."""
    if await pictures.missing(connection, spec.attached.names):
        raise NoticeRefused([Problem("pictures", NO_PICTURE)])


async def _approve(
    context: TownContext,
    connection: AsyncConnection,
    notice_id: int,
    staff: str,
    now: int,
    version_id: int | None = None,
    answered: Sequence[str] = (),
    reason: str = "",
    on_screen: bool = False,
) -> bool:
    await permits.require_send(connection, staff, notice_id)
    found = await notices.get(connection, notice_id)
    if found is None or (version_id is not None and found.version_id != version_id):
        return False
    await approval.refuse_alone(context, connection, found, staff=staff, reason=reason, now=now)
    corrected = await notices.get(connection, found.corrects) if found.corrects else None
    if corrected and found.approved_at is None:
        # What it speaks of may have been forgotten, or withdrawn by a colleague, since it was written.
        await refuse_impossible(context, connection, corrected, found.kind)
    wait = approval.undo_time(context.town, found.spec) if on_screen else 0
    approved = await notice_changes.approve(
        connection, notice_id, staff=staff, at=now, version_id=found.version_id, wait=wait
    )
    if approved and corrected:
        await stop_chain(connection, context, found, staff=staff, now=now)
    if approved:
        await approval.after_approval(context, connection, found, staff=staff, reason=reason, now=now)
        why = {"reason": reason.strip()} if approval.needs_reason(context.town, found.spec, now) else {}
        await audit.record(
            connection,
            at=now,
            actor=staff,
            action="notice.approved",
            subject=f"notice {notice_id}",
            urgency=found.spec.urgency,
            mode=found.spec.mode,
            target=found.spec.target.kind,
            accepted=list(answered),
            kind=found.spec.kind,
            **why,
        )
    return approved
