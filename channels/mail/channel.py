"""Mail: one message and one envelope per recipient, over a few persistent SMTP connections.

Message-IDs are stable per notice version and subscriber, so a mail that has to be repeated after a crash
is recognisable as the same one. The mark in them keeps those of two databases apart.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import suppress
from email.utils import parseaddr

from channels.channel import Announcement, ChannelError, Part, Preview, Recipient, always
from channels.mail.domains import MailDomains
from channels.mail.errand import RECORD_EVERY, MailErrand
from channels.mail.messages import MailTemplate, build_template, fill, mail_text
from channels.mail.smtp import SmtpPool
from channels.mail.smtp_errand import Envelope
from channels.rendering import category_name, heading


class MailChannel:
    """The channel "mail", bound to one SMTP server.

    `smtp_url` as in `channels.mail.smtp`; `sender` "町名 <notice@example.jp>"; `list_id` without brackets;
    `unsubscribe_url` gives the https link for a recipient; `message_mark` what makes a Message-ID this
    database's own, for the notice's public id, its version and the recipient; `message_domain` ends the Message-IDs and is
    our name in EHLO; `connections` batches at once; `domains` are the limits and troubles of mail domains,
    shared by the channels of a town; `timeout` seconds per reply, `stall` for the reply to RCPT;
    `bounce_address` gives the envelope sender for a subscriber id (default: the address of `sender`); `tls`
    replaces the system's certificate authorities.
    """

    name = "mail"
    idempotent = False
    rate: float | None = None

    def __init__(
        self,
        *,
        smtp_url: str,
        sender: str,
        list_id: str,
        unsubscribe_url: Callable[[Recipient], str],
        message_mark: Callable[[str, int, Recipient], str],
        message_domain: str,
        connections: int = 5,
        batch_size: int = 500,
        domains: MailDomains | None = None,
        timeout: float = 30.0,
        stall: float = 5.0,
        bounce_address: Callable[[int], str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.batch_size = batch_size
        self.concurrency = connections
        self._sender = sender
        self._list_id = list_id
        self._unsubscribe_url = unsubscribe_url
        self._message_mark = message_mark
        self._message_domain = message_domain
        self._domains = domains or MailDomains()
        own_address = parseaddr(sender)[1]
        self._bounce_address = bounce_address or (lambda _: own_address)
        self._pool = SmtpPool(
            smtp_url,
            connections=connections,
            timeout=timeout,
            stall=stall,
            local_hostname=message_domain,
            tls=tls,
        )

    def prepare(self, announcement: Announcement, language: str) -> MailTemplate:
        """Headers and text in `language`, with slots. Raises CannotRender."""
        return build_template(announcement, language, self._sender, self._list_id)

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """Subject and text as read; the link to unsubscribe follows in the mail itself. Raises CannotRender."""
        self.prepare(announcement, language)
        notes = (category_name(announcement, language),)
        return Preview(
            self.name, language, heading(announcement, language), mail_text(announcement, language), notes
        )

    async def send(
        self,
        prepared: MailTemplate,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
    ) -> AsyncIterator[Part]:
        """Send the batch over one connection, or more when one is lost over a domain that says nothing.

        A Part is settled when WINDOW recipients are, or after RECORD_EVERY: what is not written down yet goes out
        again after a crash, so only a few mails may go out beyond it.
        """
        mails = MailErrand(
            recipients, self._writer(prepared), self._domains, urgent=prepared.urgent, may_go_on=may_go_on
        )
        try:
            while mails.waiting and not mails.ended:
                try:
                    session = await self._pool.acquire()
                except ChannelError as error:
                    mails.error = error
                    break
                try:
                    mails.resume(session.size)
                    session.begin(mails)
                    while not mails.paused:
                        with suppress(TimeoutError):
                            async with asyncio.timeout(RECORD_EVERY):
                                await mails.news.wait()
                        mails.news.clear()
                        part = mails.take()
                        if part.size:
                            yield part
                            mails.reported()
                        session.advance()
                finally:
                    session.end()
                    self._pool.release(session)
            part = mails.take()
            if part.size:
                yield part
            if mails.error is not None and not mails.settled:
                raise mails.error
        finally:
            mails.abandon()

    async def close(self) -> None:
        """Say QUIT and let connections go."""
        await self._pool.close()

    def _writer(self, template: MailTemplate) -> Callable[[Recipient, str], Envelope]:
        public_id, version = template.public_id, template.version_id

        def write(recipient: Recipient, to: str) -> Envelope:
            number = recipient.subscriber_id
            mark = self._message_mark(public_id, version, recipient)
            content = fill(
                template,
                to=to,
                message_id=f"<kairanban.{version}.{number}.{mark}@{self._message_domain}>",
                unsubscribe_url=self._unsubscribe_url(recipient),
            )
            return Envelope(self._bounce_address(number), to, content)

        return write
