"""The mail domains behind the server: who is in trouble, and who wants to be sent to slowly.

Trouble of one domain shows as 4xx to RCPT, or as a server that says nothing at RCPT. Its readers are then
deferred without touching a connection, so nobody else waits. Shared by all connections of a town; kept in
memory, for a restart may well ask again.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Literal

from channels.reasons import Reason

# So many temporary failures, with no better answer between them, close a domain.
FAILURES = 10
# Hanging up at RCPT ends the connection for others too, so it takes fewer of these.
HANG_UP = 4
# Seconds: how long a domain is closed at first and at most, and when old failures are forgotten.
FIRST_PAUSE = 30.0
LONGEST_PAUSE = 300.0
MEMORY = 600.0
# Seconds until a domain that was given up on after a moment, for the sake of the others, is asked with patience.
FIRST_LOOK = 2.0
# Seconds to wait for the answer to the one mail that probes a closed domain.
PROBE_WAIT = 10.0


@dataclass(frozen=True, slots=True)
class DomainLimit:
    """What a domain wants: at most `rate` mails a second, `connections` at once; None for no limit."""

    rate: float | None = None
    connections: int | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """Not now: try again in so many seconds."""

    reason: Reason
    seconds: float


Admission = Literal["go", "alone"] | Wait


@dataclass(slots=True)
class _Domain:
    limit: DomainLimit | None
    under_way: int = 0
    tokens: float = 0.0
    filled_at: float = 0.0
    queued_until: dict[bool, float] = field(default_factory=lambda: {True: 0.0, False: 0.0})
    failures: int = 0
    failed_at: float = 0.0
    pause: float = FIRST_PAUSE
    closed_until: float | None = None
    probing: bool = False
    suspect: bool = False
    # Has kept somebody waiting: from now on it gets the time that it needs, of one connection.
    slow: bool = False
    # The one who waits for its answer.
    waiter: object = None


class MailDomains:
    """Admits mails by the domain of their recipient, and learns from what became of them.

    Every admitted mail is followed by exactly one of `answered`, `failed`, `stalled`, `hung_up`, `suspected`
    and `left`.
    """

    def __init__(
        self, limits: Mapping[str, DomainLimit] | None = None, clock: Callable[[], float] = monotonic
    ) -> None:
        self._clock = clock
        # Only domains with a limit or in trouble: to the others nothing needs to be remembered.
        self._domains = {name.lower(): _Domain(limit) for name, limit in (limits or {}).items()}

    def admit(self, name: str, *, urgent: bool, others: Callable[[], bool] = lambda: False) -> Admission:
        """Whether a mail may go out to this domain now ("alone": no other may wait behind it).

        `others`: whether mails to domains that answer wait in the same batch. The probe of one that kept somebody
        waiting may take its time, so it leaves from a batch without them.
        """
        domain = self._domains.get(name)
        if domain is None:
            return "go"
        now = self._clock()
        closed = _closed(domain, now)
        if closed is None and domain.closed_until is not None and domain.slow and others():
            closed = Wait(Reason.DOMAIN_UNREACHABLE, FIRST_LOOK)
        wait = closed or _out_of_turn(domain, now, urgent=urgent)
        if wait is not None:
            return wait
        domain.under_way += 1
        # The first mail to a closed domain, once its time has come, tells whether the domain is back.
        domain.probing = domain.closed_until is not None
        return "alone" if domain.probing or domain.suspect else "go"

    def answered(self, name: str) -> None:
        """The domain works, whatever it said about one mailbox."""
        domain = self._domains.get(name)
        if domain is None:
            return
        _leave(domain)
        domain.failures, domain.pause, domain.closed_until = 0, FIRST_PAUSE, None
        domain.suspect = False
        if domain.limit is None and not domain.slow:
            del self._domains[name]

    def failed(self, name: str, weight: int = 1) -> None:
        """A temporary failure that speaks for the whole domain."""
        now = self._clock()
        domain = self._domains.setdefault(name, _Domain(None))
        was_probe = domain.probing
        _leave(domain)
        if now - domain.failed_at > MEMORY and not was_probe:
            domain.failures, domain.pause = 0, FIRST_PAUSE
        domain.failed_at = now
        domain.failures += weight
        # Mails that were under way when it was closed say nothing new.
        already = domain.closed_until is not None and not was_probe
        if domain.failures >= FAILURES and not already:
            domain.closed_until = now + domain.pause * random.uniform(0.75, 1.25)  # noqa: S311 - jitter
            domain.pause = min(LONGEST_PAUSE, domain.pause * 2)

    def stalled(self, name: str) -> bool:
        """The server said nothing at RCPT: each such mail costs a connection, so one is enough.

        True when it was given a moment only. It is soon asked again, and then waited for.
        """
        domain = self._domains.setdefault(name, _Domain(None))
        if domain.slow and (domain.probing or domain.closed_until is None):
            self.failed(name, FAILURES)
            return False
        _leave(domain)
        domain.slow = True
        domain.closed_until = max(domain.closed_until or 0.0, self._clock() + FIRST_LOOK)
        return True

    def is_slow(self, name: str) -> bool:
        domain = self._domains.get(name)
        return domain is not None and domain.slow

    def may_wait(self, name: str, who: object) -> bool:
        """Whether `who` may go on waiting for an answer at RCPT.

        Nobody at first, for there are others in the batch; later one at a time, so that a hanging domain costs one
        connection and not all of them.
        """
        domain = self._domains.get(name)
        if domain is None or not domain.slow or (domain.closed_until is not None and not domain.probing):
            return False
        if domain.waiter is None:
            domain.waiter = who
        return domain.waiter is who

    def hung_up(self, name: str) -> None:
        """The server ended the connection at RCPT."""
        self.failed(name, HANG_UP)

    def suspected(self, name: str) -> None:
        """The connection was lost, perhaps over this domain: the next mail there goes alone, to be sure."""
        domain = self._domains.setdefault(name, _Domain(None))
        _leave(domain)
        domain.suspect = True

    def left(self, name: str) -> None:
        """The mail ended without telling anything about the domain."""
        domain = self._domains.get(name)
        if domain is not None:
            _leave(domain)


def _leave(domain: _Domain) -> None:
    domain.under_way = max(0, domain.under_way - 1)
    domain.probing = False
    domain.waiter = None


def _closed(domain: _Domain, now: float) -> Wait | None:
    if domain.closed_until is None:
        return None
    if domain.closed_until > now:
        seconds = domain.closed_until - now
        # Not all at the same moment, when the probe has only just left.
        return Wait(Reason.DOMAIN_UNREACHABLE, seconds + random.uniform(0, PROBE_WAIT))  # noqa: S311 - jitter
    return Wait(Reason.DOMAIN_UNREACHABLE, PROBE_WAIT) if domain.probing else None


def _out_of_turn(domain: _Domain, now: float, *, urgent: bool) -> Wait | None:
    limit = domain.limit
    if limit is None:
        return None
    if limit.connections is not None and domain.under_way >= limit.connections:
        return Wait(Reason.DOMAIN_LIMIT, random.uniform(1.0, 3.0))  # noqa: S311 - jitter
    if limit.rate is None:
        return None
    most = max(1.0, limit.rate)
    domain.tokens = min(most, domain.tokens + (now - domain.filled_at) * limit.rate)
    domain.filled_at = now
    # Routine mail leaves half of a second's mails to urgent mail, which never waits behind it.
    kept = 0.0 if urgent or most < 2 else most / 2
    if domain.tokens < 1 + kept:
        # Each who waits gets a later time than the one before, so that they do not all come back at once.
        free_at = max(now, domain.queued_until[urgent]) + 1 / limit.rate
        domain.queued_until[urgent] = free_at
        return Wait(Reason.DOMAIN_LIMIT, free_at - now)
    domain.tokens -= 1
    return None
