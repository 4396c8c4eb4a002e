"""Where the handlers find the state, and how they know who calls."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from sandbox.sns.state import SnsSandbox

SANDBOX = web.AppKey("sandbox", SnsSandbox)


def bearer(request: web.Request) -> str:
    """The account of a call, which is its token. Raises 401 and 403 as services do."""
    token = request.headers.get("Authorization", "").removeprefix("Bearer ").strip()
    return checked(request, token)


def checked(request: web.Request, token: str) -> str:
    """The account of a token."""
    sandbox = request.app[SANDBOX]
    if not token or token in sandbox.refused_tokens:
        raise problem(web.HTTPUnauthorized, {"error": "The access token is invalid"})
    if token in sandbox.suspended:
        raise problem(web.HTTPForbidden, {"error": "Your login is currently disabled"})
    return token


def problem(kind: type[web.HTTPError], content: Any) -> web.HTTPError:
    """An error with a JSON body."""
    return kind(text=json.dumps(content), content_type="application/json")


async def body_of(request: web.Request) -> dict[str, Any]:
    """The JSON object or the form of a call."""
    if request.content_type == "application/json":
        try:
            content = await request.json()
        except ValueError:
            raise problem(web.HTTPBadRequest, {"error": "invalid JSON"}) from None
        return content if isinstance(content, dict) else {}
    return dict(await request.post())
