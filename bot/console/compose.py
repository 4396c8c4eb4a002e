"""Writing a notice and changing a draft."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from bot.console.access import StaffRequest
from bot.console.form import (
    NoticeForm,
    blank_form,
    copy_of,
    form_of,
    form_problems,
    read_form,
    template_texts,
    to_spec,
    unset_channels,
    with_template,
)
from bot.console.gap_fields import DISTRICTS, gaps_to_ask
from bot.console.kept import find_kept, forget_kept, kept_of
from bot.console.look import Look, look_at
from bot.console.words import category_words, channel_words, language_words
from bot.forms import read_fields
from bot.pages import redirect
from bot.recurrence_words import ON_HOLIDAY, WEEKDAYS
from channels.line.messages import TEXT_LIMIT
from channels.rendering import TITLE_LIMIT, utf16_length, wording
from content.accounts import POSTING
from content.notices import pictures
from content.notices.attachments import MOST_PICTURES
from content.notices.kept_forms import KeptForm
from content.notices.notices import Notice, NoticeSpec
from content.notices.picture_files import FILE_LIMIT
from content.notices.records import RecordKind, all_records, find_record
from content.notices.states import NoticeKind, NoticeState
from content.town import Town
from scheduler import checks, notice_service
from scheduler.checks import Problem
from scheduler.words import MODE_NAMES

# What the templates call to name things.
WORDS: dict[str, Any] = {
    "language_name": language_words,
    "channel_name": channel_words,
    "category_name": category_words,
    "stop_words": lambda language: wording(language).stop,
}
OTHER_FIELDS = (
    *(
        "category",
        "target",
        "area",
        "youngest",
        "segment",
        "group",
        "channels",
        "urgency",
        "mode",
        "when",
        "at",
        "repeat",
    ),
    *("weekdays", "nths", "days", "dates", "time", "on_holiday", "first", "until", "closures", "expires"),
)


ATTACHED = ("picture_file", "alt.", "place_", "event_")
TO_FIELDS = ("category", "target", "segment", "group", "channels", "youngest")
WHEN_FIELDS = OTHER_FIELDS[OTHER_FIELDS.index("when") :]


async def show_new(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    kept = await find_kept(staff_request, query.get("kept", ""), None)
    if kept:
        return await form_page(staff_request, _form_of_kept(staff_request, kept), [], saved="saved" in query)
    form = blank_form(staff_request.service, query.get("urgency", ""), query.get("template", ""))
    return await form_page(staff_request, form, [])


async def show_copy(staff_request: StaffRequest) -> web.Response:
    """Nothing is stored yet: it is the form of a new notice."""
    found = await notice_service.find(staff_request.service.context, staff_request.notice_id)
    return await form_page(staff_request, copy_of(staff_request.service.town, found.spec), [], copied=found)


async def create(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    form = read_form(staff_request.service.town, fields)
    spec = to_spec(staff_request.service.town, form)
    problems = await _all_problems(staff_request, form, spec)
    if problems:
        return await form_page(staff_request, form, problems)
    notice_id, kept = await _store(staff_request, form, spec)
    await forget_kept(staff_request, fields)
    return redirect(f"/console/notices/{notice_id}{'/confirm' if kept else '?note=no-draft'}")


async def show_edit(staff_request: StaffRequest) -> web.Response:
    service, query = staff_request.service, staff_request.request.query
    found = await notice_service.find(service.context, staff_request.notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{found.id}?note=no-draft")
    if found.kind != NoticeKind.ORIGINAL:
        return redirect(f"/console/notices/{found.id}/words")
    kept = await find_kept(staff_request, query.get("kept", ""), found.id)
    if kept:
        form = _form_of_kept(staff_request, kept)
    else:
        form = replace(form_of(service.town, found.spec), version=str(found.version_id))
    return await form_page(staff_request, form, [], notice_id=found.id, saved="saved" in query)


async def change(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    service, notice_id = staff_request.service, staff_request.notice_id
    form = read_form(service.town, fields)
    spec = to_spec(service.town, form)
    found = await notice_service.find(service.context, notice_id)
    if found.kind != NoticeKind.ORIGINAL:
        # This form knows nothing of whom it speaks to.
        return redirect(f"/console/notices/{notice_id}/words")
    problems = await _all_problems(staff_request, form, spec)
    if problems:
        return await form_page(staff_request, form, problems, notice_id=notice_id)
    version = int(form.version) if form.version.isascii() and form.version.isdigit() else 0
    changed = await notice_service.revise(
        service.context, notice_id, spec, staff=staff_request.staff.login, version_id=version
    )
    if changed or found.spec == spec:
        await forget_kept(staff_request, fields)
        return redirect(f"/console/notices/{notice_id}/confirm")
    found = await notice_service.find(service.context, notice_id)
    if found.state != NoticeState.DRAFT:
        return redirect(f"/console/notices/{notice_id}?note=no-draft")
    # Somebody else has saved meanwhile. Both texts are shown, and the next save is one that has seen theirs.
    form = replace(form, version=str(found.version_id))
    return await form_page(staff_request, form, [], notice_id=notice_id, theirs=found)


async def use_template(staff_request: StaffRequest) -> web.Response:
    """The words of a template; what somebody has typed is only replaced after a yes."""
    fields = await read_fields(staff_request.request)
    town = staff_request.service.town
    form, key = read_form(town, fields), fields.get("use_template", "")
    before = template_texts(town, form.template)
    typed = any(words != ("", "") and words != before[tag] for tag, words in form.texts.items())
    if key and typed and not fields.get("replace"):
        return await form_page(staff_request, form, [], ask_replace=key)
    return await form_page(staff_request, with_template(town, form, key), [])


async def look(staff_request: StaffRequest) -> web.Response:
    """Counts and previews of what stands in the form: a part for the script, the whole page without one."""
    fields = await read_fields(staff_request.request)
    form = read_form(staff_request.service.town, fields)
    seen = await look_at(staff_request.service, form)
    if "X-Fragment" in staff_request.request.headers:
        return staff_request.page("console/_look.html", look=seen, form=form, **WORDS)
    draft = fields.get("notice_id", "")
    notice_id = int(draft) if draft.isascii() and draft.isdigit() and len(draft) < 19 else None
    return await form_page(staff_request, form, [], notice_id=notice_id, seen=seen)


def _form_of_kept(staff_request: StaffRequest, kept: KeptForm) -> NoticeForm:
    return read_form(staff_request.service.town, MultiDictProxy(MultiDict(kept.fields)))


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
    own = form_problems(staff_request.service, form, await _columns(staff_request, form))
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
    async with staff_request.service.database.read() as connection:
        if await pictures.missing(connection, spec.attached.names):
            found.append(Problem("pictures", notice_service.NO_PICTURE))
    return own + [item for item in found if item.field not in named]


async def _columns(staff_request: StaffRequest, form: NoticeForm) -> tuple[str, ...]:
    """The gaps that the form's calendar fills."""
    if form.when != "repeat" or not form.calendar:
        return ()
    async with staff_request.service.database.read() as connection:
        found = await find_record(connection, RecordKind.CALENDAR, form.calendar)
    return found.content.columns if found and found.content else ()


