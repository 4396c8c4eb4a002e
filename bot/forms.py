"""The one reader of what browsers send: a form in UTF-8, of a size that fits its page.

A client that names the charset of its form names the decoder that we run, and some of Python's take
minutes for a few hundred kilobytes. Our pages are UTF-8, so nothing else is read. The one form that may carry
a file has a reader of its own, bot.multipart.
"""

from __future__ import annotations

from urllib.parse import parse_qsl

from aiohttp import web
from multidict import MultiDict, MultiDictProxy

from bot.door.body_limits import body_limit

FORM = "application/x-www-form-urlencoded"
MOST_FIELDS = 500
Fields = MultiDictProxy[str]
FIELDS: web.RequestKey[Fields] = web.RequestKey("fields", MultiDictProxy)


async def read_fields(request: web.Request) -> Fields:
    """The fields of the sent form; the second call gives the same. Without a body there are none.

    Raises 415 for what is no form in UTF-8, 413 for one that is too large, 400 for one that cannot be read.
    """
    if FIELDS not in request:
        request[FIELDS] = MultiDictProxy(MultiDict(await _read(request)))
    return request[FIELDS]


async def read_body(request: web.Request) -> bytes:
    """The whole body. Raises 415 for a packed one, 413 for one larger than its path admits."""
    refuse_packed(request)
    limit, body = body_limit(request.path), bytearray()
    if (request.content_length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(limit, request.content_length or 0)
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > limit:
            raise web.HTTPRequestEntityTooLarge(limit, len(body))
    return bytes(body)


def refuse_packed(request: web.Request) -> None:
    """Raises 415: a few kilobytes can unpack to gigabytes."""
    if request.headers.get("Content-Encoding", "identity").strip().lower() not in ("", "identity"):
        raise web.HTTPUnsupportedMediaType


async def _read(request: web.Request) -> list[tuple[str, str]]:
    if not request.body_exists:
        return []
    if request.content_type != FORM or (request.charset or "utf-8").strip().lower() not in ("utf-8", "utf8"):
        raise web.HTTPUnsupportedMediaType
    body = await read_body(request)
    try:
        return parse_qsl(
            body.decode("utf-8"), keep_blank_values=True, errors="strict", max_num_fields=MOST_FIELDS
        )
    except ValueError as error:
        raise web.HTTPBadRequest from error
