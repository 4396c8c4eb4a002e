"""One SMTP session after login: transactions, pipelined when the server offers it (RFC 2920).

Pipelining takes one round trip per mail instead of four. One envelope has one recipient.
"""

from __future__ import annotations

import asyncio
import contextlib
import re
from collections import deque
from collections.abc import AsyncGenerator, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

Stage = Literal["sender", "recipient", "content", "accepted"]
ENHANCED_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=[ \r\n]|$)")
REPLY_LIMIT = 32_768


@dataclass(frozen=True, slots=True)
class Envelope:
    """One mail for one recipient: addresses as in RFC 5321 (quoted where needed), content with CRLF line ends."""

    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply without its text, which may repeat the address. `status` is the RFC 3463 code or ""."""

    code: int
    status: str

    @property
    def positive(self) -> bool:
        """2xx, or 3xx for DATA."""
        return 200 <= self.code < 400

    @property
    def temporary(self) -> bool:
        """4xx: worth another try."""
        return 400 <= self.code < 500


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one envelope: accepted, or the stage at which the server said no, and its reply."""

    stage: Stage
    reply: Reply


class ConnectionLost(Exception):
    """The connection ended. `in_doubt`: the content was sent and not answered, so it may have been accepted."""

    def __init__(self, *, in_doubt: bool) -> None:
        super().__init__("connection to the mail server lost")
        self.in_doubt = in_doubt


class SmtpConnection:
    """One open session."""

    def __init__(self, wire: SmtpWire, timeout: float, *, pipelining: bool) -> None:
        self._wire = wire
        self._timeout = timeout
        self._pipelining = pipelining
        self._busy = False
        self._reset_needed = False

    @property
    def usable(self) -> bool:
        """Open and between two transactions."""
        return not (self._wire.lost or self._busy or self._wire.has_replies)

    async def deliver(self, envelopes: Iterable[Envelope]) -> AsyncGenerator[Verdict]:
        """One verdict per envelope, in order, as soon as it is known.

        At any moment at most one mail has been sent without an answer: the next content leaves only
        after the verdict on the one before. Raises ConnectionLost (also for a 421 reply).
        """
        self._busy = True
        waiting: bytes | None = None
        for envelope in envelopes:
            if waiting is not None and not self._pipelining:
                yield await self._finish(waiting)
                waiting = None
            opening = self._opening(envelope)
            if self._pipelining:
                self._wire.write((waiting or b"") + b"".join(opening))
            if waiting is not None:
                yield await self._read_verdict()
            refused = await self._open_transaction(opening)
            waiting = _as_data(envelope.content) if refused is None else None
            if refused is not None:
                yield refused
        if waiting is not None:
            yield await self._finish(waiting)
        self._busy = False

    async def alive(self) -> bool:
        """Whether the server still answers: servers drop idle sessions, often without a word."""
        if not self.usable:
            self.abort()
            return False
        self._wire.write(b"NOOP\r\n")
        try:
            return (await self._read(in_doubt=False)).positive
        except ConnectionLost:
            return False

    async def quit(self) -> None:
        """End the session politely; an answer is not waited for long."""
        if not self._wire.lost:
            self._wire.write(b"QUIT\r\n")
            with contextlib.suppress(ConnectionError, TimeoutError):
                await self._wire.reply(min(self._timeout, 1.0))
        self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        self._wire.abort()

    def _opening(self, envelope: Envelope) -> list[bytes]:
        reset = [b"RSET\r\n"] if self._reset_needed else []
        commands = [f"MAIL FROM:<{envelope.sender}>\r\n", f"RCPT TO:<{envelope.recipient}>\r\n", "DATA\r\n"]
        return reset + [command.encode("ascii") for command in commands]

    async def _open_transaction(self, opening: Sequence[bytes]) -> Verdict | None:
        """Get as far as the server's "go ahead"; the verdict when it refuses on the way."""
        refused: Verdict | None = None
        stages: tuple[Stage, ...] = ("sender", "sender", "recipient", "content")
        for stage, command in zip(stages[-len(opening) :], opening, strict=True):
            if not self._pipelining:
                if refused is not None:
                    break
                self._wire.write(command)
            reply = await self._read(in_doubt=False)
            if refused is None and not reply.positive:
                refused = Verdict(stage, reply)
            elif refused is not None and reply.code == 354:
                # RFC 2920 §3.1: some servers go ahead without a recipient; an empty content ends that.
                self._wire.write(b".\r\n")
                await self._read(in_doubt=False)
        self._reset_needed = refused is not None
        return refused

    async def _finish(self, data: bytes) -> Verdict:
        self._wire.write(data)
        return await self._read_verdict()

    async def _read_verdict(self) -> Verdict:
        reply = await self._read(in_doubt=True)
        return Verdict("accepted" if reply.positive else "content", reply)

    async def _read(self, *, in_doubt: bool) -> Reply:
        try:
            reply = await self._wire.reply(self._timeout)
        except (ConnectionError, TimeoutError):
            self.abort()
            raise ConnectionLost(in_doubt=in_doubt) from None
        if reply.code == 421:
            self.abort()
            raise ConnectionLost(in_doubt=False)
        return reply


class SmtpWire(asyncio.Protocol):
    """Cuts the incoming bytes into replies and keeps them in order."""

    def __init__(self) -> None:
        self.transport: asyncio.Transport | None = None
        self.lost = False
        self._buffer = bytearray()
        self._replies: deque[Reply] = deque()
        self._arrived = asyncio.Event()

    @property
    def has_replies(self) -> bool:
        """Something arrived that nobody asked for, such as a 421 before the server hangs up."""
        return bool(self._replies)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\n")) >= 0:
            line = bytes(self._buffer[:end])
            del self._buffer[: end + 1]
            if line[3:4] != b"-":
                self._replies.append(_parse(line))
        if len(self._buffer) > REPLY_LIMIT:
            self.abort()
        self._arrived.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.lost = True
        self._arrived.set()

    def write(self, data: bytes) -> None:
        if self.transport is not None and not self.lost:
            self.transport.write(data)

    async def reply(self, timeout: float) -> Reply:
        """The next reply. Raises ConnectionError or TimeoutError."""
        while not self._replies:
            if self.lost:
                raise ConnectionResetError
            self._arrived.clear()
            await asyncio.wait_for(self._arrived.wait(), timeout)
        return self._replies.popleft()

    def abort(self) -> None:
        self.lost = True
        if self.transport is not None:
            self.transport.abort()


def _parse(line: bytes) -> Reply:
    """The last line of a reply. What is no SMTP at all counts as 500, a refusal."""
    code = int(line[:3]) if line[:3].isdigit() else 500
    status = ENHANCED_STATUS.match(line, 4)
    return Reply(code, status.group().decode() if status else "")


def _as_data(content: bytes) -> bytes:
    """Dot-stuffed (RFC 5321 §4.5.2) and closed."""
    if b"\n." in content or content.startswith(b"."):
        content = re.sub(rb"(?m)^\.", b"..", content)
    return content + (b".\r\n" if content.endswith(b"\r\n") else b"\r\n.\r\n")
