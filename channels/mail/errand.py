"""A batch of mails on its way: who is next, what became of whom, how far the ledger knows."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

from channels.channel import ChannelError, Deferred, Part, Recipient, Refusal, always
from channels.mail.domains import FIRST_LOOK, MailDomains, Wait
from channels.mail.messages import domain_of, quote_address
from channels.mail.smtp_errand import Envelope, Loss, Reply, Stage
from channels.mail.verdicts import (
    CONTENT_REFUSED,
    IN_A_ROW,
    MAX_WAIT,
    connection_lost,
    content_refused_for_all,
    judge,
    no_answer,
    refused_in_a_row,
    speaks_for_domain,
    speaks_for_server,
    too_large,
)
from channels.reasons import Reason

# Recipients per Part, and so the most mails that were sent over one connection and are not in the ledger yet.
# Fewer make the ledger the larger part of the work, more gain little: benchmarks/mail.py.
WINDOW = 25
# Seconds after which fewer make a Part too: a slow server must not have many that are not in the ledger.
RECORD_EVERY = 1.0
# So many readers' servers refusing the content, and none accepting it, speak for all the others.
CONTENT_REFUSALS = 10

Outcome = Refusal | Deferred | None
WriteMail = Callable[[Recipient, str], Envelope]


class _Mail(NamedTuple):
    position: int
    domain: str
    envelope: Envelope


class MailErrand:
    """An errand for one SMTP session after another, until every recipient is settled or `error` is set.

    Recipients are settled from the front: accepted, refused or deferred. `news` is set when there is a Part to
    take, or nothing more to wait for on this session.
    """

    def __init__(
        self,
        recipients: Sequence[Recipient],
        write: WriteMail,
        domains: MailDomains,
        *,
        urgent: bool,
        may_go_on: Callable[[], bool] = always,
    ) -> None:
        self.news = asyncio.Event()
        self.error: ChannelError | None = None
        self.interrupted = False
        # Nothing more is begun, whatever is left.
        self.ended = False
        self._size_limit = 0
        self._utf8 = False
        self._recipients = recipients
        self._write = write
        self._domains = domains
        self._urgent = urgent
        self._may_go_on = may_go_on
        # Told when the session waits for a domain that takes its time.
        self.on_long_wait: Callable[[], None] = lambda: None
        # By position; those settled ahead of a mail in flight wait for it.
        self._outcomes: dict[int, Outcome] = {}
        self._under_way: deque[_Mail] = deque()
        self._held: _Mail | None = None
        self._cursor = 0
        self._front = 0
        self._taken = 0
        self._reported = 0
        self._accepted_any = False
        self._content_refusals = 0
        # Replies that may mean every mail, with no other kind between them.
        self._of_server = 0

    @property
    def waiting(self) -> bool:
        """Whether a mail is to be sent; settles those in front of it that nothing can be sent to."""
        if self._held is None and self.error is None:
            self._held = self._choose()
        return self._held is not None

    @property
    def settled(self) -> bool:
        """Every recipient has an outcome."""
        return self._front == len(self._recipients)

    @property
    def paused(self) -> bool:
        """Nothing more to wait for on this session."""
        is_over = self.ended and not self._under_way
        return self.settled or self.interrupted or is_over or self.error is not None

    def resume(self, size_limit: int, *, utf8: bool) -> None:
        """On a new session, whose server takes mails of up to so many octets (0: any); `utf8`: to every script."""
        self.interrupted = False
        self._utf8 = utf8
        self._size_limit = size_limit

    def take(self) -> Part:
        """The Part of all that are settled and were not taken yet; may be empty."""
        outcomes = [self._outcomes.pop(position) for position in range(self._taken, self._front)]
        self._taken = self._front
        return Part(
            len(outcomes),
            tuple(outcome for outcome in outcomes if isinstance(outcome, Refusal)),
            tuple(outcome for outcome in outcomes if isinstance(outcome, Deferred)),
        )

    def reported(self) -> None:
        """All that was taken is in the ledger."""
        self._reported = self._taken

    def abandon(self) -> None:
        """Nobody waits for outcomes any more."""
        while self._under_way:
            self._domains.left(self._under_way.popleft().domain)
        if self._held is not None:
            self._domains.left(self._held.domain)
            self._held = None

    def next(self, *, behind: bool) -> Envelope | None:
        """The next mail, unless too many are unreported."""
        # Behind a content: `may_write` was asked for that a moment ago.
        if not (behind or self.ended or self._may_go_on()):
            self.ended = True
        if self.ended:
            self.news.set()
            return None
        if not self.waiting or (mail := self._held) is None:
            return None
        if mail.position >= self._reported + WINDOW or (behind and mail.envelope.alone):
            return None
        if 0 < self._size_limit < len(mail.envelope.content):
            # The mail before it is still under way, and its outcome counts.
            if not behind:
                self._fail(too_large(len(mail.envelope.content), self._size_limit))
            return None
        self._held = None
        if not (self._utf8 or mail.envelope.recipient.isascii()):
            self._domains.left(mail.domain)
            number = self._recipients[mail.position].subscriber_id
            self._settle(mail.position, Refusal(number, Reason.ADDRESS_NEEDS_UTF8))
            return self.next(behind=behind)
        self._under_way.append(mail)
        return mail.envelope

    def accept(self) -> None:
        """The oldest mail under way has arrived."""
        mail = self._under_way.popleft()
        self._accepted_any = True
        self._of_server = 0
        self._domains.answered(mail.domain)
        self._settle(mail.position, None)

    def refuse(self, stage: Stage, reply: Reply) -> bool:
        """The oldest mail under way was not taken."""
        mail = self._under_way.popleft()
        if speaks_for_server(stage, reply):
            self._domains.left(mail.domain)
        elif stage == "recipient" and speaks_for_domain(reply):
            self._domains.failed(mail.domain)
        else:
            self._domains.answered(mail.domain)
        number = self._recipients[mail.position].subscriber_id
        outcome = judge(stage, reply, number, urgent=self._urgent)
        if isinstance(outcome, ChannelError):
            return self._fail(outcome)
        self._settle(mail.position, outcome)
        self._of_server = self._of_server + 1 if speaks_for_server(stage, reply) else 0
        if self._of_server >= IN_A_ROW:
            return self._fail(refused_in_a_row(reply))
        if isinstance(outcome, Refusal) and outcome.reason == CONTENT_REFUSED:
            self._content_refusals += 1
            if self._content_refusals >= CONTENT_REFUSALS and not self._accepted_any:
                return self._fail(content_refused_for_all(outcome.detail))
        return True

    def may_write(self) -> bool:
        """While the server thought about the opening this process may have stood still, and lost the batch."""
        return self._may_go_on()

    def withdraw(self) -> None:
        """The mails under way are as if they had not been begun."""
        self.ended = True
        self.abandon()
        self.news.set()

    def may_wait(self) -> bool:
        """Whether this is the one connection that waits for a domain that does not answer."""
        if not self._under_way:
            return True
        if not self._domains.may_wait(self._under_way[0].domain, self):
            return False
        self.on_long_wait()
        return True

    def lose(self, loss: Loss) -> None:
        """The session is gone, and with it what was under way."""
        self.interrupted = True
        self.news.set()
        if not self._under_way:
            return
        mail = self._under_way[0]
        if loss.stale:
            # The server had hung up before this mail.
            self._held = self._under_way.popleft()
        elif loss.at_recipient and loss.stalled:
            self._under_way.popleft()
            soon = self._domains.stalled(mail.domain)
            wait = FIRST_LOOK if soon else MAX_WAIT[self._urgent]
            number = self._recipients[mail.position].subscriber_id
            self._settle(
                mail.position, Deferred(number, Reason.DOMAIN_UNREACHABLE, "", wait, growing=not soon)
            )
        elif loss.at_recipient:
            self._under_way.popleft()
            self._domains.hung_up(mail.domain)
            self._fail(connection_lost())
        else:
            # The answer to a content may be held back while the server hangs over the recipient behind it.
            if loss.in_doubt:
                self._domains.left(self._under_way.popleft().domain)
            while self._under_way:
                self._domains.suspected(self._under_way.popleft().domain)
            self._fail(no_answer() if loss.in_doubt else connection_lost())

    def _choose(self) -> _Mail | None:
        """The next mail to send; whoever comes before it and gets none is settled."""
        while self._cursor < len(self._recipients):
            position = self._cursor
            self._cursor += 1
            recipient = self._recipients[position]
            to = quote_address(recipient.address)
            if to is None:
                self._settle(position, Refusal(recipient.subscriber_id, Reason.INVALID_ADDRESS))
                continue
            domain = domain_of(to)
            admission = self._domains.admit(domain, urgent=self._urgent, others=self._others_wait)
            if isinstance(admission, Wait):
                self._settle(
                    position,
                    Deferred(recipient.subscriber_id, admission.reason, "", admission.seconds, growing=False),
                )
                continue
            envelope = self._write(recipient, to)
            envelope.alone = admission == "alone"
            return _Mail(position, domain, envelope)
        return None

    def _others_wait(self) -> bool:
        """Whether anybody who was not chosen yet is at a domain that answers at once."""
        rest = (quote_address(recipient.address) for recipient in self._recipients[self._cursor :])
        return any(not self._domains.is_slow(domain_of(to or "")) for to in rest)

    def _settle(self, position: int, outcome: Outcome) -> None:
        self._outcomes[position] = outcome
        while self._front in self._outcomes:
            self._front += 1
        if self._front - self._taken >= WINDOW or self.settled:
            self.news.set()

    def _fail(self, error: ChannelError) -> bool:
        self.error = error
        self.abandon()
        self.news.set()
        return False
