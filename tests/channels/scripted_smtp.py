"""A mail server that follows a script, one line per recipient: for replies that no well-behaved server gives."""

import asyncio
import re
from collections import Counter, deque
from dataclasses import dataclass, field
from typing import Self

RECIPIENT = re.compile(r"RCPT TO:<reader(\d+)@")
HANG, DROP, TAKE_AND_DROP, LATE = "hang", "drop", "take and drop", "late"
# Seconds after which a reply that is late comes.
LATE_BY = 1.5


class _HungUpError(Exception):
    pass


@dataclass
class ScriptedSmtp:
    """`script`: recipient's number → command ("RCPT", "DATA", "content") → reply, `hang`, `drop` or `late`.

    `lazy`: replies leave when nothing more is to be read, as pipelining servers do. `careless`: goes ahead at
    DATA although nobody was accepted (RFC 2920 §3.1). `once`: a line of the script is used once.
    """

    script: dict[int, dict[str, str]]
    pipelining: bool = True
    lazy: bool = False
    careless: bool = False
    once: bool = False
    # Replies to the next MAIL commands.
    mail: deque[str] = field(default_factory=deque)
    taken: Counter[int] = field(default_factory=Counter)
    connections: int = 0

    async def __aenter__(self) -> Self:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = int(self._server.sockets[0].getsockname()[1])
        self._tasks: set[asyncio.Task[None]] = set()
        return self

    async def __aexit__(self, *_: object) -> None:
        self._server.close()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        try:
            await _Session(self, reader, writer).run()
        except (_HungUpError, ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            # A reply that was written still arrives.
            writer.close()
            self._tasks.discard(task)


class _Session:
    def __init__(
        self, server: ScriptedSmtp, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.reader, self.writer = server, reader, writer
        self.held = b""
        self.recipient: int | None = None
        self.accepted = False
        self.sender = True

    async def run(self) -> None:
        await self.say("220 script")
        while True:
            line = (await self.reader.readuntil(b"\r\n")).decode().strip()
            verb = line[:4].upper()
            if verb == "EHLO":
                await self.say("250-script\r\n250 PIPELINING" if self.server.pipelining else "250 script")
            elif verb == "RCPT":
                found = RECIPIENT.match(line)
                assert found is not None, line
                self.recipient = int(found[1])
                reply = await self.play("RCPT", "250 2.1.5 fine") if self.sender else "503 5.5.1 no sender"
                self.accepted = reply.startswith("2")
                await self.say(reply)
            elif verb == "DATA":
                await self.data()
            elif verb == "QUIT":
                await self.say("221 bye")
                return
            elif verb == "MAIL" and self.server.mail:
                self.recipient, self.accepted = None, False
                reply = self.server.mail.popleft()
                self.sender = reply.startswith("2")
                await self.say(reply)
            else:
                self.recipient, self.accepted, self.sender = None, False, True
                await self.say("250 2.0.0 fine")

    async def data(self) -> None:
        if not self.accepted and not self.server.careless:
            await self.say("503 5.5.1 nobody to send to")
            return
        reply = await self.play("DATA", "354 go ahead") if self.accepted else "354 go ahead"
        await self.say(reply)
        if not reply.startswith("354"):
            return
        content = b""
        while not (content.endswith(b"\r\n.\r\n") or content == b".\r\n"):
            content += await self.reader.readuntil(b"\r\n")
        if not self.accepted:
            await self.say("554 5.5.1 nobody to send to")
            return
        assert self.recipient is not None
        reply = await self.play("content", "250 2.0.0 taken")
        if reply.startswith("250") or reply == TAKE_AND_DROP:
            self.server.taken[self.recipient] += 1
        if reply == TAKE_AND_DROP:
            raise _HungUpError
        self.accepted = False
        await self.say(reply)

    async def play(self, command: str, otherwise: str) -> str:
        lines = self.server.script.get(self.recipient or 0, {})
        reply = lines.pop(command, otherwise) if self.server.once else lines.get(command, otherwise)
        if reply == HANG:
            await asyncio.Event().wait()
        if reply == LATE:
            await asyncio.sleep(LATE_BY)
            return otherwise
        if reply == DROP:
            raise _HungUpError
        return reply

    async def say(self, reply: str) -> None:
        self.held += reply.encode() + b"\r\n"
        more_to_read = bool(getattr(self.reader, "_buffer", b""))
        if not (self.server.lazy and more_to_read):
            self.writer.write(self.held)
            self.held = b""
        if reply.startswith("421"):
            raise _HungUpError
        await asyncio.sleep(0)
