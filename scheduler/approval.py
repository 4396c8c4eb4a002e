"""Who has to say yes to a notice: one person or two, by the town's rule for its category.

A routine notice of a category with `approval = "two"` goes out when somebody other than its writer approves
it. An urgent one goes out on one person's word, with the reason written down, and a second person looks at
it within the hour. A test goes to oneself and needs nobody.
"""

from __future__ import annotations

from datetime import time

from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import SECOND, to_jst
from content.notices import notices, submissions
from content.notices.notices import Notice, NoticeSpec
from content.notices.recurrence import holiday_name
from content.notices.states import NoticeKind, NoticeState
from content.notices.submissions import SubmissionState
from content.staff import audit, members
from content.staff.notes import NoteKind
from content.staff.rights import Permission
from content.town import Mode, Town, Urgency
from scheduler import notes, permits
from scheduler.town_context import TownContext

LONGEST_REMARK = 1000
# What stands in the field already: at three in the morning nobody has to think of it.
URGENT_REASON = "人の命や安全に関わり、二人目の確認を待てないため"


class ApprovalRefused(Exception):
    """It cannot go out like this; the message says what is missing. Nothing was changed."""


def needs_two(town: Town, spec: NoticeSpec) -> bool:
    """Whether somebody other than the writer has to approve it. What takes words back waits for nobody."""
    if spec.kind != NoticeKind.ORIGINAL:
        return False
    return _two(town, spec) and spec.urgency == Urgency.ROUTINE and spec.mode != Mode.TEST


def needs_review(town: Town, spec: NoticeSpec) -> bool:
    """Whether a second person looks at it after one sent it alone."""
    return _two(town, spec) and spec.urgency == Urgency.URGENT and spec.mode == Mode.LIVE


def out_of_hours(town: Town, spec: NoticeSpec, now: int) -> bool:
    """Whether a routine notice would go out while the town hall is closed."""
    hours = town.office_hours
    if hours is None or spec.urgency != Urgency.ROUTINE or spec.mode != Mode.LIVE or spec.rule:
        return False
    moment = to_jst(spec.at or now)
    closed = moment.weekday() >= 5 or bool(holiday_name(moment.date()))
    return closed or not time.fromisoformat(hours.opens) <= moment.time() < time.fromisoformat(hours.closes)


def needs_reason(town: Town, spec: NoticeSpec, now: int) -> bool:
    if spec.kind != NoticeKind.ORIGINAL:
        return False
    return needs_review(town, spec) or out_of_hours(town, spec, now)


def undo_time(town: Town, spec: NoticeSpec) -> int:
    """Milliseconds for which an approval on the screen can be taken back; 0 for what must not wait or has a time."""
    waits = spec.urgency == Urgency.ROUTINE and spec.kind == NoticeKind.ORIGINAL
    return town.undo_seconds * SECOND if waits and spec.at is None and spec.rule is None else 0


async def submit(context: TownContext, notice_id: int, *, staff: str, version_id: int) -> bool:
    """Ask a second person; False when it has changed, is no draft or waits already. Raises NotAllowed."""
    now = context.database.now()
    async with context.database.write() as connection:
        await permits.require(connection, staff, notice_id, Permission.WRITE)
        submitted = await submissions.submit(connection, notice_id, version_id, staff=staff, at=now)
        if submitted:
            await _submitted(connection, now, staff, notice_id)
    return submitted


async def submit_within(connection: AsyncConnection, notice_id: int, *, staff: str, now: int) -> None:
    """In the transaction that stored the draft."""
    found = await notices.get(connection, notice_id)
    if found and await submissions.submit(connection, notice_id, found.version_id, staff=staff, at=now):
        await _submitted(connection, now, staff, notice_id)


async def withdraw_within(connection: AsyncConnection, notice_id: int, *, staff: str, now: int) -> None:
    """In the transaction that changed or cancelled the notice: nobody approves what is not there any more."""
    await submissions.decide(connection, notice_id, SubmissionState.WITHDRAWN, staff=staff, at=now)


