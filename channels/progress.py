"""How far a slice has come when its recipients are settled one by one, some of them out of order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from channels.channel import Part, Recipient, Refusal

ACCEPTED: Final = "accepted"
OPEN: Final = "open"


class Progress:
    """Outcomes by position; Parts are taken from the front, up to the first position that is still open."""

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        self._recipients = recipients
        self._outcomes: list[str | Refusal] = [OPEN] * len(recipients)
        self._put_off: dict[int, str] = {}
        self._taken = 0
        self._front = 0

    @property
    def open(self) -> list[int]:
        """Positions without an outcome, in order."""
        return [position for position, outcome in enumerate(self._outcomes) if outcome == OPEN]

    @property
    def untried(self) -> list[int]:
        """Open positions that nobody put off, in order."""
        return [position for position in self.open if position not in self._put_off]

    @property
    def deferred(self) -> list[int]:
        """Open positions that were put off, in order."""
        return sorted(self._put_off)

    @property
    def ready(self) -> int:
        """How many recipients the next Part would hold."""
        while self._front < len(self._outcomes) and self._outcomes[self._front] != OPEN:
            self._front += 1
        return self._front - self._taken

    def accept(self, position: int) -> None:
        """The service outside took this one."""
        self._settle(position, ACCEPTED)

    def refuse(self, position: int, reason: str, detail: str) -> None:
        """The service outside said no for good."""
        self._settle(position, Refusal(self._recipients[position].subscriber_id, reason, detail))

    def put_off(self, position: int, detail: str) -> None:
        """The service outside said "later": stays open, and is refused when there is no later."""
        self._put_off[position] = detail

    def give_up(self) -> None:
        """Refuse what was put off and never taken."""
        for position in self.deferred:
            self.refuse(position, "temporarily_refused", self._put_off[position])

    def blocked(self, position: int, window: int) -> bool:
        """Whether `position` is too far from the last Part to be tried while somebody is put off."""
        return bool(self._put_off) and position >= self._taken + window

    def unanimous(self, reason: str) -> int:
        """How many were refused for `reason`; 0 as soon as anybody was accepted."""
        if ACCEPTED in self._outcomes:
            return 0
        return sum(isinstance(outcome, Refusal) and outcome.reason == reason for outcome in self._outcomes)

    def close_gaps(self) -> None:
        """Refuse what was put off in front of settled recipients, who would otherwise be sent to twice."""
        settled = [position for position, outcome in enumerate(self._outcomes) if outcome != OPEN]
        for position in self.deferred:
            if settled and position < settled[-1]:
                self.refuse(position, "temporarily_refused", self._put_off[position])

    def take(self) -> Part:
        """The Part of all that is ready."""
        end = self._taken + self.ready
        outcomes = self._outcomes[self._taken : end]
        part = Part(len(outcomes), tuple(outcome for outcome in outcomes if isinstance(outcome, Refusal)))
        self._taken = end
        return part

    def _settle(self, position: int, outcome: str | Refusal) -> None:
        self._outcomes[position] = outcome
        self._put_off.pop(position, None)
