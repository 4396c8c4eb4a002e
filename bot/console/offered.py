"""Texts of the town's own templates, offered for the languages that a notice lacks, and taken by one button."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.gap_fields import filled
from bot.forms import read_fields
from bot.pages import redirect
from content.gaps import gaps_of
from content.notices.notices import NoticeSpec
from content.notices.segments import areas_of
from content.town import Town
from scheduler import notice_service
from scheduler.checks import NoticeRefused


@dataclass(frozen=True, slots=True)
class Offer:
    """A text in a language. With `gaps` left it is finished on the page where the notice is written."""

    language: str
    title: str
    body: str
    gaps: tuple[str, ...]


def offers(town: Town, spec: NoticeSpec, missing: Iterable[str]) -> tuple[Offer, ...]:
    """For each missing language the text of the template that the notice was most likely made from."""
    templates = [
        item for item in town.templates if item.category == spec.category and item.urgency == spec.urgency
    ]
    title = spec.texts["ja"][0]
    templates.sort(key=lambda item: -_alike(item.texts["ja"].title, title))
    found = []
    for language in missing:
        words = next((item.texts[language] for item in templates if language in item.texts), None)
        if words:
            texts = {language: (words.title, words.body)}
            ready = filled(town, texts, {}, areas_of(town, spec.target))
            found.append(Offer(language, *ready[language], tuple(gaps_of(ready))))
    return tuple(found)


async def take_offer(staff_request: StaffRequest) -> web.Response:
    """The offered text becomes part of the draft; what is left to fill in is asked where it is written."""
    fields = await read_fields(staff_request.request)
    context = staff_request.service.context
    found = await notice_service.find(context, staff_request.notice_id)
    language = fields.get("language", "")
    confirm = f"/console/notices/{found.id}/confirm"
    taken = next(iter(offers(staff_request.service.town, found.spec, [language])), None)
    if taken is None or language in found.spec.texts or fields.get("version", "") != str(found.version_id):
        return redirect(confirm)
    spec = replace(found.spec, texts={**found.spec.texts, language: (taken.title, taken.body)})
    try:
        await notice_service.revise(
            context, found.id, spec, staff=staff_request.staff.login, version_id=found.version_id
        )
    except NoticeRefused:
        return redirect(f"/console/notices/{found.id}/edit#title.{language}")
    return redirect(f"/console/notices/{found.id}/edit" if taken.gaps else confirm)


def _alike(one: str, other: str) -> int:
    return next(
        (place for place, pair in enumerate(zip(one, other, strict=False)) if pair[0] != pair[1]),
        min(len(one), len(other)),
    )
