"""After sending: stop what has not left, and write to those whom a notice reached: a correction or a withdrawal."""

from __future__ import annotations

import uuid
from dataclasses import replace

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.form import form_key
from bot.console.words import channel_words, language_words
from bot.errors import message_page
from bot.forms import Fields, read_fields
from bot.pages import redirect
from channels.rendering import clean
from content.notices.notices import NoticeSpec
from content.notices.states import NoticeKind, NoticeState
from scheduler import after_sending, notice_service, retrying
from scheduler.checks import NoticeRefused, Problem
from scheduler.impact import measure_impact

TITLES = {NoticeKind.CORRECTION: "訂正を送る", NoticeKind.WITHDRAWAL: "取り消しを知らせる"}


async def show_stop(staff_request: StaffRequest) -> web.Response:
    """Asks once before a notice that is going out is stopped, and says how many have it."""
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    return staff_request.page("console/stop_sending.html", notice=status.notice, result=status)


async def stop(staff_request: StaffRequest) -> web.Response:
    stopped = await after_sending.stop(
        staff_request.service.context, staff_request.notice_id, staff=staff_request.staff.login
    )
    note = "sending-stopped" if stopped else "nothing-to-stop"
    return redirect(f"/console/notices/{staff_request.notice_id}?note={note}")


async def retry(staff_request: StaffRequest) -> web.Response:
    """Sends again to the refused alone; the page that follows shows them on their way."""
    try:
        await retrying.retry(
            staff_request.service.context, staff_request.notice_id, staff=staff_request.staff.login
        )
    except NoticeRefused as refused:
        words = "".join(item.message for item in refused.problems)
        return message_page(staff_request.request, 409, "送り直せません", words, "Nothing was sent again.")
    return redirect(f"/console/notices/{staff_request.notice_id}?note=retried")


async def show_correct(staff_request: StaffRequest) -> web.Response:
    return await _begin(staff_request, NoticeKind.CORRECTION)


async def correct(staff_request: StaffRequest) -> web.Response:
    return await _create(staff_request, NoticeKind.CORRECTION)


async def show_withdraw(staff_request: StaffRequest) -> web.Response:
    return await _begin(staff_request, NoticeKind.WITHDRAWAL)


async def withdraw(staff_request: StaffRequest) -> web.Response:
    return await _create(staff_request, NoticeKind.WITHDRAWAL)


async def show_words(staff_request: StaffRequest) -> web.Response:
    """The words of a correction or withdrawal that is still a draft."""
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    if found.kind == NoticeKind.ORIGINAL or found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}")
    return await _page(staff_request, found.spec, found.id)


async def change_words(staff_request: StaffRequest) -> web.Response:
    context = staff_request.service.context
    found = await notice_service.find(context, staff_request.notice_id)
    if found.kind == NoticeKind.ORIGINAL or found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}?note=no-draft")
    spec = _with_words(found.spec, await read_fields(staff_request.request))
    try:
        await notice_service.revise(context, found.id, spec, staff=staff_request.staff.login)
    except NoticeRefused as refused:
        return await _page(staff_request, spec, found.id, refused.problems)
    return redirect(f"/console/notices/{found.id}/confirm")


async def _begin(staff_request: StaffRequest, kind: NoticeKind) -> web.Response:
    try:
        spec = await after_sending.follow_up(staff_request.service.context, staff_request.notice_id, kind)
    except NoticeRefused as refused:
        return _impossible(staff_request, kind, refused)
    return await _page(staff_request, spec)


async def _create(staff_request: StaffRequest, kind: NoticeKind) -> web.Response:
    fields = await read_fields(staff_request.request)
    context = staff_request.service.context
    try:
        spec = await after_sending.follow_up(context, staff_request.notice_id, kind)
    except NoticeRefused as refused:
        return _impossible(staff_request, kind, refused)
    spec = _with_words(spec, fields)
    try:
        draft, _ = await notice_service.store(
            context,
            spec,
            submission_key=form_key(fields.get("submission_key", "")),
            staff=staff_request.staff.login,
        )
    except NoticeRefused as refused:
        return await _page(staff_request, spec, problems=refused.problems)
    return redirect(f"/console/notices/{draft}/confirm")


def _with_words(spec: NoticeSpec, fields: Fields) -> NoticeSpec:
    texts = {
        tag: (clean(fields.get(f"title.{tag}", "")).strip(), clean(fields.get(f"body.{tag}", "")).strip())
        for tag in spec.texts
    }
    return replace(spec, texts=texts)


async def _page(
    staff_request: StaffRequest,
    spec: NoticeSpec,
    draft: int | None = None,
    problems: list[Problem] | None = None,
) -> web.Response:
    context = staff_request.service.context
    impacts = await measure_impact(context, spec) if not problems else []
    corrected = await notice_service.find(context, spec.corrects or 0)
    name = "correct" if spec.kind == NoticeKind.CORRECTION else "withdraw"
    return staff_request.page(
        "console/follow_up.html",
        status=422 if problems else 200,
        heading=TITLES[spec.kind],
        action=f"/console/notices/{draft}/words" if draft else f"/console/notices/{corrected.id}/{name}",
        corrected=corrected,
        spec=spec,
        problems=problems or [],
        counts=[(channel_words(item.channel), item.count) for item in impacts],
        total=sum(item.count for item in impacts),
        submission_key=str(uuid.uuid4()),
        language_name=language_words,
    )


def _impossible(staff_request: StaffRequest, kind: NoticeKind, refused: NoticeRefused) -> web.Response:
    what = "訂正を送れません" if kind == NoticeKind.CORRECTION else "取り消しを知らせることができません"
    words = "".join(item.message for item in refused.problems)
    return message_page(
        staff_request.request, 409, what, words, "This notice cannot be corrected or withdrawn now."
    )
