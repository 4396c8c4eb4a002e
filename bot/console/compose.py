"""Writing a notice and changing a draft."""

from __future__ import annotations

import asyncio

from aiohttp import web

from bot.console.access import Visit
from bot.console.form import (
    NoticeForm,
    blank_form,
    form_of,
    form_problems,
    read_form,
    to_draft,
    unset_channels,
)
from bot.console.words import channel_words, language_words
from bot.pages import redirect
from bot.recurrence_words import ON_HOLIDAY, WEEKDAYS
from channels.line_messages import TEXT_LIMIT
from channels.rendering import TITLE_LIMIT, utf16_length
from content.notices import Draft
from content.town import Town
from scheduler import posting
from scheduler.posting import MODE_NAMES, Problem

OTHER_FIELDS = (
    *("category", "target", "segment", "group", "channels", "urgency", "mode", "when", "at", "repeat"),
    *("weekdays", "nths", "days", "dates", "time", "on_holiday", "first", "until", "closures", "expires"),
)


async def show_new(visit: Visit) -> web.Response:
    query = visit.request.query
    form = blank_form(visit.service, query.get("urgency", ""), query.get("template", ""))
    return _form_page(visit, form, [], template=query.get("template", ""))


async def create(visit: Visit) -> web.Response:
    form = read_form(visit.service.town, await visit.request.post())
    draft = to_draft(form)
    problems = await _all_problems(visit, form, draft)
    if problems:
        return _form_page(visit, form, problems)
    notice_id, kept = await _store(visit, form, draft)
    return redirect(f"/console/notices/{notice_id}{'/confirm' if kept else '?note=no-draft'}")


async def show_edit(visit: Visit) -> web.Response:
    found = await posting.find(visit.service.office, visit.notice_id)
    if found.state != "draft":
        return redirect(f"/console/notices/{found.id}?note=no-draft")
    return _form_page(visit, form_of(visit.service.town, found.draft), [], notice_id=found.id)


async def change(visit: Visit) -> web.Response:
    form = read_form(visit.service.town, await visit.request.post())
    draft = to_draft(form)
    await posting.find(visit.service.office, visit.notice_id)
    problems = await _all_problems(visit, form, draft)
    if problems:
        return _form_page(visit, form, problems, notice_id=visit.notice_id)
    changed = await posting.revise(visit.service.office, visit.notice_id, draft, staff=visit.staff.login)
    if not changed:
        return redirect(f"/console/notices/{visit.notice_id}?note=no-draft")
    return redirect(f"/console/notices/{visit.notice_id}/confirm")


async def _store(visit: Visit, form: NoticeForm, draft: Draft) -> tuple[int, bool]:
    """The notice of this form, and whether it now holds these words. The same form is the same notice."""
    office, login = visit.service.office, visit.staff.login
    notice_id, created = await posting.store(office, draft, submission_key=form.submission_key, staff=login)
    if created or (await posting.find(office, notice_id)).draft == draft:
        return notice_id, True
    # "Back", changed, sent again: what is confirmed next must be what was typed last.
    return notice_id, await posting.revise(office, notice_id, draft, staff=login)


async def _all_problems(visit: Visit, form: NoticeForm, draft: Draft) -> list[Problem]:
    own = form_problems(visit.service, form)
    named = {item.field for item in own}
    if named & {"channels", "urgency"}:
        # Without these nothing can be rendered, so the rest is checked at the next try.
        return own
    # The first rendering for LINE imports its SDK (over a second), so not on the event loop.
    found = await asyncio.to_thread(posting.find_problems, visit.service.office, draft)
    return own + [item for item in found if item.field not in named]


def _form_page(
    visit: Visit,
    form: NoticeForm,
    problems: list[Problem],
    *,
    notice_id: int | None = None,
    template: str = "",
) -> web.Response:
    town = visit.service.town
    return visit.page(
        "console/compose.html",
        status=422 if problems else 200,
        form=form,
        errors=_by_field(town, problems),
        notice_id=notice_id,
        chosen=template,
        unset=unset_channels(visit.service),
        mode_gaps=_mode_gaps(town),
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
        found.setdefault(_field_id(town, item), []).append(item.message)
    texts = [f"{part}.{tag}" for tag in town.languages for part in ("title", "body")]
    order = [*texts, *OTHER_FIELDS]
    return dict(
        sorted(found.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    )


def _field_id(town: Town, item: Problem) -> str:
    """The id of the field to change. A text's language stands in the message, as (en) or [en]."""
    if item.field not in ("title", "body"):
        return item.field
    named = [tag for tag in town.languages if f"({tag})" in item.message or f"[{tag}]" in item.message]
    return f"{item.field}.{named[0] if named else 'ja'}"


def _mode_gaps(town: Town) -> dict[str, list[str]]:
    """Per mode, the channels that have no account to carry it."""
    return {
        mode: [channel_words(channel) for channel in town.channels if not town.accounts_for(channel, mode)]
        for mode in MODE_NAMES
    }
