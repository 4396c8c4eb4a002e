"""Facebook: the feed of a page. Source: developers.facebook.com, "Page posts"."""

from __future__ import annotations

from aiohttp import web

from sandbox.sns.keys import SANDBOX, body_of
from sandbox.sns.meta import account_of, moment, own, refused

NAME = "facebook"


def routes() -> list[web.RouteDef]:
    return [
        web.post("/facebook/{page}/feed", _post),
        web.get("/facebook/{page}/feed", _feed),
        web.get("/facebook/{page}", _page),
        web.post("/facebook/{id}", _edit),
        web.delete("/facebook/{id}", _delete),
    ]


async def _post(request: web.Request) -> web.Response:
    account, content = account_of(request), await body_of(request)
    text = str(content.get("message", ""))
    if not text.strip() or len(text) > 63_206:
        raise refused(100, "Invalid parameter")
    made = request.app[SANDBOX].add(NAME, account, text, raw=content)
    return web.json_response({"id": made.number})


async def _feed(request: web.Request) -> web.Response:
    found = request.app[SANDBOX].of(NAME, account_of(request))[::-1]
    return web.json_response(
        {
            "data": [
                {"id": item.number, "message": item.text, "created_time": moment(item)} for item in found[:25]
            ]
        }
    )


async def _page(request: web.Request) -> web.Response:
    account_of(request)
    return web.json_response({"id": request.match_info["page"]})


async def _edit(request: web.Request) -> web.Response:
    found, content = own(request, NAME), await body_of(request)
    if not request.app[SANDBOX].edits_allowed:
        raise refused(200, "This post can't be edited", web.HTTPForbidden)
    found.text, found.state = str(content.get("message", "")), "edited"
    return web.json_response({"success": True})


async def _delete(request: web.Request) -> web.Response:
    own(request, NAME).state = "deleted"
    return web.json_response({"success": True})
