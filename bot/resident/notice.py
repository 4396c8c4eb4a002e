"""The public page of a notice: what went out, in all its languages, with its corrections."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.pages import page, service_of
from bot.service import Service
from channels import rendering
from channels.channel import Announcement
from content.notices import notices
from content.notices.notices import Notice
from content.notices.publicity import is_listed, is_public
from scheduler.town_context import announcement

# A withdrawal must show soon, and an alarm makes everybody open the page at once.
CACHE = "public, max-age=15"


@dataclass(frozen=True, slots=True)
class Section:
    """The words in one language, marks included."""

    language: str
    heading: str
    note: str
    category: str
    body: str
    contact: str


async def show_notice(request: web.Request) -> web.Response:
    service = service_of(request)
    async with service.database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
        if found is None or not is_public(service.town, found):
            raise web.HTTPNotFound
        earlier = await _public(service, connection, found.corrects)
        later = [
            await _public(service, connection, number)
            for number in await notices.corrections_of(connection, found.id)
        ]
    announced = announcement(service.context, found)
    response = page(
        request,
        "resident/notice.html",
        notice=found,
        spec=found.spec,
        sections=[_section(announced, text.language) for text in announced.texts],
        earlier=earlier,
        later=[item for item in later if item],
    )
    response.headers["Cache-Control"] = CACHE
    if not is_listed(service.town, found):
        response.headers["X-Robots-Tag"] = "noindex"
    return response


def _section(announced: Announcement, language: str) -> Section:
    return Section(
        language=language,
        heading=rendering.heading(announced, language),
        note=rendering.mode_note(announced, language),
        category=rendering.category_name(announced, language),
        body=rendering.body(announced, language),
        contact=rendering.sender_line(announced, language),
    )


async def _public(service: Service, connection: AsyncConnection, notice_id: int | None) -> Notice | None:
    found = None if notice_id is None else await notices.get(connection, notice_id)
    return found if found and is_public(service.town, found) else None
