"""Sending mail: a batch over one connection after another, written down part by part."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import suppress
from functools import partial

from channels.channel import Channel, ChannelError, Part, Recipient, always
from channels.mail.domains import MailDomains
from channels.mail.errand import RECORD_EVERY, MailErrand, WriteMail
from channels.mail.messages import MailTemplate
from channels.mail.smtp import SmtpPool


class MailSession:
    """A channel "mail" opened for sending, over connections of `pool`. `writer` writes the mails of a template."""

    def __init__(
        self,
        channel: Channel,
        pool: SmtpPool,
        domains: MailDomains,
        writer: Callable[[MailTemplate], WriteMail],
    ) -> None:
        self.channel = channel
        self._pool = pool
        self._domains = domains
        self._writer = writer

    async def send(
        self,
        prepared: MailTemplate,
        recipients: Sequence[Recipient],
        retry_key: str,
        may_go_on: Callable[[], bool] = always,
        *,
        maybe_sent: bool = False,
    ) -> AsyncGenerator[Part, None]:
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
                    mails.resume(session.size, utf8=session.utf8)
                    mails.on_long_wait = partial(self._pool.lend, session)
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

    async def probe(self) -> float | None:
        """By connecting and signing in."""
        self._pool.release(await self._pool.acquire())
        return None

    async def close(self) -> None:
        """Say QUIT and let connections go."""
        await self._pool.close()
