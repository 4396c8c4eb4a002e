"""A clock that stands still for the tests of mail domains, and a domain that was slow by it."""

from channels.mail.domains import FIRST_LOOK, MailDomains

BAD, GOOD = "bad.example.jp", "good.example.jp"


class Clock:
    def __init__(self) -> None:
        self.now = 1_000.0

    def __call__(self) -> float:
        return self.now


def keep_waiting_once(domains: MailDomains, clock: Clock) -> None:
    """Kept somebody waiting, and answered when it was given time."""
    domains.admit(BAD, urgent=False)
    domains.stalled(BAD)
    clock.now += FIRST_LOOK
    domains.admit(BAD, urgent=False)
    domains.answered(BAD)