async def return_to_writer(
    context: TownContext, notice_id: int, *, staff: str, remark: str, version_id: int
) -> bool:
    """Not like this: back to the writer with a remark; False when it does not wait any more.

    Raises NotAllowed, and ApprovalRefused without a remark.
    """
    words = remark.strip()
    if not words or len(words) > LONGEST_REMARK:
        raise ApprovalRefused(f"差し戻す理由を、{LONGEST_REMARK}文字までで書いてください。")
    now = context.database.now()
    async with context.database.write() as connection:
        await permits.require_send(connection, staff, notice_id)
        returned = await submissions.decide(
            connection,
            notice_id,
            SubmissionState.RETURNED,
            staff=staff,
            at=now,
            remark=words,
            version_id=version_id,
        )
        if returned:
            await _record(connection, now, staff, "notice.returned", notice_id)
            await _tell_writers(connection, notice_id, NoteKind.RETURNED, staff, now)
    return returned


async def review(context: TownContext, notice_id: int, *, staff: str, remark: str) -> bool:
    """A second person has looked at what one sent alone; False when it is done or the sender himself asks.

    Raises NotAllowed and ApprovalRefused.
    """
    if len(remark.strip()) > LONGEST_REMARK:
        raise ApprovalRefused(f"気づいたことは、{LONGEST_REMARK}文字までで書いてください。")
    now = context.database.now()
    async with context.database.write() as connection:
        await require_reviewer(connection, staff, notice_id)
        done = await submissions.reviewed(connection, notice_id, staff=staff, remark=remark.strip(), at=now)
        if done:
            await _record(connection, now, staff, "notice.reviewed", notice_id)
    return done


async def require_reviewer(connection: AsyncConnection, staff: str, notice_id: int) -> None:
    """Whoever may let such a notice go, or approve, may also look at it. Raises NotAllowed."""
    found = await notices.get(connection, notice_id)
    if found is None:
        return
    try:
        await members.require(connection, staff, Permission.APPROVE, found.spec.category)
    except members.NotAllowed:
        await members.require(connection, staff, Permission.SEND_URGENT, found.spec.category)


async def refuse_alone(
    context: TownContext, connection: AsyncConnection, found: Notice, *, staff: str, reason: str, now: int
) -> None:
    """Within the transaction of the approval, before it: raises ApprovalRefused when one person is not enough."""
    if found.state != NoticeState.DRAFT:
        return
    town, spec = context.town, found.spec
    if needs_two(town, spec):
        latest = await submissions.latest(connection, found.id)
        if latest is None or latest.state != SubmissionState.WAITING or latest.version_id != found.version_id:
            raise ApprovalRefused(
                "このお知らせは、作った人とは別の人の承認が要ります。先に承認を依頼してください。"
            )
        if staff in (latest.submitted_by, await submissions.author_of(connection, found.version_id)):
            raise ApprovalRefused("自分が作った、または依頼したお知らせは、自分では承認できません。")
    if needs_reason(town, spec, now) and not reason.strip():
        raise ApprovalRefused("理由を書いてください。操作の記録に残ります。")
    if len(reason) > LONGEST_REMARK:
        raise ApprovalRefused(f"理由は、{LONGEST_REMARK}文字までで書いてください。")


async def after_approval(
    context: TownContext, connection: AsyncConnection, found: Notice, *, staff: str, reason: str, now: int
) -> None:
    """Within the transaction of the approval, after it: what waited is decided, a review is asked for."""
    if await submissions.decide(connection, found.id, SubmissionState.APPROVED, staff=staff, at=now):
        await notes.tell_writers(connection, found, NoteKind.APPROVED, staff, now)
    if needs_review(context.town, found.spec):
        await submissions.ask_for_review(connection, found.id, staff=staff, reason=reason.strip(), at=now)
        await notes.ask_reviewers(connection, found, staff, now)


def _two(town: Town, spec: NoticeSpec) -> bool:
    category = town.category.get(spec.category)
    return category is not None and category.approval == "two"


async def _submitted(connection: AsyncConnection, now: int, staff: str, notice_id: int) -> None:
    await _record(connection, now, staff, "notice.submitted", notice_id)
    found = await notices.get(connection, notice_id)
    assert found is not None
    await notes.ask_approvers(connection, found, staff, now)


async def _tell_writers(
    connection: AsyncConnection, notice_id: int, kind: NoteKind, staff: str, now: int
) -> None:
    found = await notices.get(connection, notice_id)
    assert found is not None
    await notes.tell_writers(connection, found, kind, staff, now)


async def _record(connection: AsyncConnection, now: int, staff: str, action: str, notice_id: int) -> None:
    await audit.record(connection, at=now, actor=staff, action=action, subject=f"notice {notice_id}")
