"""LINE and a mail server as they stand outside: they keep their own books and break where they are told to."""

from __future__ import annotations

import asyncio
import random
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from sandbox.line.app import SANDBOX_KEY, create_app
from sandbox.line.options import SandboxOptions
from sandbox.line.users import add_listed
from tests.journeys.deployment import SECRET, TOKEN, free_port

MULTICAST = {"path": "*multicast"}
MESSAGE_ID = re.compile(rb"^Message-ID:\s*<kairanban\.(\d+)\.(\d+)\.", re.IGNORECASE | re.MULTILINE)
HANG, DROP = "hang", "drop"
# Multicasts after which a send is in its middle.
MIDDLE = 5
ANSWER_AFTER = 0.3
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@dataclass(frozen=True, slots=True)
class Arrived:
    """What came of one notice: so many people, and acceptances beyond the first of each."""

    people: int
    repeats: int


class LineRecorder:
    """The LINE stand-in in this process, on a port that can be closed and opened again."""

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.per_second: float | None = None
        self._next = 0.0
        # Something to be done when a quarter of the usual batches has come, however busy the machine is.
        self.in_the_middle: Callable[[], object] = lambda: None
        self._taken = 0
        app = create_app(SandboxOptions(SECRET, TOKEN, ledger="summary"))
        app.middlewares.append(self._take_turns)
        self.sandbox = app[SANDBOX_KEY]
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        self._site: web.TCPSite | None = None

    async def start(self, friends: Iterable[str]) -> None:
        add_listed(self.sandbox.channel.users, {"userIds": list(friends)}, self.sandbox.clock.now_ms())
        await self._runner.setup()
        await self.open()

    async def open(self) -> None:
        self._site = web.TCPSite(self._runner, "127.0.0.1", self.port)
        await self._site.start()

    async def close(self) -> None:
        """Refuse connections and hang up on everybody."""
        if self._site is not None:
            await self._site.stop()
        assert self._runner.server is not None
        for handler in self._runner.server.connections:
            if handler.transport is not None:
                handler.transport.abort()

    async def stop(self) -> None:
        await self._runner.cleanup()

    def fault(self, action: dict[str, Any] | str, **fields: Any) -> None:
        self.sandbox.faults.add({"action": action, "match": MULTICAST, **fields})

    def mend(self) -> None:
        self.sandbox.faults.remove()
        self.sandbox.tokens.restore()
        self.sandbox.outage_until_ms = 0

    def struck(self, action: str) -> int:
        """How often a fault of this kind hit a request."""
        return sum(r.hits for r in self.sandbox.faults.rules.values() if r.action["type"] == action)

    def arrived(self, number: int = 0) -> Arrived:
        """Of the notice that reached anybody as the `number`th."""
        tallies = list(self.sandbox.channel.ledger.alerts.values())
        if number >= len(tallies):
            return Arrived(0, 0)
        return Arrived(len(tallies[number].users), tallies[number].delivered - len(tallies[number].users))

    @web.middleware
    async def _take_turns(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """At most `per_second` multicasts, each answered a moment after it was accepted."""
        if self.per_second is None or not request.path.endswith("multicast"):
            return await handler(request)
        # It has come whole, so it counts although the sender dies meanwhile.
        await request.read()
        now = asyncio.get_running_loop().time()
        turn = max(self._next, now)
        self._next = turn + 1 / self.per_second
        await asyncio.sleep(turn - now)
        answer = await handler(request)
        self._taken += 1
        if self._taken == MIDDLE:
            self.in_the_middle()
        await asyncio.sleep(random.uniform(0, ANSWER_AFTER))
        return answer


class MailRecorder:
    """An SMTP server with pipelining. `rule(stage, address)` says what goes wrong: "" for nothing, a reply,
    HANG or DROP.

    Stages: mail, rcpt, data (before the 354), content (in the middle of it, nothing is accepted) and
    accepted (it is, and nobody hears of it). `pause` in seconds before each answer to a content.
    """

    def __init__(self) -> None:
        self.port = free_port()
        self.url = f"smtp://127.0.0.1:{self.port}"
        self.rule: Callable[[str, str], str] = lambda stage, address: ""
        self.pause = 0.0
        self.books: dict[int, Counter[str]] = {}
        self.struck: Counter[str] = Counter()
        self._server: asyncio.Server | None = None
        self._sessions: set[asyncio.Task[None]] = set()

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._greet, "127.0.0.1", self.port, limit=1 << 20)

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for session in self._sessions:
            session.cancel()
        await asyncio.gather(*self._sessions, return_exceptions=True)

    def arrived(self, version_id: int) -> Arrived:
        book = self.books.get(version_id, Counter())
        return Arrived(len(book), book.total() - len(book))

    async def _greet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        session = asyncio.current_task()
        assert session is not None
        self._sessions.add(session)
        try:
            with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                await self._talk(reader, writer)
        finally:
            self._sessions.discard(session)
            writer.transport.abort()

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 recorder\r\n")
        recipient = ""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-recorder\r\n250-PIPELINING\r\n250 ENHANCEDSTATUSCODES\r\n")
            elif verb == b"MAIL":
                recipient = ""
                writer.write(await self._judge("mail", "", "250 2.1.0 OK"))
            elif verb == b"RCPT":
                address = line.partition(b"<")[2].partition(b">")[0].decode()
                answer = await self._judge("rcpt", address, "250 2.1.5 OK")
                recipient = address if answer.startswith(b"250") else ""
                writer.write(answer)
            elif verb == b"DATA":
                if recipient:
                    await self._take(reader, writer, recipient)
                else:
                    writer.write(b"503 5.5.1 no valid recipients\r\n")
            elif verb == b"QUIT":
                writer.write(b"221 2.0.0 bye\r\n")
                return
            else:
                writer.write(b"250 2.0.0 OK\r\n")
            await writer.drain()

    async def _take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipient: str) -> None:
        go_ahead = await self._judge("data", recipient, "354 go ahead")
        writer.write(go_ahead)
        if not go_ahead.startswith(b"354"):
            return
        await writer.drain()
        answer = await self._judge("content", recipient, "250 2.0.0 accepted")
        content = await reader.readuntil(b"\r\n.\r\n")
        if answer.startswith(b"250"):
            found = MESSAGE_ID.search(content)
            assert found, "a mail without a Message-ID of ours"
            self.books.setdefault(int(found[1]), Counter())[recipient] += 1
            if self.pause:
                await asyncio.sleep(self.pause)
            answer = await self._judge("accepted", recipient, "250 2.0.0 accepted")
        writer.write(answer)

    async def _judge(self, stage: str, address: str, otherwise: str) -> bytes:
        verdict = self.rule(stage, address)
        if not verdict:
            return f"{otherwise}\r\n".encode()
        self.struck[stage] += 1
        if verdict == DROP:
            raise ConnectionAbortedError
        if verdict == HANG:
            await asyncio.Event().wait()
        return f"{verdict}\r\n".encode()
