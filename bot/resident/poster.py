"""How to register, on a poster for the wall: one sheet of A4, printed by the browser or as PDF."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from aiohttp import web

from bot.pages import STATIC, TEMPLATES, page, service_of
from bot.pdf import has_pdf, pdf_of
from bot.resident.joining import ways_in
from bot.ruby import READING

CSS = STATIC / "poster-pdf.css"


class MadeOnce:
    """The PDF of the text that it was made of: strangers who ask for it again and again cost nothing."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._of, self._made = "", b""

    async def of(self, html: str) -> bytes:
        async with self._lock:
            if self._of != html:
                self._made = await pdf_of(html)
                self._of = html
            return self._made


MADE: web.AppKey[MadeOnce] = web.AppKey("poster_pdf", MadeOnce)


async def show_poster(request: web.Request) -> web.Response:
    return page(request, "resident/poster.html", has_pdf=has_pdf(), **_values(request))


async def poster_pdf(request: web.Request) -> web.Response:
    """Where the extra [pdf] is installed; the page prints without it too."""
    if not has_pdf():
        raise web.HTTPNotFound
    template = request.app[TEMPLATES].get_template("resident/poster_pdf.html")
    html = template.render(css=CSS.read_text(encoding="utf-8"), **_values(request))
    return web.Response(
        body=await request.app[MADE].of(_with_boxes(html)),
        content_type="application/pdf",
        headers={"Content-Disposition": 'inline; filename="poster-a4.pdf"'},
    )


def _values(request: web.Request) -> dict[str, Any]:
    town = service_of(request).town
    return {"ways": ways_in(request), "always": [town.category[key] for key in town.always_categories]}


def _with_boxes(html: str) -> str:
    """WeasyPrint lays out no <ruby>."""
    return re.sub(READING, r'<span class="reading"><span>\2</span>\1</span>', html)