async def form_page(
    staff_request: StaffRequest,
    form: NoticeForm,
    problems: list[Problem],
    *,
    notice_id: int | None = None,
    seen: Look | None = None,
    theirs: Notice | None = None,
    ask_replace: str = "",
    saved: bool = False,
    copied: Notice | None = None,
    opened: str = "",
) -> web.Response:
    """The page with these fields. `opened`: the fold that somebody is working in."""
    town = staff_request.service.town
    async with staff_request.service.database.read() as connection:
        calendars = await all_records(connection, RecordKind.CALENDAR)
    errors = _by_field(town, problems)
    asked = sum(bool(item) for item in (theirs, ask_replace))
    return staff_request.page(
        "console/compose.html",
        status=422 if problems else (409 if asked else 200),
        form=form,
        errors=errors,
        notice_id=notice_id,
        gaps=gaps_to_ask(town, form.texts, form.gaps, form.chosen.areas),
        districts_gap=DISTRICTS,
        look=seen,
        word_fields=[f"{part}.{tag}" for tag in town.languages for part in ("title", "body")],
        to_fields=TO_FIELDS,
        when_fields=WHEN_FIELDS,
        theirs=theirs,
        ask_replace=town.template.get(ask_replace),
        saved=saved,
        copied=copied,
        opened=opened,
        most_pictures=MOST_PICTURES,
        picture_file_limit=FILE_LIMIT,
        attached_errors=[name for name in errors if name.startswith(ATTACHED)],
        kept=[] if notice_id or problems or asked or copied else await kept_of(staff_request),
        calendars=[item for item in calendars if item.content],
        unset=unset_channels(staff_request.service),
        mode_gaps=_mode_gaps(town),
        mode_names=MODE_NAMES,
        **WORDS,
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
    attached = [name for name in found if name.startswith(ATTACHED)]
    # Before the words: the gaps are asked first.
    order = [*(name for name in found if name.startswith("gap.")), *texts, *attached, *OTHER_FIELDS]
    return dict(
        sorted(found.items(), key=lambda pair: order.index(pair[0]) if pair[0] in order else len(order))
    )


def _field_id(item: Problem) -> str:
    """The id of the field to change."""
    if item.field == "pictures":
        return "picture_file"
    return f"{item.field}.{item.language}" if item.field in ("title", "body") else item.field


def _mode_gaps(town: Town) -> dict[str, list[str]]:
    """Per mode, the channels that have no account to carry it."""
    return {
        mode: [
            channel_words(channel)
            for channel in town.channels
            if channel not in POSTING and not town.accounts_for(channel, mode)
        ]
        for mode in MODE_NAMES
    }
