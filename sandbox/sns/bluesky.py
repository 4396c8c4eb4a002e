"""Bluesky: sessions and the records of one collection. Source: docs.bsky.app; a second record under a key is
answered with 500, as the reference server does (atproto issue 3718)."""

from __future__ import annotations

import hashlib
from typing import Any

import regex
from aiohttp import web

from sandbox.sns.keys import SANDBOX, bearer, body_of, checked, problem
from sandbox.sns.state import Post

NAME = "bluesky"
LIMIT, BYTES = 300, 3_000
KEY = regex.compile(r"[234567abcdefghij][234567abcdefghijklmnopqrstuvwxyz]{12}")
XRPC = "/bluesky/xrpc"


def routes() -> list[web.RouteDef]:
    return [
        web.post(f"{XRPC}/com.atproto.server.createSession", _log_in),
        web.post(f"{XRPC}/com.atproto.server.refreshSession", _refresh),
        web.post(f"{XRPC}/com.atproto.repo.createRecord", _create),
        web.post(f"{XRPC}/com.atproto.repo.deleteRecord", _delete),
        web.get(f"{XRPC}/com.atproto.repo.getRecord", _get),
    ]


async def _log_in(request: web.Request) -> web.Response:
    content = await body_of(request)
    return _session(checked(request, str(content.get("password", ""))))


async def _refresh(request: web.Request) -> web.Response:
    return _session(checked(request, bearer(request).removeprefix("refresh-")))


def _session(account: str) -> web.Response:
    did = f"did:plc:{account}"
    return web.json_response(
        {"accessJwt": account, "refreshJwt": f"refresh-{account}", "did": did, "handle": account}
    )


async def _create(request: web.Request) -> web.Response:
    sandbox, account, content = request.app[SANDBOX], bearer(request), await body_of(request)
    key, record = str(content.get("rkey", "")), content.get("record")
    if not KEY.fullmatch(key) or not isinstance(record, dict):
        raise problem(web.HTTPBadRequest, {"error": "InvalidRequest", "message": "Invalid record key"})
    text = str(record.get("text", ""))
    if len(regex.findall(r"\X", text)) > LIMIT or len(text.encode()) > BYTES:
        raise problem(
            web.HTTPBadRequest, {"error": "InvalidRequest", "message": "Invalid app.bsky.feed.post record"}
        )
    for facet in record.get("facets", []):
        index = facet["index"]
        linked = text.encode()[index["byteStart"] : index["byteEnd"]].decode()
        if linked != facet["features"][0]["uri"]:
            raise problem(web.HTTPBadRequest, {"error": "InvalidRequest", "message": "facet out of place"})
    if any(item.number == key and item.account == account for item in sandbox.posts):
        raise problem(
            web.HTTPInternalServerError, {"error": "InternalServerError", "message": "Internal Server Error"}
        )
    parent = ((record.get("reply") or {}).get("parent") or {}).get("uri", "")
    made = sandbox.add(NAME, account, text, number=key, reply_to=str(parent).rpartition("/")[2], raw=record)
    return web.json_response(_shown(made))


async def _delete(request: web.Request) -> web.Response:
    content = await body_of(request)
    found = request.app[SANDBOX].find(NAME, str(content.get("rkey", "")), bearer(request))
    if found is not None:
        found.state = "deleted"
    return web.json_response({})


async def _get(request: web.Request) -> web.Response:
    found = request.app[SANDBOX].find(NAME, request.query.get("rkey", ""), bearer(request))
    if found is None:
        raise problem(web.HTTPBadRequest, {"error": "RecordNotFound", "message": "Could not locate record"})
    return web.json_response({**_shown(found), "value": found.raw})


def _shown(item: Post) -> dict[str, Any]:
    cid = "bafyrei" + hashlib.sha256(item.first_text.encode()).hexdigest()[:32]
    return {"uri": f"at://did:plc:{item.account}/app.bsky.feed.post/{item.number}", "cid": cid}
