"""Who still has to say yes to a draft, as its confirm page shows it, and the acts around that."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import partial

from aiohttp import web

from bot.console.access import StaffRequest
from bot.forms import read_fields
from bot.pages import redirect
from content.clock import now_ms
from content.notices import submissions
from content.notices.notices import Notice
from content.notices.states import TargetKind
from content.notices.submissions import Submission, SubmissionState
from content.staff.rights import Permission
from scheduler import approval, notice_service
from scheduler.approval import URGENT_REASON, ApprovalRefused
from scheduler.permits import permission_to_send


@dataclass(frozen=True, slots=True)
class Consent:
    """`why_not` says why this person cannot send it; empty when the form for sending is shown."""

    why_not: str
    submission: Submission | None
    may_submit: bool
    may_return: bool
    needs_reason: bool
    out_of_hours: bool
    reason: str

    @property
    def waits(self) -> bool:
        return self.submission is not None and self.submission.state == SubmissionState.WAITING

    @property
    def returned(self) -> bool:
        return self.submission is not None and self.submission.state == SubmissionState.RETURNED


async def consent_for(staff_request: StaffRequest, found: Notice) -> Consent:
    """What this member of staff may do with this draft."""
    town, member, spec = staff_request.service.town, staff_request.staff, found.spec
    async with staff_request.service.database.read() as connection:
        newest = await submissions.latest(connection, found.id)
        author = await submissions.author_of(connection, found.version_id)
    # What became of older words does not count for these.
    current = newest if newest and newest.version_id == found.version_id else None
    waits = current is not None and current.state == SubmissionState.WAITING
    is_own = member.login == author or (current is not None and member.login == current.submitted_by)
    has_right = member.may(permission_to_send(spec), spec.category)
    two = approval.needs_two(town, spec)
    if not has_right:
        what = "緊急発信" if permission_to_send(spec) == Permission.SEND_URGENT else "承認・配信"
        why_not = f"あなたには、この分野の「{what}」の権限がありません。"
    elif spec.target.kind == TargetKind.EVERYONE and not member.may(Permission.EVERYONE, spec.category):
        why_not = "あなたには「登録者全員への配信」の権限がありません。"
    elif two and (is_own or not waits):
        why_not = "この分野のお知らせは、作った人とは別の人が承認すると配信されます。"
    else:
        why_not = ""
    now = now_ms()
    late = approval.out_of_hours(town, spec, now)
    return Consent(
        why_not=why_not,
        submission=newest if newest and newest.state == SubmissionState.RETURNED else current,
        may_submit=bool(why_not) and not waits and member.may(Permission.WRITE, spec.category),
        may_return=waits and has_right and not is_own,
        needs_reason=approval.needs_reason(town, spec, now),
        out_of_hours=late,
        reason="" if late else URGENT_REASON,
    )


async def submit(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    await notice_service.find(staff_request.service.context, staff_request.notice_id)
    done = await approval.submit(
        staff_request.service.context,
        staff_request.notice_id,
        staff=staff_request.staff.login,
        version_id=_number(fields.get("version", "")),
    )
    return _back(staff_request, "submitted" if done else "not-submitted")


async def return_to_writer(staff_request: StaffRequest) -> web.Response:
    version = _number((await read_fields(staff_request.request)).get("version", ""))
    act = partial(approval.return_to_writer, version_id=version)
    return await _with_remark(staff_request, act, done="returned", wrong_remark="remark-missing")


async def review(staff_request: StaffRequest) -> web.Response:
    return await _with_remark(staff_request, approval.review, done="reviewed", wrong_remark="remark-long")


async def _with_remark(
    staff_request: StaffRequest, act: Callable[..., Awaitable[bool]], *, done: str, wrong_remark: str
) -> web.Response:
    """A decision about somebody else's notice, and back to what waits."""
    context, fields = staff_request.service.context, await read_fields(staff_request.request)
    await notice_service.find(context, staff_request.notice_id)
    try:
        decided = await act(
            context,
            staff_request.notice_id,
            staff=staff_request.staff.login,
            remark=fields.get("remark", ""),
        )
    except ApprovalRefused:
        return _back(staff_request, wrong_remark)
    return _back(staff_request, done if decided else f"not-{done}")


def _back(staff_request: StaffRequest, note: str) -> web.Response:
    return redirect(f"/console/waiting?note={note}")


def _number(typed: str) -> int:
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
