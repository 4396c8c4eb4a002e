"""`/n/{id}.ics` for one event, `/feeds/{category}.ics` for all that are announced."""

from __future__ import annotations

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.outlets.calendars import Entry, calendar
from bot.outlets.current import Current, as_current, current_notices
from bot.outlets.feed_pages import ALL, CACHE
from bot.pages import service_of
from content.notices import notices
from content.notices.publicity import is_public
from content.town import Mode

# Notices that are looked through for events.
MOST = 300


async def show_event(request: web.Request) -> web.Response:
    service = service_of(request)
    async with service.database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
        # A drill has a page, but nobody is to find it among his appointments.
        if found is None or not is_public(service.town, found) or found.spec.mode != Mode.LIVE:
            raise web.HTTPNotFound
        (item,) = await as_current(service, connection, [found])
        entry = await entry_of(connection, item)
    if entry is None:
        raise web.HTTPNotFound
    return _answer(calendar(service.town.name, [entry]), f"{found.public_id}.ics")


async def show_calendar(request: web.Request) -> web.Response:
    service, key = service_of(request), request.match_info["key"]
    category = service.town.category.get(key)
    if key != ALL and category is None:
        raise web.HTTPNotFound
    async with service.database.read() as connection:
        found = await current_notices(
            service, connection, category="" if category is None else category.key, limit=MOST
        )
        entries = [await entry_of(connection, item) for item in found]
    # The newest first: of a chain what it said last.
    newest: dict[str, Entry] = {}
    for entry in entries:
        if entry is not None:
            newest.setdefault(entry.first, entry)
    name = f"{service.town.name}の催し" + ("" if category is None else f"({category.name()})")
    return _answer(calendar(name, newest.values()), f"{key}.ics")


async def entry_of(connection: AsyncConnection, item: Current) -> Entry | None:
    """None when the notice tells of no event."""
    event = item.notice.spec.attached.event
    if event is None:
        return None
    turn, first = 0, item.notice
    while first.corrects is not None:
        before = await notices.get(connection, first.corrects)
        if before is None:
            break
        turn, first = turn + 1, before
    return Entry(item, event, first.public_id, turn)


def _answer(body: bytes, name: str) -> web.Response:
    response = web.Response(body=body, content_type="text/calendar", charset="utf-8")
    response.headers["Cache-Control"] = CACHE
    response.headers["Content-Disposition"] = f'inline; filename="{name}"'
    return response
