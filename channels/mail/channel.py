"""Mail: one message and one envelope per recipient, over a few persistent SMTP connections.

Message-IDs are stable per notice version and subscriber, so a mail that has to be repeated after a crash
is recognisable as the same one. The mark in them keeps those of two databases apart.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, field, replace
from email.utils import parseaddr

from channels.channel import Announcement, Recipient
from channels.mail.domains import MailDomains
from channels.mail.errand import WriteMail
from channels.mail.messages import MailTemplate, before_stop, build_template, fill, mail_text
from channels.mail.session import MailSession
from channels.mail.smtp import SmtpPool
from channels.mail.smtp_errand import Envelope
from channels.preview import Preview
from channels.rendering import category_name, heading


@dataclass(frozen=True, slots=True)
class MailChannel:
    """The channel "mail", bound to one SMTP server.

    `smtp_url` as in `channels.mail.smtp`; `sender` "町名 <notice@example.jp>"; `list_id` without brackets;
    `unsubscribe_url` gives the https link for a recipient; `message_mark` a number of 64 bits that makes the Message-IDs
    of a notice (by its public id and version) this database's own; `message_domain` ends the Message-IDs and is
    our name in EHLO; `connections` at once, one more while it waits for a domain; `domains` are the limits and troubles of mail domains,
    shared by the channels of a town; `timeout` seconds per reply, `stall` for the reply to RCPT;
    `settings_url` is where residents change what they receive ("" for nowhere);
    `read_url` gives the link by which a recipient says to have read the notice of a public id;
    `bounce_address` gives the envelope sender of a mail, for the notice's version and the recipient (default: the
    address of `sender`); `tls` replaces the system's certificate authorities.
    """

    smtp_url: str = field(repr=False)
    _: KW_ONLY
    sender: str
    list_id: str
    unsubscribe_url: Callable[[Recipient], str]
    message_mark: Callable[[str, int], int]
    message_domain: str
    settings_url: str = ""
    read_url: Callable[[str, Recipient], str] | None = None
    connections: int = 5
    batch_size: int = 500
    domains: MailDomains = field(default_factory=MailDomains)
    timeout: float = 30.0
    stall: float = 5.0
    bounce_address: Callable[[int, Recipient], str] | None = None
    tls: ssl.SSLContext | None = None

    name = "mail"
    idempotent = False
    rate = None
    broadcasts = False
    metered = False
    posts = False

    @property
    def concurrency(self) -> int:
        """One more than connections: a batch that waits for a domain that hangs lends its connection to another."""
        return self.connections + 1

    def open(self) -> MailSession:
        """Raises ValueError when `smtp_url` cannot be read."""
        pool = SmtpPool(
            self.smtp_url,
            connections=self.connections,
            timeout=self.timeout,
            stall=self.stall,
            local_hostname=self.message_domain,
            tls=self.tls,
        )
        return MailSession(self, pool, self.domains, self._writer)

    def prepare(self, announcement: Announcement, language: str) -> MailTemplate:
        """Headers and text in `language`, with slots. Raises CannotRender."""
        # Without a way to say so nobody is asked.
        asked = announcement if self.read_url else replace(announcement, asks_read=False)
        return build_template(asked, language, self.sender, self.list_id, self.settings_url)

    def preview(self, announcement: Announcement, language: str) -> Preview:
        """Subject and text as read; `after` them comes the link to unsubscribe. Raises CannotRender."""
        self.prepare(announcement, language)
        text = mail_text(announcement, language)
        return Preview(
            self.name,
            language,
            heading(announcement, language),
            text,
            notes=(category_name(announcement, language), self.sender),
            announced=" ".join(text.split()),
            pictures=announcement.pictures,
            after=before_stop(language, self.settings_url),
        )

    def _writer(self, template: MailTemplate) -> WriteMail:
        own_address = parseaddr(self.sender)[1]
        version, mark = template.version_id, self.message_mark(template.public_id, template.version_id)

        def write(recipient: Recipient, to: str) -> Envelope:
            number = recipient.subscriber_id
            # Bound to the notice and to the registration, with one keyed hash for all of them.
            own_mark = mark ^ recipient.salt
            content = fill(
                template,
                to=to,
                message_id=f"<kairanban.{version}.{number}.{own_mark:016x}@{self.message_domain}>",
                unsubscribe_url=self.unsubscribe_url(recipient),
                read_url=self.read_url(template.public_id, recipient)
                if template.asks_read and self.read_url
                else "",
            )
            envelope_sender = self.bounce_address(version, recipient) if self.bounce_address else own_address
            return Envelope(envelope_sender, to, content)

        return write
