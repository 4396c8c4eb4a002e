"""The picture of a notice that Instagram and Threads fetch when it is posted there."""

from __future__ import annotations

import asyncio

import structlog
from aiohttp import web

from bot.app_keys import CARDS
from bot.pages import service_of
from channels.posting.card import NoPicture, draw_card
from content.notices import chains, notices
from content.notices.publicity import is_public
from content.town import Town
from scheduler.after_sending import is_withdrawn
from scheduler.town_context import announcement

log = structlog.get_logger(__name__)

NEEDED_BY = ("instagram", "threads")
# To draw one takes a tenth of a second: as many are kept as are fetched at a time.
KEPT = 16
CACHE = "public, max-age=3600"


async def show_card(request: web.Request) -> web.Response:
    """For a public notice of a town that posts where pictures are needed."""
    service, public_id = service_of(request), request.match_info["public_id"]
    language = request.match_info["language"]
    if not _is_needed(service.town):
        raise web.HTTPNotFound
    async with service.database.read() as connection:
        found = await notices.find_public(connection, public_id)
        if found is None or not is_public(service.town, found) or language not in found.spec.texts:
            raise web.HTTPNotFound
        original = await notices.get(connection, found.corrects) if found.corrects else None
        if found.kind == "original" and await is_withdrawn(
            connection, await chains.root_of(connection, found.id)
        ):
            raise web.HTTPNotFound
    cards, key = request.app[CARDS], (public_id, language)
    if key not in cards:
        try:
            card = await asyncio.to_thread(
                draw_card, announcement(service.context, found, original), language
            )
        except NoPicture as error:
            log.error("card_not_drawn", remedy=str(error))
            raise web.HTTPServiceUnavailable from None
        cards[key] = card
        while len(cards) > KEPT:
            cards.popitem(last=False)
    headers = {"Cache-Control": CACHE, "Cross-Origin-Resource-Policy": "cross-origin"}
    return web.Response(body=cards[key], content_type="image/jpeg", headers=headers)


def _is_needed(town: Town) -> bool:
    return any(channel in NEEDED_BY for channel in town.channels)
