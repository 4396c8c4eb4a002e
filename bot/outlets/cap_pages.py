"""`/cap/{id}.xml` for one alert, `/feeds/cap.atom` for those that are in force.

Drills and tests have an address of their own, `/cap/exercise/{id}.xml`, and stand in no feed.
"""

from __future__ import annotations

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.outlets.cap import alert, expires_at, identifier, is_alert
from bot.outlets.current import Current, current_notices
from bot.outlets.feed_pages import CACHE
from bot.outlets.feeds import Feed, alert_feed
from bot.outlets.signing import Signer, signer
from bot.pages import service_of
from content.notices import notices
from content.notices.notices import Notice
from content.notices.publicity import is_public
from content.town import Mode
from scheduler.town_context import announcement

# Notices that are looked through for alerts in force.
MOST = 100
TYPE = "application/cap+xml"


async def show_alert(request: web.Request) -> web.Response:
    return await _show(request, live=True)


async def show_exercise(request: web.Request) -> web.Response:
    return await _show(request, live=False)


async def show_certificate(request: web.Request) -> web.Response:
    response = web.Response(body=_signer(request).pem, content_type="application/x-pem-file")
    response.headers["Cache-Control"] = "public, max-age=3600"
    return response


async def show_active(request: web.Request) -> web.Response:
    service = service_of(request)
    now = service.database.now()
    async with service.database.read() as connection:
        found = await current_notices(service, connection, limit=MOST)
        # What was said again since is in force no longer: the Update or Cancel is.
        active = [
            item
            for item in found
            if item.since is None
            and expires_at(item.notice) > now
            and is_alert(service.town, (await chain_of(connection, item.notice))[0])
        ]
    address = service.settings.public_url
    feed = Feed(
        title=f"{service.town.name}の緊急のお知らせ(CAP)",
        url=f"{address}/feeds/cap.atom",
        page=f"{address}/archive",
        author=service.town.name,
        entries=active,
    )

    def link(item: Current) -> tuple[str, str]:
        return identifier(service.town, item.notice), f"{address}/cap/{item.notice.public_id}.xml"

    response = web.Response(
        body=alert_feed(feed, TYPE, link), content_type="application/atom+xml", charset="utf-8"
    )
    response.headers["Cache-Control"] = CACHE
    return response


def _signer(request: web.Request) -> Signer:
    service = service_of(request)
    return signer(service.keys, service.town)


async def chain_of(connection: AsyncConnection, found: Notice) -> list[Notice]:
    """The notice with all that it corrects, the first one first."""
    chain = [found]
    while (above := chain[0].corrects) is not None:
        before = await notices.get(connection, above)
        if before is None:
            break
        chain.insert(0, before)
    return chain


async def _show(request: web.Request, *, live: bool) -> web.Response:
    service = service_of(request)
    async with service.database.read() as connection:
        found = await notices.find_public(connection, request.match_info["public_id"])
        if found is None or not is_public(service.town, found) or (found.spec.mode == Mode.LIVE) is not live:
            raise web.HTTPNotFound
        chain = await chain_of(connection, found)
    if not is_alert(service.town, chain[0]):
        raise web.HTTPNotFound
    document = alert(service.town, chain, announcement(service.context, found))
    response = web.Response(body=_signer(request).sign(document), content_type=TYPE, charset="utf-8")
    response.headers["Cache-Control"] = CACHE
    if not live:
        response.headers["X-Robots-Tag"] = "noindex"
    return response
