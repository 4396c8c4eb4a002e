"""What became of a notice, as console, command line and machines are told."""

from __future__ import annotations

from dataclasses import dataclass

from content.ledger import posts
from content.ledger.posts import ShownPost
from content.ledger.tallies import Tally, progress_state, refusal_reasons, tally
from content.notices import notices
from content.notices.notices import Notice
from scheduler.shortages import Shortage, shortages_of
from scheduler.town_context import TownContext, public_page


@dataclass(frozen=True, slots=True)
class Status:
    """A notice and what became of it. `state` as in content.ledger.tallies.progress_state; `url` is its public page."""

    notice: Notice
    state: str
    tallies: tuple[Tally, ...]
    reasons: tuple[tuple[str, str, int], ...]
    shortages: tuple[Shortage, ...] = ()
    url: str = ""
    posts: tuple[ShownPost, ...] = ()

    @property
    def planned(self) -> int:
        return sum(row.planned for row in self.tallies)

    @property
    def accepted(self) -> int:
        return sum(row.accepted for row in self.tallies)

    @property
    def open(self) -> int:
        return sum(row.open for row in self.tallies)


async def read_status(context: TownContext, notice_id: int) -> Status:
    """Raises LookupError when there is no such notice."""
    async with context.database.read() as connection:
        found = await notices.get(connection, notice_id)
        if found is None:
            raise LookupError(f"no notice {notice_id}")
        tallies = await tally(connection, notice_id)
        reasons = await refusal_reasons(connection, notice_id)
        shortages = await shortages_of(connection, notice_id)
        shown = await posts.shown_of(connection, notice_id)
    return Status(
        found,
        progress_state(found, tallies),
        tuple(tallies),
        tuple(reasons),
        tuple(shortages),
        public_page(context, found),
        tuple(shown),
    )
