"""`/n/{id}/poster/{a4,a3}`: a public notice for the notice board, on one sheet of A4 or A3 when it is short enough."""

from __future__ import annotations

from aiohttp import web

from bot.pages import page, service_of
from bot.phrases import phrases
from bot.qr_codes import qr_code
from bot.resident.notice import CACHE, page_values
from content.notices import notices
from content.notices.publicity import is_public

SIZES = ("a4", "a3")
# Characters of the Japanese text up to which the letters are that large; with more of them it is a page to read.
FEW, SOME = 140, 420


async def show_poster(request: web.Request) -> web.Response:
    service, size = service_of(request), request.match_info["size"]
    async with service.database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
        if found is None or not is_public(service.town, found):
            raise web.HTTPNotFound
        values = await page_values(service, connection, found)
    sections = values["sections"]
    response = page(
        request,
        "resident/notice_poster.html",
        **values,
        size=size,
        sizes=SIZES,
        length=_length(len(found.title) + len(found.body)),
        headings={item.language: phrases(item.heading, item.language) for item in sections},
        code=qr_code(values["address"]),
    )
    response.headers["Cache-Control"] = CACHE
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _length(characters: int) -> str:
    return "few" if characters <= FEW else "some" if characters <= SOME else "many"
