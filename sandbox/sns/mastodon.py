"""Mastodon: statuses with idempotency keys, replies, edits and deletions. Source: docs.joinmastodon.org."""

from __future__ import annotations

import html
from datetime import UTC, datetime
from typing import Any

import regex
from aiohttp import web

from sandbox.sns.keys import SANDBOX, bearer, body_of, problem
from sandbox.sns.state import Post

NAME = "mastodon"
LIMIT, LINK_LENGTH = 500, 23
LINK = regex.compile(r"https?://[\x21-\x7e]+")
NOT_FOUND = {"error": "Record not found"}


def routes() -> list[web.RouteDef]:
    return [
        web.get("/mastodon/api/v1/accounts/verify_credentials", _who),
        web.get("/mastodon/api/v1/accounts/{id}/statuses", _statuses),
        web.post("/mastodon/api/v1/statuses", _post),
        web.put("/mastodon/api/v1/statuses/{id}", _edit),
        web.delete("/mastodon/api/v1/statuses/{id}", _delete),
    ]


def length(text: str) -> int:
    return len(regex.findall(r"\X", LINK.sub("x" * LINK_LENGTH, text)))


async def _who(request: web.Request) -> web.Response:
    return web.json_response({"id": bearer(request), "username": bearer(request)})


async def _statuses(request: web.Request) -> web.Response:
    found = request.app[SANDBOX].of(NAME, bearer(request))
    newest = found[::-1][: int(request.query.get("limit", "20"))]
    return web.json_response([_shown(request, item) for item in newest])


async def _post(request: web.Request) -> web.Response:
    sandbox, account, content = request.app[SANDBOX], bearer(request), await body_of(request)
    text, reply_to = str(content.get("status", "")), str(content.get("in_reply_to_id") or "")
    key = request.headers.get("Idempotency-Key", "")
    known = next((item for item in sandbox.of(NAME, account) if key and item.key == key), None)
    if known is not None:
        return web.json_response(_shown(request, known))
    if not text.strip():
        raise problem(web.HTTPUnprocessableEntity, {"error": "Validation failed: Text can't be blank"})
    if length(text) > LIMIT:
        words = f"Validation failed: Text character limit of {LIMIT} exceeded"
        raise problem(web.HTTPUnprocessableEntity, {"error": words})
    if reply_to and sandbox.find(NAME, reply_to) is None:
        raise problem(web.HTTPNotFound, NOT_FOUND)
    made = sandbox.add(NAME, account, text, reply_to=reply_to, key=key, raw=content)
    return web.json_response(_shown(request, made))


async def _edit(request: web.Request) -> web.Response:
    found, content = _own(request), await body_of(request)
    if not request.app[SANDBOX].edits_allowed:
        raise problem(web.HTTPUnprocessableEntity, {"error": "This post can no longer be edited"})
    found.text, found.state = str(content.get("status", "")), "edited"
    return web.json_response(_shown(request, found))


async def _delete(request: web.Request) -> web.Response:
    found = _own(request)
    found.state = "deleted"
    return web.json_response(_shown(request, found))


def _own(request: web.Request) -> Post:
    found = request.app[SANDBOX].find(NAME, request.match_info["id"], bearer(request))
    if found is None:
        raise problem(web.HTTPNotFound, NOT_FOUND)
    return found


def _shown(request: web.Request, item: Post) -> dict[str, Any]:
    return {
        "id": item.number,
        "created_at": datetime.fromtimestamp(item.created_at, UTC).isoformat().replace("+00:00", "Z"),
        "url": f"{request.url.origin()}/@{item.account}/{item.number}",
        "in_reply_to_id": item.reply_to or None,
        "content": f"<p>{_linked(item.text)}</p>",
    }


def _linked(text: str) -> str:
    """As the server renders it: an address comes in pieces, of which only some are seen."""
    paragraphs = html.escape(text, quote=False).replace("\n\n", "</p><p>").replace("\n", "<br />")
    linked = LINK.sub(
        lambda found: (
            f'<a href="{found.group()}"><span class="invisible">{found.group()[:8]}</span>'
            f'<span class="ellipsis">{found.group()[8:]}</span></a>'
        ),
        paragraphs,
    )
    return str(linked)
