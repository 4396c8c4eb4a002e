"""What an SMTP session is sent out with, and the terms in which it tells what became of it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, Protocol

Stage = Literal["sender", "recipient", "content"]
ENHANCED_STATUS = re.compile(rb"[245]\.\d{1,3}\.\d{1,3}(?=[ \r\n]|$)")
GREYLISTED = re.compile(rb"gr[ae]y.?list", re.IGNORECASE)


@dataclass(slots=True)
class Envelope:
    """One mail for one recipient: addresses as in RFC 5321 (quoted where needed).

    The content ends each line with CRLF and begins none with a dot (RFC 5321 §4.5.2), so it goes out as it is.
    `alone`: not pipelined, so that silence or a lost connection is surely about this recipient.
    """

    sender: str
    recipient: str = field(repr=False)
    content: bytes = field(repr=False)
    alone: bool = False


@dataclass(frozen=True, slots=True)
class Reply:
    """A server's reply without its text, which may repeat the address. `status` is the RFC 3463 code or ""."""

    code: int
    status: str
    greylisted: bool = False

    @property
    def temporary(self) -> bool:
        """4xx: worth another try."""
        return 400 <= self.code < 500


@dataclass(frozen=True, slots=True)
class Loss:
    """How a session ended in the middle of something.

    `in_doubt`: the content of the oldest mail under way was sent and not answered. `at_recipient`: the server
    failed over the recipient of that mail; `stalled`: by saying nothing. `stale`: a session kept from before
    that ended without having taken up the errand.
    """

    in_doubt: bool
    at_recipient: bool
    stalled: bool
    stale: bool


class Errand(Protocol):
    """The mails to deliver. Outcomes are told in the order in which `next` gave the envelopes."""

    def next(self, *, behind: bool) -> Envelope | None:
        """The next mail, None for none now. `behind`: it would leave together with the content before it."""
        ...

    def accept(self) -> None:
        """The server took the oldest mail under way."""
        ...

    def refuse(self, stage: Stage, reply: Reply) -> bool:
        """The server said no to the oldest mail under way. False ends the errand."""
        ...

    def may_write(self) -> bool:
        """Whether the content of the oldest mail may still be written, now that the server waits for it."""
        ...

    def withdraw(self) -> None:
        """What was opened was taken back, and nothing more is begun: nobody got anything of it."""
        ...

    def may_wait(self) -> bool:
        """The server takes its time over the recipient of the oldest mail: whether to wait on."""
        ...

    def lose(self, loss: Loss) -> None:
        """The session is gone."""
        ...


def parse_reply(line: bytes) -> Reply:
    """The last line of a reply. What is no SMTP at all counts as 500, a refusal."""
    code = int(line[:3]) if line[:3].isdigit() else 500
    status = ENHANCED_STATUS.match(line, 4)
    return Reply(code, status.group().decode() if status else "", GREYLISTED.search(line) is not None)
