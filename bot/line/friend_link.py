"""The link with which somebody adds the account as a friend, and its QR code as a picture."""

from __future__ import annotations

import asyncio
import io
import re
from urllib.parse import quote

import segno
import structlog
from aiohttp import web

from bot.pages import service_of
from bot.service import Service
from channels.line.api import LineApi
from content.clock import MINUTE, now_ms

log = structlog.get_logger(__name__)

BASIC_ID = re.compile(r"@[0-9a-z._-]{1,30}")
PURPOSE = "friend link"
PICTURE = "/line/friend/{basic_id}/{mark}.png"
ASK_EVERY = 5 * MINUTE
WAIT_SECONDS = 3.0
CACHE = "public, max-age=86400"


class FriendLink:
    """LINE is asked once for the account's own name; while it does not tell there is no link."""

    def __init__(self) -> None:
        self._basic_id = ""
        self._asked_at = 0

    async def learn(self, api: LineApi) -> None:
        """Ask unless it is known or was asked a short time ago."""
        if self._basic_id or now_ms() - self._asked_at < ASK_EVERY:
            return
        self._asked_at = now_ms()
        try:
            async with asyncio.timeout(WAIT_SECONDS):
                found = str((await api.bot_info()).get("basicId", ""))
        except Exception as error:
            log.warning("line_account_unknown", error=type(error).__name__)
            return
        self.take(found)

    def take(self, basic_id: str) -> None:
        """What LINE calls the account; anything else is as if it had not told."""
        self._basic_id = basic_id if BASIC_ID.fullmatch(basic_id) else ""

    @property
    def address(self) -> str:
        return f"https://line.me/R/ti/p/{quote(self._basic_id)}" if self._basic_id else ""

    def picture(self, service: Service) -> str:
        """The address of the QR code. Marked with our key, so that nobody gets codes of other accounts from us."""
        if not self._basic_id:
            return ""
        path = PICTURE.format(basic_id=quote(self._basic_id), mark=service.keys.mark(PURPOSE, self._basic_id))
        return f"{service.settings.public_url}{path}"


FRIEND_LINK: web.AppKey[FriendLink] = web.AppKey("friend_link", FriendLink)


def add_routes(app: web.Application) -> None:
    """The picture; and the link itself for the pages, once LINE has told it."""
    app[FRIEND_LINK] = FriendLink()
    app.router.add_get(PICTURE, show_picture)


async def show_picture(request: web.Request) -> web.Response:
    basic_id, mark = request.match_info["basic_id"], request.match_info["mark"]
    if not BASIC_ID.fullmatch(basic_id) or not service_of(request).keys.is_mark(PURPOSE, basic_id, mark):
        raise web.HTTPNotFound
    picture = io.BytesIO()
    segno.make(f"https://line.me/R/ti/p/{quote(basic_id)}", error="m").save(
        picture, kind="png", scale=12, border=4
    )
    return web.Response(body=picture.getvalue(), content_type="image/png", headers={"Cache-Control": CACHE})
