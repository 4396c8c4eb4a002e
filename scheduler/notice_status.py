"""What became of a notice, as console, command line and machines are told."""

from __future__ import annotations

from dataclasses import dataclass

from content.ledger.tallies import Tally
from content.notices.notices import Notice
from scheduler.shortages import Shortage


@dataclass(frozen=True, slots=True)
class Status:
    """A notice and what became of it. `state` as in content.ledger.tallies.progress_state; `url` is its public page."""

    notice: Notice
    state: str
    tallies: tuple[Tally, ...]
    reasons: tuple[tuple[str, str, int], ...]
    shortages: tuple[Shortage, ...] = ()
    url: str = ""

    @property
    def planned(self) -> int:
        return sum(row.planned for row in self.tallies)

    @property
    def accepted(self) -> int:
        return sum(row.accepted for row in self.tallies)

    @property
    def open(self) -> int:
        return sum(row.open for row in self.tallies)
