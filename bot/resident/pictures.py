"""The pictures of a notice, for everybody who was sent it or may read its page: phones, LINE's servers, mail readers.

The address is as hard to guess as that of the notice. A notice that has been withdrawn shows its pictures to nobody.
"""

from __future__ import annotations

from aiohttp import web

from bot.pages import service_of
from bot.pictures import picture_response
from content.notices import chains, notices, pictures
from content.notices.states import TriggerState
from scheduler.after_sending import is_withdrawn

# A withdrawn one must go from the caches on the way within the hour.
CACHE = "public, max-age=3600"


async def show_picture(request: web.Request) -> web.Response:
    name = request.match_info["name"]
    async with service_of(request).database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
        if (
            found is None
            or found.trigger_state != TriggerState.FIRED
            or name not in found.spec.attached.names
            or await is_withdrawn(connection, await chains.root_of(connection, found.id))
        ):
            raise web.HTTPNotFound
        content = await pictures.content_of(connection, name)
    if content is None:
        raise web.HTTPNotFound
    response = picture_response(request, name, content, CACHE)
    # Shown by partners' pages and by LINE as well.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response
