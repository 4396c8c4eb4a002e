"""The public page of a notice: what went out, in all its languages, with its corrections."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pages import english_words, page, service_of
from bot.service import Service
from channels import rendering
from channels.attached import attached_words
from channels.channel import Announcement
from content import clock
from content.notices import chains, notices
from content.notices.attachments import Event
from content.notices.notices import Notice
from content.notices.publicity import has_ended, is_listed, is_public
from scheduler.after_sending import is_withdrawn
from scheduler.town_context import announcement

# A correction shows within twice this time; the door asks once a second for all who open the page.
CACHE = "public, max-age=1"
TEMPLATE = "resident/notice.html"


@dataclass(frozen=True, slots=True)
class Section:
    """The words in one language, marks included."""

    language: str
    heading: str
    note: str
    category: str
    body: str
    contact: str
    ended: str
    place: str
    map: str
    event: str
    calendar: str
    pictures: tuple[tuple[str, str, int, int], ...]


async def show_notice(request: web.Request) -> web.Response:
    service = service_of(request)
    async with service.database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
        if found is None or not is_public(service.town, found):
            raise web.HTTPNotFound
        values = await page_values(service, connection, found)
    response = page(request, TEMPLATE, **values)
    response.headers["Cache-Control"] = CACHE
    if not is_listed(service.town, found, service.database.now()):
        response.headers["X-Robots-Tag"] = "noindex"
    return response


async def page_values(service: Service, connection: AsyncConnection, found: Notice) -> dict[str, Any]:
    """What the template of a public notice is filled with."""
    later = [
        await _public(service, connection, number)
        for number in await chains.corrections_of(connection, found.id)
    ]
    announced = announcement(service.context, found)
    if await is_withdrawn(connection, await chains.root_of(connection, found.id)):
        announced = replace(announced, pictures=())
    ended = has_ended(found, service.database.now())
    return {
        "notice": found,
        "spec": found.spec,
        "sections": [_section(found, announced, text.language, ended) for text in announced.texts],
        "earlier": await _public(service, connection, found.corrects),
        "later": [item for item in later if item],
        "place": announced.place,
        "address": service.context.notice_url(found.public_id),
    }


def _section(found: Notice, announced: Announcement, language: str, ended: bool) -> Section:
    words = attached_words(language)
    return Section(
        language=language,
        heading=rendering.heading(announced, language),
        note=rendering.mode_note(announced, language),
        category=rendering.category_name(announced, language),
        body=rendering.body(announced, language),
        contact=rendering.sender_line(announced, language),
        ended=_ended(announced, language) if ended else "",
        place=f"{words.place}: {announced.place.name}" if announced.place else "",
        map=words.map,
        event=_event(found.spec.attached.event, language, words.event),
        calendar=words.calendar,
        pictures=tuple(
            # The page may be open under another name than the address that was sent out.
            (urlsplit(item.url).path, item.alt(language), item.width, item.height)
            for item in announced.pictures
        ),
    )


def _event(event: Event | None, language: str, word: str) -> str:
    if event is None:
        return ""
    moment = clock.words if language.startswith("ja") else english_words
    until = f" 〜 {moment(event.ends)}" if event.ends is not None else ""
    return f"{word}: {moment(event.starts)}{until}"


def _ended(announced: Announcement, language: str) -> str:
    assert announced.expires_at is not None
    end = (
        clock.words(announced.expires_at)
        if language.startswith("ja")
        else english_words(announced.expires_at)
    )
    return attached_words(language).ended.format(end=end)


async def _public(service: Service, connection: AsyncConnection, notice_id: int | None) -> Notice | None:
    found = None if notice_id is None else await notices.get(connection, notice_id)
    return found if found and is_public(service.town, found) else None
