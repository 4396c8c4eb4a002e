"""Cancelling what has not gone out, or taking a booking back to a draft: asked once.

Afterwards the page of a cancelled notice says who did what and when.
"""

from __future__ import annotations

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.audit_words import WORDS
from bot.console.access import StaffRequest
from bot.console.staff_words import actor_words
from bot.console.words import category_words, mode_words
from bot.pages import redirect
from content.notices.states import NoticeKind
from content.staff import audit
from scheduler import notice_service
from scheduler.notice_status import Status

CAN_BE_CANCELLED = ("draft", "scheduled", "held")


async def show_cancel(staff_request: StaffRequest) -> web.Response:
    """Asks once. A series has its own page, since other dates are lost with it."""
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    found = status.notice
    if status.state == "recurring":
        return redirect(f"/console/notices/{found.id}/stop")
    if status.state not in CAN_BE_CANCELLED:
        return redirect(f"/console/notices/{found.id}?note=not-cancelled")
    town, spec = staff_request.service.town, found.spec
    return staff_request.page(
        "console/cancel.html",
        notice=found,
        state=status.state,
        target=spec.target.describe(town, spec.category),
        category=category_words(town, spec.category),
        mode=mode_words(spec.mode),
    )


async def cancel(staff_request: StaffRequest) -> web.Response:
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    cancelled = await notice_service.cancel(
        staff_request.service.context, staff_request.notice_id, staff=staff_request.staff.login
    )
    if found.spec.rule and found.approved_by:
        note = "stopped" if cancelled else "not-stopped"
    else:
        note = "cancelled" if cancelled else "not-cancelled"
    return redirect(f"/console/notices/{staff_request.notice_id}?note={note}")


async def show_take_back(staff_request: StaffRequest) -> web.Response:
    """Asks once, since it takes its approval anew."""
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    found = status.notice
    if not can_be_taken_back(status):
        return redirect(f"/console/notices/{found.id}?note=not-taken-back")
    return staff_request.page("console/take_back.html", notice=found, mode=mode_words(found.spec.mode))


async def take_back(staff_request: StaffRequest) -> web.Response:
    notice_id = staff_request.notice_id
    await notice_service.find(staff_request.service.context, notice_id)
    taken_back = await notice_service.take_back(
        staff_request.service.context, notice_id, staff=staff_request.staff.login
    )
    return redirect(f"/console/notices/{notice_id}{'/edit' if taken_back else '?note=not-taken-back'}")


def can_be_taken_back(status: Status) -> bool:
    """Whether there is something to offer; whether it is so still is for the act itself to see."""
    found = status.notice
    return status.state == "scheduled" and found.kind == NoticeKind.ORIGINAL and found.spec.series is None


async def acts_on(connection: AsyncConnection, notice_id: int) -> list[tuple[int, str, str]]:
    """(when, who, what) of everything that was done to a notice, the newest first."""
    found = await audit.entries(connection, f"notice {notice_id}")
    return [(item.at, actor_words(item.actor), WORDS.get(item.action, item.action)) for item in found]
