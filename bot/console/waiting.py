"""承認待ち: what waits for me, what of mine waits for others, and what somebody sent alone."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import SEND, StaffRequest
from bot.console.words import category_words
from content.clock import now_ms
from content.notices import notices, submissions
from content.notices.notices import Notice
from content.notices.submissions import Review
from content.staff.members import Staff
from content.town import Town
from scheduler.permits import permission_to_send

NOTES = {
    "submitted": "承認を依頼しました。別の人が承認すると配信されます。",
    "not-submitted": "内容が変わったか、もう依頼されているため、依頼していません。お知らせを開いて確かめてください。",
    "returned": "差し戻しました。作った人の画面に、書いた理由が出ます。",
    "not-returned": "もう承認待ちではないため、何も変えていません。",
    "remark-missing": "差し戻す理由を、1000文字までで書いてください。まだ差し戻していません。",
    "remark-long": "気づいたことは、1000文字までで書いてください。まだ記録していません。",
    "reviewed": "確認したことを記録しました。",
    "not-reviewed": "確認は要らないか、もう済んでいるか、ご自分が送ったものです。何も変えていません。",
}


@dataclass(frozen=True, slots=True)
class WaitingItem:
    """One thing that waits. `late`: a second person should have looked by now."""

    notice_id: int
    title: str
    category: str
    urgency: str
    by: str
    since: int
    due_at: int | None = None
    late: bool = False
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Waiting:
    """For one member: to approve, to look at after it went out, and own ones at which others must look."""

    to_approve: tuple[WaitingItem, ...] = ()
    to_review: tuple[WaitingItem, ...] = ()
    of_mine: tuple[WaitingItem, ...] = ()

    @property
    def number(self) -> int:
        return len(self.to_approve) + len(self.to_review)


async def waiting_for(connection: AsyncConnection, town: Town, member: Staff, now: int) -> Waiting:
    """What waits for this member, for the home page and the list."""
    to_approve, of_mine, to_review = [], [], []
    for item in await submissions.waiting(connection):
        found = await notices.get(connection, item.notice_id)
        if found is None:
            continue
        row = _item(town, found, item.submitted_by, item.submitted_at)
        author = await submissions.author_of(connection, item.version_id)
        if member.login in (item.submitted_by, author):
            of_mine.append(row)
        elif member.may(permission_to_send(found.spec), found.spec.category):
            to_approve.append(row)
    for task in await submissions.open_reviews(connection):
        found = await notices.get(connection, task.notice_id)
        if found is None:
            continue
        row = _item(town, found, task.sent_by, found.approved_at or found.created_at, task, now)
        if task.sent_by == member.login:
            of_mine.append(row)
        elif member.may_any(SEND, found.spec.category):
            to_review.append(row)
    return Waiting(tuple(to_approve), tuple(to_review), tuple(of_mine))


async def show_waiting(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        found = await waiting_for(connection, staff_request.service.town, staff_request.staff, now_ms())
    note = NOTES.get(staff_request.request.query.get("note", ""), "")
    return staff_request.page("console/waiting.html", waiting=found, note=note)


def _item(
    town: Town, found: Notice, by: str, since: int, task: Review | None = None, now: int = 0
) -> WaitingItem:
    return WaitingItem(
        found.id,
        found.title,
        category_words(town, found.spec.category),
        found.spec.urgency,
        by,
        since,
        task.due_at if task else None,
        bool(task and task.due_at < now),
        task.reason if task else "",
    )
