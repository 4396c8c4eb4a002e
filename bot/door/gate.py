"""What happens to one request at the door: read whole, judged, passed on, answered."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from urllib.parse import unquote

from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout, web
from aiohttp.web_request import BaseRequest
from multidict import CIMultiDict
from yarl import URL

from bot.door.body_limits import body_limit, is_large
from bot.door.headers import ONE_HOP, SOURCE
from bot.door.kept import Kept, is_shared, kept_as
from bot.door.lanes import Lane, NoRoom
from bot.door.limits import LANES, Limits, lane_of
from bot.door.refusals import refusal
from bot.door.renewal import Renewal
from bot.door.short_way import ShortWay
from bot.door.source import Network, household, source
from bot.door.visit import Visit

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# What the visitor has already: the door answers that by itself for pages that it keeps.
KNOWN = ("If-None-Match", "If-Modified-Since")
APART = ("Range", "Authorization")
PIECE = 64 * 1024


class Refused(Exception):
    """The request goes no further; its status says why."""

    def __init__(self, status: int) -> None:
        self.status = status


class Gate:
    """Use `handle` as the handler of a Door."""

    def __init__(
        self,
        inner: ClientSession,
        limits: Limits,
        proxies: tuple[Network, ...],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._inner = inner
        self._limits = limits
        self._proxies = proxies
        self._lanes = {name: Lane(limit, limits.wait_within) for name, limit in LANES.items()}
        self._kept = Kept(clock)
        self._renewal = Renewal(inner, self._kept, self._lanes["renewal"], limits)
        self.short_way = ShortWay(self._renewal)
        # Bytes that are held, of large bodies and of all others.
        self._bodies = {True: 0, False: 0}

    async def handle(self, request: BaseRequest) -> web.StreamResponse:
        path = ""
        held, large = 0, False
        try:
            path = _path(request)
            _judge(request)
            limit = body_limit(path)
            large = is_large(limit)
            body = await self._read(request, limit)
            held = len(body)
            _visit(request).is_served()
            return await self._pass_on(request, path, body)
        except Refused as refused:
            return refusal(refused.status, path)
        except NoRoom:
            return refusal(503, path)
        except TimeoutError:
            return refusal(504, path)
        except ClientError:
            # The process behind is starting, stopping or in trouble.
            return refusal(503, path)
        finally:
            self._bodies[large] -= held

    async def _read(self, request: BaseRequest, limit: int) -> bytes:
        """The whole body, counted among those of all visitors while it is held."""
        large = is_large(limit)
        most = self._limits.large_bodies if large else self._limits.bodies
        if request.method in ("GET", "HEAD"):
            limit = 0
        if (request.content_length or 0) > limit:
            raise Refused(413)
        body = bytearray()
        try:
            async with asyncio.timeout(self._limits.body_within):
                if request.headers.get("Expect", "").lower() == "100-continue" and request.version >= (1, 1):
                    await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
                async for piece in request.content.iter_any():
                    body += piece
                    self._bodies[large] += len(piece)
                    if len(body) > limit:
                        raise Refused(413)
                    if self._bodies[large] > most:
                        raise Refused(503)
        except BaseException as error:
            self._bodies[large] -= len(body)
            if isinstance(error, TimeoutError):
                raise Refused(408) from error
            if isinstance(error, (web.RequestPayloadError, ClientError)):
                raise Refused(400) from error
            raise
        return bytes(body)

    async def _pass_on(self, request: BaseRequest, path: str, body: bytes) -> web.StreamResponse:
        raw, asked = request.raw_path, request.headers
        name, shared = kept_as(raw), is_shared(path) and not any(header in asked for header in APART)
        may_keep = request.method == "GET" and (
            shared or not any(header in asked for header in KNOWN + APART)
        )
        if shared and request.method in ("GET", "HEAD") and (page := await self._renewal.page(name)):
            return page.answer(asked)
        if may_keep and (page := self._kept.find(name)):
            return page.answer(asked)
        address = source(
            _visit(request).address, request.headers.getall("X-Forwarded-For", []), self._proxies
        )
        async with self._lanes[lane_of(path)].place(household(address)):
            # Whoever stood before us in the lane may have brought it.
            if may_keep and (page := self._kept.find(name)):
                return page.answer(asked)
            async with self._inner.request(
                request.method,
                URL(f"http://pages{raw}", encoded=True),
                headers=_inner_headers(request, address, KNOWN if may_keep else ()),
                data=body or None,
                allow_redirects=False,
                timeout=ClientTimeout(total=self._limits.answer_within),
            ) as answer:
                page_or_stream = await self._bring(request, answer)
        if may_keep and isinstance(page_or_stream, web.Response):
            kept = self._kept.keep(name, page_or_stream)
            return kept.answer(asked) if kept else page_or_stream
        return page_or_stream

    async def _bring(self, request: BaseRequest, answer: ClientResponse) -> web.StreamResponse:
        """The answer as a whole, so that its place inside is free before a slow reader has it all."""
        headers = CIMultiDict(
            (name, value) for name, value in answer.headers.items() if name.lower() not in ONE_HOP
        )
        size = answer.content_length or 0
        if request.method == "HEAD":
            if "Content-Length" in answer.headers:
                headers["Content-Length"] = answer.headers["Content-Length"]
            return web.Response(status=answer.status, headers=headers)
        if size <= self._limits.held_answer:
            body = await answer.content.read(self._limits.held_answer)
            while not answer.content.at_eof() and len(body) < self._limits.held_answer:
                body += await answer.content.read(self._limits.held_answer - len(body))
            if answer.content.at_eof():
                return web.Response(status=answer.status, body=body, headers=headers)
        else:
            body = b""
        return await self._stream(request, answer, headers, body)

    async def _stream(
        self, request: BaseRequest, answer: ClientResponse, headers: CIMultiDict[str], begun: bytes
    ) -> web.StreamResponse:
        stream = web.StreamResponse(status=answer.status, headers=headers)
        try:
            await stream.prepare(request)
            await stream.write(begun)
            async for piece in answer.content.iter_chunked(PIECE):
                async with asyncio.timeout(self._limits.read_within):
                    await stream.write(piece)
        except (TimeoutError, ClientError):
            # Half of it has gone: an error page behind it would be taken for content.
            _visit(request).send_away()
        return stream


def _visit(request: BaseRequest) -> Visit:
    assert isinstance(request.protocol, Visit)
    return request.protocol


def _path(request: BaseRequest) -> str:
    """The path that limits and lanes go by, decoded as the pages behind decode it."""
    raw = request.raw_path
    if not raw.startswith("/") or not raw.isascii() or "#" in raw or any(char <= " " for char in raw):
        raise Refused(400)
    try:
        path = unquote(raw.partition("?")[0], errors="strict")
    except UnicodeDecodeError as error:
        raise Refused(400) from error
    if any(char < " " or char == "\x7f" for char in path):
        raise Refused(400)
    return path


def _judge(request: BaseRequest) -> None:
    if request.method not in METHODS:
        raise Refused(405)
    hosts = request.headers.getall("Host", [])
    if len(hosts) > 1 or (not hosts and request.version >= (1, 1)):
        raise Refused(400)
    if request.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        # A few kilobytes can unpack to gigabytes.
        raise Refused(415)
    # Two ways to say where a body ends are one too many; the other one may believe the other.
    coding = request.headers.getall("Transfer-Encoding", [])
    if coding and (coding != ["chunked"] or "Content-Length" in request.headers):
        raise Refused(400)


def _inner_headers(request: BaseRequest, address: str, without: tuple[str, ...] = ()) -> CIMultiDict[str]:
    ours = {SOURCE.lower(), "forwarded", "x-forwarded-for"}
    named = {name.strip().lower() for name in request.headers.get("Connection", "").split(",")}
    # What a client calls a matter of this connection alone may not take away what the pages go by.
    dropped = (
        ONE_HOP
        | ours
        | {name.lower() for name in without}
        | (named - {"host", "cookie", "origin", "sec-fetch-site", "content-type"})
    )
    headers = CIMultiDict(
        (name, value) for name, value in request.headers.items() if name.lower() not in dropped
    )
    headers[SOURCE] = address
    return headers
