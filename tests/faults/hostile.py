"""What strangers do to a door that is open to the whole internet, each until it is stopped."""

from __future__ import annotations

import asyncio
import gzip
import random
import secrets
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from aiohttp import ClientError, ClientSession, ClientTimeout, DummyCookieJar, TCPConnector

from bot.forms import FORM

# It stands in everything that is sent, so that it can be looked for where it must not be.
MARK = "ato-wo-nokosanai"


@dataclass
class Attack:
    """Where it goes, and what came back: answers by status, and connections that were ended."""

    port: int
    answers: dict[int, int] = field(default_factory=dict)
    ended: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def count(self, status: int) -> None:
        self.answers[status] = self.answers.get(status, 0) + 1


Hostile = Callable[[Attack], Coroutine[Any, Any, None]]


async def idle_connections(attack: Attack) -> None:
    """1,010 open sockets, each opened anew as soon as it is closed."""
    await _many(1010, lambda: _trickle(attack, b"", b"", 1.0))


async def slow_heads(attack: Attack) -> None:
    head = f"GET /{MARK} HTTP/1.1\r\nHost: a\r\nX-{MARK}: ".encode()
    await _many(500, lambda: _trickle(attack, head, b"a", 0.5))


async def slow_bodies(attack: Attack) -> None:
    head = f"POST /console/login HTTP/1.1\r\nHost: a\r\nContent-Type: {FORM}\r\nContent-Length: 16000\r\n\r\n"
    await _many(500, lambda: _trickle(attack, head.encode(), b"a", 0.5))


async def slow_readers(attack: Attack) -> None:
    words = b"GET /static/kairanban.css HTTP/1.1\r\nHost: a\r\n\r\n" * 50
    await _many(200, lambda: _trickle(attack, words, b"", 1.0, read=False))


async def form_charsets(attack: Attack) -> None:
    body = b"login=e28h" + b"a" * 400_000
    kinds = ("punycode", "unicode_escape", "idna", "utf-7", MARK)
    await _post_all(
        attack, [("/console/login", body, {"Content-Type": f"{FORM}; charset={kind}"}) for kind in kinds]
    )


async def packed_bodies(attack: Attack) -> None:
    bomb = gzip.compress(b"a" * 10_000_000)
    headers = {"Content-Type": FORM, "Content-Encoding": "gzip"}
    await _post_all(
        attack, [(path, bomb, headers) for path in ("/console/login", "/line/webhook", "/unsubscribe/x")]
    )


async def page_flood(attack: Attack) -> None:
    """Pages that no copy can be kept of, 64 visitors at once."""
    async with _browser() as browser:
        await _many(64, lambda: _get(attack, browser, f"/?{MARK}={random.random()}"))


async def login_flood(attack: Attack) -> None:
    def body() -> bytes:
        return f"login={random.choice(('admin', MARK))}&password={MARK}".encode()

    await _post_all(
        attack, [("/console/login", body(), {"Content-Type": FORM}) for _ in range(32)], at_once=32
    )


async def forged_tokens(attack: Attack) -> None:
    signed = {"Content-Type": "application/json", "X-Line-Signature": secrets.token_urlsafe(32)}
    tries = [
        ("/line/webhook", b'{"events": [' + b'{"type": "follow"},' * 20_000 + b"{}]}", signed),
        (f"/unsubscribe/{secrets.token_urlsafe(24)}", b"List-Unsubscribe=One-Click", {"Content-Type": FORM}),
        ("/console/logout", b"csrf=a", {"Content-Type": FORM, "Cookie": f"kairanban_session={MARK}.a.b"}),
        (
            "/console/notices/new",
            b"csrf=a",
            {"Content-Type": FORM, "Cookie": "kairanban_session=" + "a" * 3000},
        ),
    ]
    await _post_all(attack, tries)


async def malformed_requests(attack: Attack) -> None:
    kinds = (
        f"GET /{MARK} HTTP/9.9\r\nCookie: {MARK}\r\n\r\n".encode(),
        f"GET /unsubscribe/{MARK} HTTP/1.1\r\nHost: a\r\nCookie: {MARK}\x00\r\n\r\n".encode(),
        f"POST /{MARK} HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n".encode(),
        b"GET / HTTP/1.1\r\n" + b"X: " + MARK.encode() * 800 + b"\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\r\n" * 20,
        secrets.token_bytes(400) + b"\r\n\r\n",
    )
    await _many(32, lambda: _trickle(attack, random.choice(kinds), b"", 0.05, once=True))


HOSTILE: dict[str, Hostile] = {
    name.__name__: name
    for name in (
        idle_connections,
        slow_heads,
        slow_bodies,
        slow_readers,
        form_charsets,
        packed_bodies,
        page_flood,
        login_flood,
        forged_tokens,
        malformed_requests,
    )
}


async def _many(number: int, once: Callable[[], Awaitable[None]]) -> None:
    """So many side by side, each again and again."""

    async def repeat() -> None:
        while True:
            with suppress(OSError, ClientError, TimeoutError, asyncio.IncompleteReadError):
                await once()
            # The attacker brings a machine of its own; here it must not take all of ours.
            await asyncio.sleep(0.02)

    async with asyncio.TaskGroup() as group:
        for _ in range(number):
            group.create_task(repeat())


async def _trickle(
    attack: Attack, first: bytes, then: bytes, pause: float, *, read: bool = True, once: bool = False
) -> None:
    """Say something, then a little more at a time, until the other side has had enough."""
    reader, writer = await asyncio.open_connection("127.0.0.1", attack.port, limit=4096)
    try:
        writer.write(first)
        while True:
            if not read:
                await asyncio.sleep(pause)
            else:
                with suppress(TimeoutError):
                    async with asyncio.timeout(pause):
                        if not await reader.read(4096):
                            attack.ended += 1
                            return
            if once or writer.is_closing():
                return
            writer.write(then)
    finally:
        writer.close()


def _browser() -> ClientSession:
    connector = TCPConnector(limit=0, force_close=False)
    return ClientSession(connector=connector, cookie_jar=DummyCookieJar(), timeout=ClientTimeout(total=30))


async def _get(attack: Attack, browser: ClientSession, path: str) -> None:
    async with browser.get(attack.url + path, allow_redirects=False) as answer:
        await answer.read()
        attack.count(answer.status)


async def _post_all(
    attack: Attack, tries: list[tuple[str, bytes, dict[str, str]]], at_once: int = 16
) -> None:
    async with _browser() as browser:

        async def post() -> None:
            path, body, headers = random.choice(tries)
            async with browser.post(
                attack.url + path, data=body, headers=headers, allow_redirects=False
            ) as answer:
                await answer.read()
                attack.count(answer.status)

        await _many(at_once, post)
