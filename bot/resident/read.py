"""「読みました」 by the link in a mail. Opening it changes nothing: mail scanners open links.

The token names the registration for this notice alone, and lets nobody change a setting.
"""

from __future__ import annotations

from aiohttp import web

from bot.pages import page, service_of
from bot.reading import purpose, said_read
from content.notices import notices
from content.notices.states import TriggerState
from content.register.states import Route
from content.register.subscribers import Subscriber
from content.register.tokens import find_by_token


async def show_read(request: web.Request) -> web.Response:
    return await _page(request, await _reader(request))


async def read(request: web.Request) -> web.Response:
    """Saying it twice is fine."""
    reader, service = await _reader(request), service_of(request)
    public_id = request.match_info["public_id"]
    async with service.database.write() as connection:
        said = await said_read(connection, public_id, reader, route=Route.MAIL, at=service.database.now())
    return await _page(request, reader, said.answer)


async def _page(request: web.Request, reader: Subscriber | None, answer: str = "") -> web.Response:
    async with service_of(request).database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
    if reader is None or found is None or found.trigger_state != TriggerState.FIRED:
        return page(request, "resident/link_over.html", status=404)
    tag = reader.preferences.language if reader.preferences.language in found.spec.texts else "ja"
    return page(request, "resident/read.html", title=found.spec.texts[tag][0], tag=tag, answer=answer)


async def _reader(request: web.Request) -> Subscriber | None:
    """Whose link it is; None when this database never gave it out for this notice."""
    service, info = service_of(request), request.match_info
    async with service.database.read() as connection:
        return await find_by_token(connection, service.keys, purpose(info["public_id"]), info["token"])
