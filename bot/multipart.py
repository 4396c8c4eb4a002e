"""The one reader of a form with a file: plain fields, and one file under one name, both of a limited size.

The body has come whole and within its limit through the door; nothing here is unpacked or decoded by a name
that the sender chose.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiohttp import BodyPartReader, web
from aiohttp.http import HttpProcessingError as BadHttpMessage
from multidict import MultiDict, MultiDictProxy

from bot.door.body_limits import PICTURE_PATH, body_limit
from bot.forms import FIELDS, MOST_FIELDS, Fields, read_fields, refuse_packed

MULTIPART = "multipart/form-data"
FILE_FIELD = "picture_file"
FIELDS_LIMIT = 512 * 1024
NAME_LIMIT = 200
READ_WITHIN = 30.0
# A part is taken as it is; a few kilobytes can unpack to gigabytes.
HOW_PACKED = {"content-encoding", "content-transfer-encoding"}


@dataclass(frozen=True, slots=True)
class SentFile:
    """`name` is what the sender calls it: for people to recognise it by, and for nothing else."""

    name: str
    content: bytes = field(repr=False)


# None or one.
SENT_FILES: web.RequestKey[list[SentFile]] = web.RequestKey("sent_files", list)


async def read_form_with_file(request: web.Request) -> tuple[Fields, SentFile | None]:
    """The fields, and the file if one was chosen; the second call gives the same. A plain form has none.

    Raises 400, 408, 413 and 415, as bot.forms does.
    """
    if request.path != PICTURE_PATH or request.content_type != MULTIPART:
        return await read_fields(request), None
    if FIELDS not in request:
        fields, sent = await _read(request)
        request[FIELDS], request[SENT_FILES] = MultiDictProxy(fields), [sent] if sent else []
    files = request[SENT_FILES]
    return request[FIELDS], files[0] if files else None


async def _read(request: web.Request) -> tuple[MultiDict[str], SentFile | None]:
    refuse_packed(request)
    limit = body_limit(request.path)
    if (request.content_length or 0) > limit:
        raise web.HTTPRequestEntityTooLarge(limit, request.content_length or 0)
    try:
        async with asyncio.timeout(READ_WITHIN):
            return await _parts(request, limit)
    except TimeoutError as error:
        raise web.HTTPRequestTimeout from error
    except (ValueError, LookupError, AssertionError, RuntimeError, BadHttpMessage, TypeError) as error:
        # What the reader raises for a boundary or a head that is none.
        raise web.HTTPBadRequest from error


async def _parts(request: web.Request, limit: int) -> tuple[MultiDict[str], SentFile | None]:
    fields: MultiDict[str] = MultiDict()
    sent: SentFile | None = None
    left = FIELDS_LIMIT
    async for part in await request.multipart():
        if not isinstance(part, BodyPartReader) or HOW_PACKED & {name.lower() for name in part.headers}:
            raise web.HTTPBadRequest
        if part.filename is not None:
            if part.name != FILE_FIELD or sent is not None:
                raise web.HTTPBadRequest
            sent = SentFile(part.filename[:NAME_LIMIT], await _content(part, limit - FIELDS_LIMIT))
            continue
        value = await _content(part, left)
        left -= len(value)
        if len(fields) >= MOST_FIELDS or request.content.total_bytes > limit:
            raise web.HTTPBadRequest
        fields.add(part.name or "", value.decode("utf-8"))
    # A browser sends an empty file where none was chosen.
    return fields, sent if sent and (sent.name or sent.content) else None


async def _content(part: BodyPartReader, limit: int) -> bytes:
    content = bytearray()
    while piece := await part.read_chunk():
        content += piece
        if len(content) > limit:
            raise web.HTTPRequestEntityTooLarge(limit, len(content))
    return bytes(content)
