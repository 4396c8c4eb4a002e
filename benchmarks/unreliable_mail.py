"""A mail server that says "later" to some mails and has a domain behind it that never answers.

`unreliable_mail.py [latency in ms] [one in so many]` prints its port and that of its figures. A content is answered after
the latency, one in so many by 451 (0: none). A RCPT of the domain in HANGING is not answered at all.
GET /totals tells mails taken, recipients that got one, and more than one.
"""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections import Counter
from typing import cast

import uvloop
from aiohttp import web

HANGING = "hanging.example.jp"
RECIPIENT = re.compile(rb"RCPT TO:\s*<([^>]*)>", re.IGNORECASE)
LATER = b"451 4.7.1 Try again later\r\n"


class Figures:
    def __init__(self, latency: float, one_in: int) -> None:
        self.latency = latency
        self._one_in = one_in
        self._random = random.Random(1)
        self.taken: Counter[bytes] = Counter()
        self.later = 0

    def takes(self, recipient: bytes) -> bool:
        if self._one_in and self._random.random() < 1 / self._one_in:
            self.later += 1
            return False
        self.taken[recipient] += 1
        return True

    async def totals(self, _request: web.Request) -> web.Response:
        doubled = sum(1 for times in self.taken.values() if times > 1)
        return web.json_response(
            {
                "calls": self.taken.total(),
                "different": len(self.taken),
                "doubled": doubled,
                "without_key": 0,
                "later": self.later,
            }
        )


class Conversation(asyncio.Protocol):
    def __init__(self, figures: Figures) -> None:
        self._figures = figures
        self._buffer = bytearray()
        self._recipient: bytes | None = None
        self._in_content = self._hangs = self._waits = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.WriteTransport", transport)
        self._transport.write(b"220 bench ESMTP\r\n")

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        replies = bytearray()
        while not (self._hangs or self._waits):
            end = b"\r\n.\r\n" if self._in_content else b"\r\n"
            line, found, rest = self._buffer.partition(end)
            if not found:
                break
            self._buffer = rest
            if self._in_content:
                self._in_content = False
                self._waits = True
                asyncio.get_running_loop().call_later(self._figures.latency, self._answer_content)
            else:
                replies += self._command(bytes(line))
        if replies:
            self._transport.write(bytes(replies))

    def _answer_content(self) -> None:
        self._waits = False
        recipient, self._recipient = self._recipient, None
        taken = self._figures.takes(recipient or b"")
        self._transport.write(b"250 2.0.0 Taken\r\n" if taken else LATER)
        self.data_received(b"")

    def _command(self, line: bytes) -> bytes:
        verb = line[:4].upper()
        if verb == b"EHLO":
            return b"250-bench\r\n250-PIPELINING\r\n250-ENHANCEDSTATUSCODES\r\n250 8BITMIME\r\n"
        if verb == b"RCPT":
            found = RECIPIENT.match(line)
            self._recipient = found[1] if found else b""
            self._hangs = self._recipient.endswith(b"@" + HANGING.encode())
            return b"" if self._hangs else b"250 2.1.5 Ok\r\n"
        if verb == b"DATA":
            if self._recipient is None:
                return b"503 5.5.1 No recipient\r\n"
            self._in_content = True
            return b"354 Go on\r\n"
        if verb == b"QUIT":
            self._transport.close()
            return b"221 2.0.0 Bye\r\n"
        if verb == b"RSET":
            self._recipient = None
        return b"250 2.0.0 Ok\r\n"


async def main() -> None:
    latency, one_in = (*map(int, sys.argv[1:3]), 0, 0)[:2]
    figures = Figures(latency / 1000, one_in)
    server = await asyncio.get_running_loop().create_server(lambda: Conversation(figures), "127.0.0.1", 0)
    app = web.Application()
    app.router.add_get("/totals", figures.totals)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    print(server.sockets[0].getsockname()[1], runner.addresses[0][1], flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    uvloop.run(main())
