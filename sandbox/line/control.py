"""What the handlers of the control API share. The control API is the sandbox's own, under /_sandbox/."""

from __future__ import annotations

import json
from typing import Any

from aiohttp import web

from sandbox.line.errors import Json
from sandbox.line.state import Channel, LineSandbox
from sandbox.line.users import User

SANDBOX_KEY: web.AppKey[LineSandbox] = web.AppKey("line_sandbox", LineSandbox)


def sandbox_of(request: web.Request) -> LineSandbox:
    """The sandbox behind a request."""
    return request.app[SANDBOX_KEY]


def channel_of(request: web.Request) -> Channel:
    """The channel named by `?channel=`, else the first. Raises 404."""
    sandbox = sandbox_of(request)
    channel = sandbox.channels.get(request.query.get("channel", sandbox.options.channel_id))
    if channel is None:
        raise problem(404, "no such channel")
    return channel


def user_of(request: web.Request) -> User:
    """The user of the path. Raises 404."""
    user = channel_of(request).users.get(request.match_info["userId"])
    if user is None:
        raise problem(404, "no such user")
    return user


async def body_of(request: web.Request) -> Json:
    """The JSON object of a request, {} for an empty body. Raises 400."""
    raw = await request.read()
    try:
        body = json.loads(raw) if raw else {}
    except ValueError:
        raise problem(400, "the body is not JSON") from None
    if not isinstance(body, dict):
        raise problem(400, "the body must be a JSON object")
    return body


def answer(data: Any, status: int = 200) -> web.Response:
    """A JSON answer in UTF-8."""
    return web.Response(
        body=json.dumps(data, ensure_ascii=False).encode("utf-8", "replace"),
        status=status,
        content_type="application/json",
        charset="utf-8",
    )


def problem(status: int, message: str) -> web.HTTPException:
    """An exception that answers `{"message": …}`."""
    kinds: dict[int, type[web.HTTPException]] = {404: web.HTTPNotFound, 409: web.HTTPConflict}
    kind = kinds.get(status, web.HTTPBadRequest)
    return kind(text=json.dumps({"message": message}, ensure_ascii=False), content_type="application/json")


def number_in(request: web.Request, name: str, default: int) -> int:
    """A whole number from the query. Raises 400."""
    given = request.query.get(name, str(default))
    if not given.isdecimal():
        raise problem(400, f"{name} must be a whole number")
    return int(given)
