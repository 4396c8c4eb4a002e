"""One plain mail to people of the town hall, over a connection of its own: not for residents, not by the ledger."""

from __future__ import annotations

import ssl
from collections.abc import Sequence
from email.message import EmailMessage
from email.policy import SMTP

import aiosmtplib

from channels.mail.smtp import parse_smtp_url


async def send_plain(
    smtp_url: str,
    *,
    sender: str,
    to: Sequence[str],
    subject: str,
    body: str,
    message_id: str = "",
    timeout: float = 20.0,
    tls: ssl.SSLContext | None = None,
) -> None:
    """Raises what aiosmtplib raises, when not one of them was accepted, and ValueError for an unusable URL."""
    server = parse_smtp_url(smtp_url)
    mail = EmailMessage(policy=SMTP)
    mail["From"], mail["To"], mail["Subject"] = sender, ", ".join(to), subject
    if message_id:
        mail["Message-ID"] = message_id
    # Vacation replies to an alarm help nobody (RFC 3834).
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(body, cte="base64")
    await aiosmtplib.send(
        mail,
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.scheme == "smtps",
        start_tls=server.scheme == "smtp+starttls",
        timeout=timeout,
        tls_context=tls,
    )


async def greet(smtp_url: str, *, timeout: float) -> None:
    """Connect, sign in and leave, with nothing sent. Raises as `send_plain`."""
    server = parse_smtp_url(smtp_url)
    client = aiosmtplib.SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        use_tls=server.scheme == "smtps",
        start_tls=server.scheme == "smtp+starttls",
        timeout=timeout,
    )
    async with client:
        await client.noop()
