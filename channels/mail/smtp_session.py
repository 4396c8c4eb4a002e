"""One SMTP session after login: transactions, pipelined when the server offers it (RFC 2920).

Everything happens as replies arrive, without a task to wake per mail: the content of one mail and the
opening of the next leave in one packet. One envelope has one recipient. What we write is ASCII alone
(addresses quoted or in punycode, text in base64), so 8BITMIME is never asked for; SMTPUTF8 (RFC 6531) only for an
address in another script.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from typing import Final

from channels.mail.smtp_errand import Envelope, Errand, Loss, Reply, Stage, parse_reply

REPLY_LIMIT = 32_768
# Seconds of silence at RCPT after which one connection waits for a domain, and no other.
SLOW = 0.5

# What a reply that we wait for answers.
MAIL: Final = "MAIL"
RCPT: Final = "RCPT"
DATA: Final = "DATA"
CONTENT: Final = "content"
RSET: Final = "RSET"
EMPTY: Final = "empty content"
OTHER: Final = "other"
OPENING = (MAIL, RCPT, DATA)
STAGES: dict[str, Stage] = {MAIL: "sender", RCPT: "recipient", DATA: "content"}


class SmtpSession(asyncio.Protocol):
    """One open session; at any moment at most one content has been sent and not answered.

    `timeout` seconds per reply, `stall` seconds for the reply to RCPT, which some servers never give for one
    domain; `size` is the largest mail in octets that the server takes, 0 for no limit; `utf8`: it takes addresses in
    every script.
    """

    def __init__(
        self, *, timeout: float, stall: float, pipelining: bool, size: int, utf8: bool = False
    ) -> None:
        self.size = size
        self.utf8 = utf8
        self._timeout = timeout
        self._stall = min(stall, timeout)
        self._pipelining = pipelining
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._buffer = b""
        self._expected: deque[str] = deque()
        self._commands: deque[tuple[str, bytes]] = deque()
        self._errand: Errand | None = None
        self._content = b""
        self._refusal: tuple[Stage, Reply] | None = None
        self._reset_needed = False
        self._asked: asyncio.Future[bool] | None = None
        self._watchdog: asyncio.TimerHandle | None = None
        self._heard_at = self._loop.time()
        self._kept = False
        self._stale = False
        self._unasked = False

    def attach(self, transport: asyncio.Transport) -> None:
        """Take a connection over."""
        transport.set_protocol(self)
        self._transport = transport

    @property
    def usable(self) -> bool:
        """Open and between two transactions, with nothing said that nobody asked for (such as a 421)."""
        return not (self._transport is None or self._expected or self._commands or self._unasked)

    def begin(self, errand: Errand) -> None:
        """Deliver until the errand has nothing more; whoever begins also ends."""
        self._errand = errand
        self._stale, self._kept = self._kept, True
        self._watchdog = self._loop.call_later(min(self._stall, SLOW), self._watch)
        self.advance()

    def advance(self) -> None:
        """Open the next transaction, unless one is under way or nothing is left to do now."""
        if self._errand is None or not self.usable:
            return
        envelope = self._errand.next(behind=False)
        if envelope is not None:
            self._heard_at = self._loop.time()
            self._write(self._open(envelope))

    def end(self) -> None:
        """Forget the errand. A transaction that is under way makes the session unusable."""
        self._errand = None
        if self._watchdog is not None:
            self._watchdog.cancel()

    async def alive(self, fresh: float) -> bool:
        """Whether the server still answers: servers drop idle sessions, often without a word.

        Not asked when it answered less than `fresh` seconds ago.
        """
        if not self.usable:
            return False
        return self._loop.time() - self._heard_at < fresh or await self._ask(b"NOOP\r\n", self._timeout)

    async def quit(self) -> None:
        """End the session politely; an answer is not waited for long."""
        if self._transport is not None:
            await self._ask(b"QUIT\r\n", min(self._timeout, 1.0))
        self.abort()

    def abort(self) -> None:
        """Drop the connection."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def data_received(self, data: bytes) -> None:
        self._heard_at = self._loop.time()
        lines = (self._buffer + data).split(b"\n")
        self._buffer = lines.pop()
        for line in lines:
            if line[3:4] != b"-":
                self._take(line)
        if len(self._buffer) > REPLY_LIMIT:
            self._lose()

    def connection_lost(self, exc: Exception | None) -> None:
        self._lose()

    def _write(self, data: bytes) -> None:
        if self._transport is not None:
            self._transport.write(data)

    async def _ask(self, command: bytes, timeout: float) -> bool:
        """Whether the server says yes to a command outside of any transaction."""
        self._expected.append(OTHER)
        self._asked = self._loop.create_future()
        self._write(command)
        with contextlib.suppress(TimeoutError):
            return await asyncio.wait_for(self._asked, timeout)
        self.abort()
        return False

    def _open(self, envelope: Envelope) -> bytes:
        """What to write now to open a transaction."""
        self._content = envelope.content
        self._refusal = None
        if self._pipelining and not envelope.alone:
            reset = b""
            if self._reset_needed:
                reset = b"RSET\r\n"
                self._reset_needed = False
                self._expected.append(RSET)
            self._expected += OPENING
            opening = f"{_mail_from(envelope)}\r\nRCPT TO:<{envelope.recipient}>\r\nDATA\r\n"
            return reset + opening.encode()
        if self._reset_needed:
            self._commands.append((RSET, b"RSET\r\n"))
            self._reset_needed = False
        self._commands.append((MAIL, f"{_mail_from(envelope)}\r\n".encode()))
        self._commands.append((RCPT, f"RCPT TO:<{envelope.recipient}>\r\n".encode()))
        self._commands.append((DATA, b"DATA\r\n"))
        return self._next_command()

    def _next_command(self) -> bytes:
        stage, command = self._commands.popleft()
        self._expected.append(stage)
        return command

    def _take(self, line: bytes) -> None:
        """One reply, the last line of it."""
        if line[:3] == b"421":
            # The server says itself that it took nothing.
            self._lose(in_doubt=False)
            return
        if not self._expected:
            self._unasked = True
            return
        self._stale = False
        stage = self._expected.popleft()
        if stage is OTHER:
            if self._asked is not None and not self._asked.done():
                self._asked.set_result(line.startswith(b"2"))
        elif self._errand is not None:
            self._take_for(self._errand, stage, line)

    def _take_for(self, errand: Errand, stage: str, line: bytes) -> None:
        positive = line[:1] == (b"3" if stage is DATA else b"2")
        if stage is CONTENT:
            if positive:
                errand.accept()
            else:
                self._refused(errand, "content", parse_reply(line))
            if not self._expected:
                self.advance()
            return
        if stage is EMPTY:
            self.advance()
            return
        if not positive and self._refusal is None and stage is not RSET:
            self._refusal = (STAGES[stage], parse_reply(line))
            # What is not pipelined was not said yet.
            self._commands.clear()
        if self._commands:
            self._write(self._next_command())
        elif not self._expected or stage is DATA:
            self._opened(errand, go_ahead=stage is DATA and positive)

    def _opened(self, errand: Errand, *, go_ahead: bool) -> None:
        """All commands of the opening are answered."""
        if self._refusal is None and not errand.may_write():
            # After its go-ahead a server takes whatever comes for the mail; hanging up is the only way back.
            self._errand = None
            self.abort()
            errand.withdraw()
            return
        if self._refusal is None:
            data = self._content + b".\r\n"
            self._expected.append(CONTENT)
            envelope = errand.next(behind=True) if self._pipelining else None
            self._write(data if envelope is None else data + self._open(envelope))
            return
        self._reset_needed = True
        if go_ahead:
            # RFC 2920 §3.1: some servers go ahead without a recipient; an empty content ends that.
            self._expected.append(EMPTY)
            self._write(b".\r\n")
        self._refused(errand, *self._refusal)
        self.advance()

    def _refused(self, errand: Errand, stage: Stage, reply: Reply) -> None:
        if not errand.refuse(stage, reply):
            self._errand = None

    def _watch(self) -> None:
        """Give up on a server that does not answer; one timer per errand instead of one per reply."""
        max_wait = self._stall if self._at_recipient else self._timeout
        silent = self._loop.time() - self._heard_at if self._expected else 0.0
        too_many = self._at_recipient and silent >= SLOW and not self._may_wait()
        if silent >= max_wait or too_many:
            self._lose(stalled=True)
        elif self._errand is not None:
            # Right when a silence becomes too long: every connection may stand before the same domain.
            wait = min(max_wait - silent, self._stall, SLOW - silent if silent < SLOW else SLOW)
            self._watchdog = self._loop.call_later(wait, self._watch)

    def _may_wait(self) -> bool:
        return self._errand is None or self._errand.may_wait()

    @property
    def _at_recipient(self) -> bool:
        return bool(self._expected) and self._expected[0] is RCPT

    def _lose(self, *, in_doubt: bool = True, stalled: bool = False) -> None:
        errand, self._errand = self._errand, None
        loss = Loss(
            in_doubt=in_doubt and bool(self._expected) and self._expected[0] is CONTENT,
            at_recipient=self._at_recipient,
            stalled=stalled,
            stale=self._stale,
        )
        self.abort()
        if self._asked is not None and not self._asked.done():
            self._asked.set_result(False)
        if errand is not None:
            errand.lose(loss)


def _mail_from(envelope: Envelope) -> str:
    extension = "" if envelope.recipient.isascii() else " SMTPUTF8"
    return f"MAIL FROM:<{envelope.sender}>{extension}"
