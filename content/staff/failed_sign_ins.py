"""Sign-ins that failed go into the audit trail as sums: a flood of them must not fill the disk.

They are counted in memory for each source and member. Each minute the sums are written down, the largest
one by one, the rest in one entry; while there is a rest the next time is twice as far, up to an hour.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR, MINUTE, SECOND, iso
from content.database import Database
from content.staff import audit

ACTION = "staff.login_failed"
ACTOR = "stranger"
# What became of a try: the password or the code of the second factor did not fit, the source had to wait,
# the queue was full.
Outcome = Literal["wrong", "wrong_code", "waiting", "turned_away"]
# Entries of one writing that name a source: a day of flood makes 500 entries.
MOST_SINGLE = 20
# Sources counted one by one until the next writing.
MOST_COUNTED = 1000


@dataclass(frozen=True, slots=True)
class Who:
    """A source and the member that it tried to be. What was typed for an unknown name is not kept:

    people type their password there by mistake.
    """

    source: str
    member_id: int | None = None


@dataclass(slots=True)
class _Sum:
    first_at: int
    last_at: int = 0
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: _Sum) -> None:
        self.first_at = min(self.first_at, other.first_at)
        self.last_at = max(self.last_at, other.last_at)
        self.outcomes += other.outcomes

    def detail(self) -> dict[str, Any]:
        return {"first_at": iso(self.first_at), "last_at": iso(self.last_at), **self.outcomes}


class FailedSignIns:
    """`count` each of them; `write` the sums when `wait_seconds` have passed."""

    def __init__(self) -> None:
        self._sums: dict[Who, _Sum] = {}
        self._rest: _Sum | None = None
        self._wait = MINUTE

    @property
    def wait_seconds(self) -> float:
        return self._wait / SECOND

    def count(self, who: Who, outcome: Outcome, at: int) -> None:
        tried = _Sum(at, at, Counter({outcome: 1}))
        if who in self._sums:
            self._sums[who].add(tried)
        elif len(self._sums) < MOST_COUNTED:
            self._sums[who] = tried
        else:
            self._add_to_rest(tried)

    async def write(self, database: Database, now: int) -> None:
        """The sums into the trail, in one transaction; they are kept when that fails."""
        if not self._sums:
            self._wait = MINUTE
            return
        taken, self._sums = self._sums, {}
        rest, self._rest = self._rest, None
        largest = sorted(taken.items(), key=lambda item: -item[1].outcomes.total())
        single, others = largest[:MOST_SINGLE], [one for _, one in largest[MOST_SINGLE:]]
        try:
            async with database.write() as connection:
                for who, one in single:
                    await _record(connection, who, one, now)
                if others or rest:
                    await _record_rest(connection, [*others, *([rest] if rest else [])], now)
        except BaseException:
            self._put_back(taken, rest)
            raise
        self._wait = min(self._wait * 2, HOUR) if others else MINUTE

    def _put_back(self, taken: dict[Who, _Sum], rest: _Sum | None) -> None:
        meanwhile, self._sums = self._sums, taken
        for who, one in meanwhile.items():
            if who in self._sums:
                self._sums[who].add(one)
            elif len(self._sums) < MOST_COUNTED:
                self._sums[who] = one
            else:
                self._add_to_rest(one)
        if rest is not None:
            self._add_to_rest(rest)

    def _add_to_rest(self, tried: _Sum) -> None:
        if self._rest is None:
            self._rest = tried
        else:
            self._rest.add(tried)


async def _record(connection: AsyncConnection, who: Who, one: _Sum, now: int) -> None:
    subject = "" if who.member_id is None else f"staff {who.member_id}"
    await audit.record(
        connection, at=now, actor=ACTOR, action=ACTION, subject=subject, source=who.source, **one.detail()
    )


async def _record_rest(connection: AsyncConnection, others: list[_Sum], now: int) -> None:
    rest = others[0]
    for one in others[1:]:
        rest.add(one)
    await audit.record(
        connection, at=now, actor=ACTOR, action=ACTION, other_sources=len(others), **rest.detail()
    )
