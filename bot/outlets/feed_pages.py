"""`/feeds/notices.{rss,atom,json}` and the same for each category."""

from __future__ import annotations

from aiohttp import web

from bot.outlets.current import current_notices
from bot.outlets.feeds import KINDS, MOST, Feed, shortened
from bot.pages import service_of

# Together with the door's own patience half a minute: what has ended is out of every list within one.
CACHE = "public, max-age=15"
# The feed of every category; no category has this key.
ALL = "notices"


async def show_feed(request: web.Request) -> web.Response:
    service, key = service_of(request), request.match_info["key"]
    media_type, write = KINDS[request.match_info["kind"]]
    category = service.town.category.get(key)
    if key != ALL and category is None:
        raise web.HTTPNotFound
    async with service.database.read() as connection:
        found = await current_notices(
            service, connection, category="" if category is None else category.key, limit=MOST
        )
    town, address = service.town, service.settings.public_url
    name = f"{town.name}からのお知らせ"
    feed = Feed(
        title=name if category is None else f"{name}({category.name()})",
        url=f"{address}{request.path}",
        page=f"{address}/archive" + ("" if category is None else f"?category={category.key}"),
        author=town.name,
        entries=shortened(found),
    )
    response = web.Response(body=write(feed), content_type=media_type, charset="utf-8")
    response.headers["Cache-Control"] = CACHE
    # Read by pages of partners and by readers in a browser.
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response
