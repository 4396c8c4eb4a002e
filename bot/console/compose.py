"""Writing a notice and changing a draft."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.form import (
    NoticeForm,
    blank_form,
    form_of,
    form_problems,
    read_form,
    to_spec,
    unset_channels,
)
from bot.console.words import channel_words, language_words
from bot.forms import read_fields
from bot.pages import redirect
from bot.recurrence_words import ON_HOLIDAY, WEEKDAYS
from channels.line.messages import TEXT_LIMIT
from channels.rendering import TITLE_LIMIT, utf16_length
from content.notices.notices import NoticeSpec
from content.notices.states import NoticeState
from content.town import Town
from scheduler import checks, notice_service
from scheduler.checks import Problem
from scheduler.words import MODE_NAMES

OTHER_FIELDS = (
    *("category", "target", "segment", "group", "channels", "urgency", "mode", "when", "at", "repeat"),
    *("weekdays", "nths", "days", "dates", "time", "on_holiday", "first", "until", "closures", "expires"),
)


async def show_new(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    form = blank_form(staff_request.service, query.get("urgency", ""), query.get("template", ""))
    return _form_page(staff_request, form, [], template=query.get("template", ""))


async def create(staff_request: StaffRequest) -> web.Response:
    form = read_form(staff_request.service.town, await read_fields(staff_request.request))
    spec = to_spec(form)
    problems = await _all_problems(staff_request, form, spec)
    if problems:
        return _form_page(staff_request, form, problems)
    notice_id, kept = await _store(staff_request, form, spec)
    return redirect(f"/console/notices/{notice_id}{'/confirm' if kept else '?note=no-draft'}")


async def show_edit(staff_request: StaffRequest) -> web.Response:
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}?note=no-draft")
    return _form_page(staff_request, form_of(staff_request.service.town, found.spec), [], notice_id=found.id)


async def change(staff_request: StaffRequest) -> web.Response:
    form = read_form(staff_request.service.town, await read_fields(staff_request.request))
    spec = to_spec(form)
    await notice_service.find(staff_request.service.context, staff_request.notice_id)
    problems = await _all_problems(staff_request, form, spec)
    if problems:
        return _form_page(staff_request, form, problems, notice_id=staff_request.notice_id)
    changed = await notice_service.revise(
        staff_request.service.context, staff_request.notice_id, spec, staff=staff_request.staff.login
    )
    if not changed:
        return redirect(f"/console/notices/{staff_request.notice_id}?note=no-draft")
    return redirect(f"/console/notices/{staff_request.notice_id}/confirm")


async def _store(staff_request: StaffRequest, form: NoticeForm, spec: NoticeSpec) -> tuple[int, bool]:
    """The notice of this form, and whether it now holds these words. The same form is the same notice."""
    context, login = staff_request.service.context, staff_request.staff.login
    notice_id, created = await notice_service.store(
        context, spec, submission_key=form.submission_key, staff=login
    )
    if created or (await notice_service.find(context, notice_id)).spec == spec:
        return notice_id, True
    # "Back", changed, sent again: what is confirmed next must be what was typed last.
    return notice_id, await notice_service.revise(context, notice_id, spec, staff=login)


async def _all_problems(staff_request: StaffRequest, form: NoticeForm, spec: NoticeSpec) -> list[Problem]:
    own = form_problems(staff_request.service, form)
    if form.category in staff_request.service.town.category and not staff_request.staff.may(
        "write", form.category
    ):
        own.append(
            Problem("category", "この分野のお知らせを作る権限がありません。分野を選び直してください。")
        )
    named = {item.field for item in own}
    if named & {"channels", "urgency"}:
        # Without these nothing can be rendered, so the rest is checked at the next try.
        return own
    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    found = await asyncio.to_thread(checks.find_problems, staff_request.service.context, spec)
    return own + [item for item in found if item.field not in named]


def _form_page(
    staff_request: StaffRequest,
    form: NoticeForm,
    problems: list[Problem],
    *,
    notice_id: int | None = None,
    template: str = "",
) -> web.Response:
    town = staff_request.service.town
    return staff_request.page(
        "console/compose.html",
        status=422 if problems else 200,
        form=form,
        errors=_by_field(town, problems),
        notice_id=notice_id,
        chosen=template,
        unset=unset_channels(staff_request.service),
        mode_gaps=_mode_gaps(town),
        mode_names=MODE_NAMES,
        language_name=language_words,
        channel_name=channel_words,
        limits={"title": TITLE_LIMIT, "body": TEXT_LIMIT},
        length=utf16_length,
        weekday_names=WEEKDAYS,
        on_holiday=ON_HOLIDAY,
    )


def _by_field(town: Town, problems: list[Problem]) -> dict[str, list[str]]:
    """Messages by field id, in the order in which the form shows its fields."""
    found: dict[str, list[str]] = {}
    for item in problems:
        found.setdefault(_field_id(item), []).append(item.message)
    texts = [f"{part}.{tag}" for tag in town.languages for part in ("title", "body")]
    order = [*texts, *OTHER_FIELDS]
    return dict(
        sorted(found.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    )


def _field_id(item: Problem) -> str:
    """The id of the field to change."""
    return f"{item.field}.{item.language}" if item.field in ("title", "body") else item.field


def _mode_gaps(town: Town) -> dict[str, list[str]]:
    """Per mode, the channels that have no account to carry it."""
    return {
        mode: [channel_words(channel) for channel in town.channels if not town.accounts_for(channel, mode)]
        for mode in MODE_NAMES
    }
