"""What the mail stand-in does wrong, on request: refuse, hang, hang up, be slow."""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from aiosmtpd.smtp import SMTP

Replies = dict[str, str | list[str]]


@dataclass(slots=True)
class SmtpFaults:
    """What goes wrong, until changed.

    A reply is what the server says ("450 4.2.0 later"; with 421 it hangs up as well), or "hang": it never
    answers, or "drop": it hangs up. `refuse` maps an address or glob (`*@slow.example.jp`) to the reply to
    RCPT, or to a list of replies that are used up one by one before the address is accepted;
    `refuse_content` the same for the content of mails to these addresses. `greeting`, `sender` and `content`
    are replies instead of the greeting, to MAIL and to every content, "" for none.

    `drop_before_data`, `drop_in_data` and `drop_after_data` count how many of the next mails lose the
    connection at DATA, in the middle of the content, or after the content without an answer (the mail itself
    is kept). `latency_ms` is a pause before each answer to a content. `close_after` hangs up with 421 at MAIL
    after so many mails on one connection, 0 for never.
    """

    refuse: Replies = field(default_factory=dict)
    refuse_content: Replies = field(default_factory=dict)
    greeting: str = ""
    sender: str = ""
    content: str = ""
    drop_before_data: int = 0
    drop_in_data: int = 0
    drop_after_data: int = 0
    latency_ms: int = 0
    close_after: int = 0


def reply_to(address: str, replies: Replies) -> str:
    """The reply that is due for this address, "" for none; used up when it is one of a list."""
    for pattern, reply in replies.items():
        if fnmatchcase(address.lower(), pattern.lower()):
            if isinstance(reply, str):
                return reply
            return reply.pop(0) if reply else ""
    return ""


async def play(server: SMTP, reply: str) -> str:
    """The reply to give, unless there is none to give."""
    if reply == "hang":
        # Until the client hangs up, which cancels whoever waits here.
        await asyncio.Event().wait()
    if reply == "drop":
        hang_up(server)
    return reply


def hang_up(server: SMTP) -> None:
    """End the connection without a word."""
    transport = server.transport
    if isinstance(transport, asyncio.WriteTransport):
        transport.abort()


def faults_as_json(faults: SmtpFaults) -> dict[str, Any]:
    """The faults as GET /api/faults shows them and PUT takes them."""
    return asdict(faults)


def faults_from_json(content: dict[str, Any]) -> SmtpFaults:
    """Raises TypeError for an unknown name."""
    return SmtpFaults(**content)
