"""Mail: one message and one envelope per recipient, over a few persistent SMTP connections.

Message-IDs are stable per notice version and subscriber, so a mail that has to be repeated after a crash
is recognisable as the same one.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator, Sequence
from contextlib import aclosing
from email.utils import parseaddr

from channels.channel import (
    AccountStopped,
    Announcement,
    BatchRefused,
    ChannelError,
    Part,
    Preview,
    Recipient,
    TemporaryFailure,
    UnknownOutcome,
)
from channels.mail_messages import MailTemplate, build_template, fill, mail_text, quote_address
from channels.progress import Progress
from channels.rendering import category_name, heading
from channels.smtp import SmtpPool
from channels.smtp_session import ConnectionLost, Envelope, Reply, Verdict

# Recipients per Part, and so the most mails that one connection has sent and not reported.
WINDOW = 10
# So many readers' servers refusing the content, and none accepting it, speak for all the others.
CONTENT_REFUSALS = 10


class MailChannel:
    """The channel "mail", bound to one SMTP server.

    `smtp_url` as in `channels.smtp`; `sender` "町名 <notice@example.jp>"; `list_id` without brackets;
    `unsubscribe_url` gives the https link for a subscriber id; `message_domain` ends the Message-IDs and is
    our name in EHLO; `connections` slices at once; `retry_waits` seconds before each new attempt at addresses
    that the server put off; `timeout` seconds per reply; `bounce_address` gives the envelope sender for a
    subscriber id (default: the address of `sender`); `tls` replaces the system's certificate authorities.
    """

    name = "mail"
    exact_repeats = False
    rate: float | None = None

    def __init__(
        self,
        *,
        smtp_url: str,
        sender: str,
        list_id: str,
        unsubscribe_url: Callable[[int], str],
        message_domain: str,
        connections: int = 5,
        batch_size: int = 100,
        retry_waits: Sequence[float] = (1.0, 3.0),
        timeout: float = 30.0,
        bounce_address: Callable[[int], str] | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.batch_size = batch_size
        self.concurrency = connections
        self._sender = sender
        self._list_id = list_id
        self._unsubscribe_url = unsubscribe_url
        self._message_domain = message_domain
        self._retry_waits = tuple(retry_waits)
        self._bounce_address = bounce_address or (lambda _: parseaddr(sender)[1])
        self._pool = SmtpPool(
            smtp_url, connections=connections, timeout=timeout, local_hostname=message_domain, tls=tls
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
        self, prepared: MailTemplate, recipients: Sequence[Recipient], retry_key: str
    ) -> AsyncIterator[Part]:
        """Send the slice over one connection, a Part for every 10 recipients.

        Addresses that the server puts off (4xx to RCPT) are tried again after the rest of their Part, and then
        refused as "temporarily_refused". Nobody behind that Part is sent to before, so a process that dies
        never leaves more than one Part that was sent and not reported.
        """
        progress = Progress(recipients)
        try:
            async with aclosing(self._attempts(prepared, recipients, progress)) as steps:
                async for _ in steps:
                    if progress.ready >= WINDOW:
                        yield progress.take()
        except ChannelError:
            progress.close_gaps()
            if progress.ready:
                yield progress.take()
            if progress.open:
                raise
        if progress.ready:
            yield progress.take()

    async def close(self) -> None:
        """Say QUIT and let connections go."""
        await self._pool.close()

    async def _attempts(
        self, template: MailTemplate, recipients: Sequence[Recipient], progress: Progress
    ) -> AsyncGenerator[None]:
        """Every attempt at the slice, pausing after each recipient."""
        while untried := progress.untried:
            async with aclosing(self._attempt(template, recipients, progress, untried)) as steps:
                async for _ in steps:
                    yield
            for wait in self._retry_waits:
                if not progress.deferred:
                    break
                await asyncio.sleep(wait)
                again = self._attempt(template, recipients, progress, progress.deferred)
                async with aclosing(again) as steps:
                    async for _ in steps:
                        yield
            progress.give_up()
            yield

    async def _attempt(
        self,
        template: MailTemplate,
        recipients: Sequence[Recipient],
        progress: Progress,
        positions: Sequence[int],
    ) -> AsyncGenerator[None]:
        """One mail to each of these, up to where those who are put off block the way."""
        addresses = _quoted(recipients, progress, positions)
        if not addresses:
            return
        connection = await self._pool.acquire()
        try:
            tried = iter(addresses)
            envelopes = self._envelopes(template, recipients, progress, addresses)
            async with aclosing(connection.deliver(envelopes)) as verdicts:
                async for verdict in verdicts:
                    _note(progress, next(tried), verdict)
                    yield
        except ConnectionLost as lost:
            raise _explain(lost) from None
        finally:
            self._pool.release(connection)

    def _envelopes(
        self,
        template: MailTemplate,
        recipients: Sequence[Recipient],
        progress: Progress,
        addresses: dict[int, str],
    ) -> Iterator[Envelope]:
        """Ends early, rather than being abandoned, so that the connection stays usable."""
        for position, to in addresses.items():
            if progress.blocked(position, WINDOW):
                return
            yield self._envelope(template, recipients[position], to)

    def _envelope(self, template: MailTemplate, recipient: Recipient, to: str) -> Envelope:
        number = recipient.subscriber_id
        content = fill(
            template,
            to=to,
            message_id=f"<kairanban.{template.version_id}.{number}@{self._message_domain}>",
            unsubscribe_url=self._unsubscribe_url(number),
        )
        return Envelope(self._bounce_address(number), to, content)


def _quoted(recipients: Sequence[Recipient], progress: Progress, positions: Sequence[int]) -> dict[int, str]:
    """Addresses at these positions, ready for the wire; what is no address is refused at once."""
    addresses = {}
    for position in positions:
        to = quote_address(recipients[position].address)
        if to is None:
            progress.refuse(position, "invalid_address", "")
        else:
            addresses[position] = to
    return addresses


def _note(progress: Progress, position: int, verdict: Verdict) -> None:
    """Settle one recipient, or raise what the verdict means for the rest of the slice."""
    reply = verdict.reply
    detail = reply.status or str(reply.code)
    if verdict.stage == "accepted":
        progress.accept(position)
    elif reply.code in (530, 535):
        raise AccountStopped(
            "authentication", "メールサーバーがログインを求めています。設定を直してください。"
        )
    elif verdict.stage == "recipient" and reply.temporary:
        progress.put_off(position, detail)
    elif verdict.stage == "recipient" or _about_mailbox(reply.status):
        progress.refuse(position, _refusal_reason(reply), detail)
    elif reply.temporary:
        raise TemporaryFailure("server_busy", f"メールサーバーが今は受け付けません（{detail}）。")
    elif verdict.stage == "sender":
        raise BatchRefused("sender_refused", f"メールサーバーが差出人を受け付けません（{detail}）。")
    else:
        progress.refuse(position, "content_refused", detail)
        if progress.unanimous("content_refused") >= CONTENT_REFUSALS:
            raise BatchRefused(
                "content_refused", f"メールサーバーがこのメールの内容を受け付けません（{detail}）。"
            )


def _about_mailbox(status: str) -> bool:
    """RFC 3463: 5.1 and 5.2 speak of one address or mailbox, even when said only after the content."""
    return status.startswith(("5.1.", "5.2."))


def _refusal_reason(reply: Reply) -> str:
    unknown = reply.status.startswith("5.1.") or (reply.code == 550 and not reply.status)
    return "mailbox_unknown" if unknown else "refused"


def _explain(lost: ConnectionLost) -> ChannelError:
    if lost.in_doubt:
        return UnknownOutcome(
            "no_answer", "メールの送信後に応答が途切れました。受け付けられたかどうか分かりません。"
        )
    return TemporaryFailure("connection_lost", "メールサーバーとの接続が途中で切れました。")
