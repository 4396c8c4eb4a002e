"""Threads: containers with or without a picture, published once. Source: developers.facebook.com, "Threads API"."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from sandbox.sns.meta import container_routes, own, refused

NAME = "threads"


def routes() -> list[web.RouteDef]:
    return [
        *container_routes(NAME, "threads", "threads_publish", "status", "text", _check),
        web.delete("/threads/{id}", _delete),
    ]


def _check(content: dict[str, Any]) -> None:
    text = str(content.get("text", ""))
    if len(text) + sum(3 for sign in text if sign > "\uffff") > 500:
        raise refused(100, "Param text must be at most 500 characters long")


async def _delete(request: web.Request) -> web.Response:
    own(request, NAME).state = "deleted"
    return web.json_response({"success": True})
