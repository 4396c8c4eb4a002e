"""How a picture is handed out: with its own type and nothing else, and known again by its content."""

from __future__ import annotations

from aiohttp import web

from content.notices import pictures

PICTURE = r"{name:[0-9a-f]{40}-[0-9]{1,5}x[0-9]{1,5}\.(?:jpg|png)}"


def picture_response(request: web.Request, name: str, content: bytes, cache: str) -> web.Response:
    tag = etag_of(name)
    headers = {"Cache-Control": cache, "ETag": tag}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=content, content_type=pictures.TYPES[name.rpartition(".")[2]], headers=headers)


def etag_of(name: str) -> str:
    """Its name begins with the hash of its content."""
    return f'"{name.partition("-")[0]}"'
