"""X: posts, replies, deletions and the own timeline; the same words again are refused. Source: docs.x.com."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from typing import Any

import regex
from aiohttp import web

from sandbox.sns.keys import SANDBOX, body_of, checked, problem

NAME = "x"
LIMIT, LINK_WEIGHT = 280, 23
LINK = regex.compile(r"https?://[\x21-\x7e]+")
TOKEN = regex.compile(r'oauth_token="([^"]*)"')
LIGHT = (range(4_352), range(8_192, 8_206), range(8_208, 8_224), range(8_242, 8_248))


def routes() -> list[web.RouteDef]:
    return [
        web.post("/x/2/tweets", _post),
        web.delete("/x/2/tweets/{id}", _delete),
        web.get("/x/2/users/me", _me),
        web.get("/x/2/users/{id}/tweets", _timeline),
    ]


def weight(text: str) -> int:
    """As in the documentation: 2 for what is neither European nor punctuation, and for each emoji."""
    plain = LINK.sub("", unicodedata.normalize("NFC", text))
    total = LINK_WEIGHT * len(LINK.findall(text))
    for one in regex.findall(r"\X", plain):
        heavy = [any(ord(sign) in light for light in LIGHT) for sign in one]
        total += 2 if regex.search(r"\p{Emoji_Presentation}", one) else sum(2 - light for light in heavy)
    return total


def _account(request: web.Request) -> str:
    header = request.headers.get("Authorization", "")
    found = TOKEN.search(header) if "oauth_signature=" in header else None
    return checked(request, found.group(1) if found else "")


async def _post(request: web.Request) -> web.Response:
    sandbox, account, content = request.app[SANDBOX], _account(request), await body_of(request)
    text = str(content.get("text", ""))
    reply_to = str((content.get("reply") or {}).get("in_reply_to_tweet_id", ""))
    if not text.strip() or weight(text) > LIMIT:
        raise problem(
            web.HTTPBadRequest, {"title": "Invalid Request", "detail": "Your Tweet text is too long."}
        )
    if reply_to and sandbox.find(NAME, reply_to) is None:
        detail = "You attempted to reply to a Tweet that is deleted or not visible to you."
        raise problem(web.HTTPForbidden, {"title": "Forbidden", "detail": detail})
    if any(item.first_text == text for item in sandbox.of(NAME, account)):
        detail = "You are not allowed to create a Tweet with duplicate content."
        raise problem(web.HTTPForbidden, {"title": "Forbidden", "status": 403, "detail": detail})
    made = sandbox.add(NAME, account, text, reply_to=reply_to, raw=content)
    return web.json_response({"data": {"id": made.number, "text": text}}, status=201)


async def _delete(request: web.Request) -> web.Response:
    found = request.app[SANDBOX].find(NAME, request.match_info["id"], _account(request))
    if found is None:
        raise problem(web.HTTPNotFound, {"title": "Not Found Error"})
    found.state = "deleted"
    return web.json_response({"data": {"deleted": True}})


async def _me(request: web.Request) -> web.Response:
    account = _account(request)
    return web.json_response({"data": {"id": account, "username": account}})


async def _timeline(request: web.Request) -> web.Response:
    found = request.app[SANDBOX].of(NAME, _account(request))[::-1]
    shown: list[dict[str, Any]] = [
        {
            "id": item.number,
            "text": LINK.sub("https://t.co/abcdefghij", item.text).replace("&", "&amp;"),
            "created_at": datetime.fromtimestamp(item.created_at, UTC).isoformat().replace("+00:00", "Z"),
        }
        for item in found[: int(request.query.get("max_results", "10"))]
    ]
    return web.json_response({"data": shown} if shown else {"meta": {"result_count": 0}})
