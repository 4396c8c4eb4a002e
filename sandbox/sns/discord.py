"""Discord: webhooks with their messages. Source: docs.discord.com."""

from __future__ import annotations

from aiohttp import web

from sandbox.sns.keys import SANDBOX, body_of, problem
from sandbox.sns.state import Post

NAME = "discord"
LIMIT = 2_000
UNKNOWN_MESSAGE = {"message": "Unknown Message", "code": 10008}


def routes() -> list[web.RouteDef]:
    base = "/discord/api/webhooks/{id}/{token}"
    return [
        web.post(base, _post),
        web.get(base, _about),
        web.patch(f"{base}/messages/{{message}}", _edit),
        web.delete(f"{base}/messages/{{message}}", _delete),
    ]


def _account(request: web.Request) -> str:
    account = request.match_info["token"]
    if account in request.app[SANDBOX].refused_tokens:
        raise problem(web.HTTPUnauthorized, {"message": "Invalid Webhook Token", "code": 50027})
    if account in request.app[SANDBOX].suspended:
        raise problem(web.HTTPNotFound, {"message": "Unknown Webhook", "code": 10015})
    return account


async def _post(request: web.Request) -> web.Response:
    account, content = _account(request), await body_of(request)
    text = _text(str(content.get("content", "")))
    made = request.app[SANDBOX].add(NAME, account, text, raw=content)
    if request.query.get("wait") != "true":
        return web.Response(status=204)
    return web.json_response({"id": made.number, "content": text})


async def _about(request: web.Request) -> web.Response:
    return web.json_response({"id": request.match_info["id"], "name": _account(request)})


async def _edit(request: web.Request) -> web.Response:
    found, content = _own(request), await body_of(request)
    if not request.app[SANDBOX].edits_allowed:
        raise problem(web.HTTPForbidden, {"message": "Missing Permissions", "code": 50013})
    found.text, found.state = _text(str(content.get("content", ""))), "edited"
    return web.json_response({"id": found.number, "content": found.text})


async def _delete(request: web.Request) -> web.Response:
    _own(request).state = "deleted"
    return web.Response(status=204)


def _text(text: str) -> str:
    if not text.strip() or len(text.encode("utf-16-le")) // 2 > LIMIT:
        raise problem(web.HTTPBadRequest, {"message": "Invalid Form Body", "code": 50035})
    return text


def _own(request: web.Request) -> Post:
    found = request.app[SANDBOX].find(NAME, request.match_info["message"], _account(request))
    if found is None:
        raise problem(web.HTTPNotFound, UNKNOWN_MESSAGE)
    return found
