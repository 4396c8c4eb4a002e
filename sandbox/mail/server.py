"""A mail server that delivers nothing: it accepts every mail, shows it on a page, and fails on request.

sandbox = SmtpSandbox()
port = await sandbox.start()          # a free port on 127.0.0.1
...
await sandbox.stop()
"""

from __future__ import annotations

import asyncio
import logging
import re
import ssl
import warnings
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from time import time
from typing import Any, AnyStr

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from sandbox.layout import require_loopback
from sandbox.mail.faults import SmtpFaults, hang_up, play, reply_to

MESSAGE_ID = re.compile(rb"^message-id:\s*(\S+)", re.IGNORECASE | re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Mail:
    """One accepted envelope. `source` is the content as it came, `received_at` milliseconds since the epoch."""

    number: int
    received_at: int
    sender: str
    recipient: str
    message_id: str
    source: bytes = field(repr=False)


class Mailroom:
    """What arrived: the newest `keep` mails in full, and counts over everything since the last `clear`."""

    def __init__(self, keep: int) -> None:
        self.mails: deque[Mail] = deque(maxlen=keep)
        self.clear()

    def clear(self) -> None:
        """Forget all mails and counts."""
        self.mails.clear()
        self.received = 0
        self.recipients: Counter[str] = Counter()
        self.message_ids: Counter[str] = Counter()

    def add(self, sender: str, recipient: str, source: bytes) -> None:
        """Keep one mail and count it."""
        found = MESSAGE_ID.search(source)
        identifier = found[1].decode("ascii", "replace") if found else ""
        self.received += 1
        self.recipients[recipient] += 1
        self.message_ids[identifier] += 1
        self.mails.append(Mail(self.received, int(time() * 1000), sender, recipient, identifier, source))

    def to(self, recipient: str | None) -> list[Mail]:
        """The kept mails to one address, or all, oldest first."""
        return [mail for mail in self.mails if recipient in (None, mail.recipient)]

    def stats(self) -> dict[str, int]:
        """`duplicates` counts mails beyond the first with the same Message-ID."""
        return {
            "messages": self.received,
            "recipients": len(self.recipients),
            "duplicates": self.received - len(self.message_ids),
            "kept": len(self.mails),
        }


class SmtpSandbox:
    """The stand-in: `mailroom` holds what came, `faults` what goes wrong.

    `keep` is the number of mails kept; `login` ("user", "password") makes a login necessary; `tls` offers
    STARTTLS, or with `tls_from_start` speaks TLS at once; `pipelining` advertises RFC 2920; `size` is the
    largest mail in octets (RFC 1870).
    """

    def __init__(
        self,
        *,
        keep: int = 10_000,
        login: tuple[str, str] | None = None,
        tls: ssl.SSLContext | None = None,
        tls_from_start: bool = False,
        pipelining: bool = True,
        size: int = 33_554_432,
    ) -> None:
        self.mailroom = Mailroom(keep)
        self.faults = SmtpFaults()
        self.connections = 0
        self.pipelining = pipelining
        self._size = size
        self._login = login
        self._tls = tls
        self._tls_from_start = tls_from_start
        self._server: asyncio.Server | None = None
        self._transports: set[asyncio.BaseTransport] = set()

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> int:
        """Listen and return the port. Raises ValueError for an address beyond this machine."""
        require_loopback(host)
        # aiosmtpd logs every address at INFO.
        logging.getLogger("mail.log").setLevel(logging.WARNING)
        warnings.filterwarnings("ignore", message="Requiring AUTH while not requiring TLS")
        loop = asyncio.get_running_loop()
        immediate = self._tls if self._tls_from_start else None
        self._server = await loop.create_server(self._session(loop), host, port, ssl=immediate)
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Close the port and hang up on everybody."""
        if self._server is not None:
            self._server.close()
            for transport in list(self._transports):
                transport.close()
            await self._server.wait_closed()
            self._server = None

    def _session(self, loop: asyncio.AbstractEventLoop) -> Callable[[], SMTP]:
        def open_session() -> SMTP:
            return _CountingSMTP(
                self,
                _Handler(self),
                hostname="sandbox",
                ident="kairanban sandbox",
                enable_SMTPUTF8=True,
                data_size_limit=self._size,
                loop=loop,
                auth_required=self._login is not None,
                auth_require_tls=False,
                authenticator=self._authenticate,
                tls_context=None if self._tls_from_start else self._tls,
                # Thousands of mails go over one connection; the library's limit is for the open Internet.
                command_call_limit=None,
            )

        return open_session

    def _authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, data: Any
    ) -> AuthResult:
        if not isinstance(data, LoginPassword) or self._login is None:
            return AuthResult(success=False, handled=False)
        given = (data.login.decode(errors="replace"), data.password.decode(errors="replace"))
        return AuthResult(success=given == self._login, handled=False)


class _CountingSMTP(SMTP):
    """Tells the sandbox about its connections, so that it can end them."""

    def __init__(self, sandbox: SmtpSandbox, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._sandbox = sandbox

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._sandbox.connections += 1
        self._sandbox._transports.add(transport)
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if self.transport is not None:
            self._sandbox._transports.discard(self.transport)
        super().connection_lost(error)

    async def push(self, status: AnyStr) -> None:
        """Whoever says 421 hangs up (RFC 5321 §3.8)."""
        await super().push(status)
        if self.transport is not None and status[:3] in ("421", b"421"):
            self.transport.close()

    async def _handle_client(self) -> None:
        greeting = self._sandbox.faults.greeting
        if greeting:
            await self.push(await play(self, greeting))
            hang_up(self)
            return
        await super()._handle_client()

    async def smtp_DATA(self, arg: str) -> None:  # noqa: N802 – the library's name
        faults = self._sandbox.faults
        if faults.drop_before_data > 0:
            faults.drop_before_data -= 1
            hang_up(self)
        elif faults.drop_in_data > 0:
            faults.drop_in_data -= 1
            await self.push("354 go ahead")
            await self._reader.readuntil(b"\r\n")
            hang_up(self)
        else:
            await super().smtp_DATA(arg)


class _Handler:
    """One per connection; the names and arguments of the methods are aiosmtpd's."""

    def __init__(self, sandbox: SmtpSandbox) -> None:
        self._sandbox = sandbox
        self._mails = 0

    async def handle_EHLO(  # noqa: N802
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        session.host_name = hostname
        extra = ["250-PIPELINING", "250-ENHANCEDSTATUSCODES"] if self._sandbox.pipelining else []
        return [responses[0], *extra, *responses[1:]]

    async def handle_MAIL(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        faults = self._sandbox.faults
        if faults.close_after and self._mails >= faults.close_after:
            return "421 4.3.2 sandbox closing"
        if faults.sender:
            return await play(server, faults.sender)
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 OK"

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        refusal = reply_to(address, self._sandbox.faults.refuse)
        if refusal:
            return await play(server, refusal)
        envelope.rcpt_tos.append(address)
        envelope.rcpt_options.extend(options)
        return "250 2.1.5 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        faults = self._sandbox.faults
        if faults.latency_ms:
            await asyncio.sleep(faults.latency_ms / 1000)
        for recipient in envelope.rcpt_tos:
            refusal = reply_to(recipient, faults.refuse_content) or faults.content
            if refusal:
                return await play(server, refusal)
        for recipient in envelope.rcpt_tos:
            self._sandbox.mailroom.add(envelope.mail_from or "", recipient, envelope.original_content or b"")
        self._mails += 1
        if faults.drop_after_data > 0:
            faults.drop_after_data -= 1
            hang_up(server)
        return "250 2.0.0 accepted by the sandbox"
