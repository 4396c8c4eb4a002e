"""The LMTP server (RFC 2033) that the town's mail server routes `touroku@…` and the bounce domain to.

Never open to the outside.
What cannot be written down is refused for the moment, so that the mail server brings it again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email.utils import parseaddr

import structlog
from aiosmtpd.lmtp import LMTP
from aiosmtpd.smtp import Envelope, Session

from bot.mail_in.letters import who_asks
from bot.mail_in.returned import is_mailbox, take_returned
from bot.resident.subscribe import mail_account
from bot.service import Service
from content.register import mail_requests
from content.register.states import Route
from content.staff.throttle import Throttle

log = structlog.get_logger(__name__)

LARGEST = 256 * 1024
CONNECTIONS = 16
# Seconds without a word.
IDLE = 60.0
# Askers of one mail domain within five minutes; a carrier has many residents, and a flood has one domain.
ASKS_OF_DOMAIN = 200
OK = "250 2.0.0 taken"
LATER = "451 4.3.0 not now, please bring it again"
SLOWER = "450 4.7.0 too many from this domain, please bring it again"


class MailIn:
    """Handler of aiosmtpd: the names and arguments of its methods are aiosmtpd's."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._throttle = Throttle()
        mail = service.settings.mail
        self._join_address = mail.join_address
        self._bounce_domain = mail.bounce_domain
        self._own = (mail.join_address, parseaddr(mail.sender)[1])

    async def handle_RCPT(  # noqa: N802 – the library's name
        self, server: LMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if not self._is_join_address(address) and not self._is_bounce_address(address):
            return "550 5.1.1 no such mailbox here"
        if envelope.rcpt_tos:
            # The library gives one answer for all recipients, LMTP wants one for each.
            return "452 4.5.3 one recipient at a time"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 ok"

    async def handle_DATA(self, server: LMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802 – the library's name
        content = envelope.content if isinstance(envelope.content, bytes) else b""
        if self._is_bounce_address(envelope.rcpt_tos[0]):
            return await self._take_returned(envelope, content)
        return await self._take_request(envelope, content)

    def _is_join_address(self, address: str) -> bool:
        return bool(self._join_address) and address.lower() == self._join_address.lower()

    def _is_bounce_address(self, address: str) -> bool:
        local, _, domain = address.rpartition("@")
        return bool(self._bounce_domain) and domain.lower() == self._bounce_domain and is_mailbox(local)

    async def _take_returned(self, envelope: Envelope, content: bytes) -> str:
        local = envelope.rcpt_tos[0].rpartition("@")[0]
        try:
            await take_returned(self._service, local, envelope.mail_from or "", content)
        except Exception as error:
            log.warning("bounce_refused_for_now", error=type(error).__name__)
            return LATER
        return OK

    async def _take_request(self, envelope: Envelope, content: bytes) -> str:
        account = mail_account(self._service)
        plain = who_asks(envelope.mail_from or "", content, self._own)
        if plain is None or account is None:
            log.info("mail_not_answered")
            return OK
        if not self._throttle.may_try({plain.rpartition("@")[2]: ASKS_OF_DOMAIN}):
            return SLOWER
        try:
            await mail_requests.ask(
                self._service.database,
                self._service.keys,
                account=account.key,
                plain=plain,
                language="ja",
                route=Route.MAIL,
                at=self._service.database.now(),
            )
        except Exception as error:
            log.warning("mail_refused_for_now", error=type(error).__name__)
            return LATER
        return OK


@asynccontextmanager
async def taking_mail(service: Service) -> AsyncIterator[int]:
    """Take mail as the settings say until the block ends; yields the port, 0 when they say nothing."""
    listen = service.settings.mail.intake_listen
    if not listen:
        yield 0
        return
    # These libraries log addresses.
    for name in ("mail.log", "flufl.bounce"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
    host, _, port = listen.rpartition(":")
    handler, here = MailIn(service), set[asyncio.BaseTransport]()
    server = await asyncio.get_running_loop().create_server(
        lambda: _Session(handler, here), host.strip("[]"), int(port)
    )
    try:
        yield int(server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for transport in tuple(here):
            transport.close()
        await server.wait_closed()


class _Session(LMTP):
    def __init__(self, handler: MailIn, here: set[asyncio.BaseTransport]) -> None:
        super().__init__(
            handler, data_size_limit=LARGEST, hostname="kairanban", ident="kairanban", timeout=IDLE
        )
        self._here = here

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if len(self._here) >= CONNECTIONS:
            transport.close()
            return
        self._here.add(transport)
        self._own_transport = transport
        super().connection_made(transport)

    def connection_lost(self, error: Exception | None) -> None:
        if (transport := getattr(self, "_own_transport", None)) is not None:
            self._here.discard(transport)
            super().connection_lost(error)
