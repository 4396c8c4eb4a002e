"""What residents did in the 72 hours after a notice, beside what they do in 72 hours anyway.

Joining and leaving by their own hand alone. Compared with the same weekdays and hours of the four weeks before, as
far as the service ran then; the range is that of 95 of 100 such stretches, if nothing is different (counts scatter
as Poisson's, and the mean itself is known from few stretches).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from math import ceil, floor, sqrt

from sqlalchemy import case, exists, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, HOUR, today_jst
from content.figures.observed import DayState, Observation, observation
from content.notices.notices import notice, trigger
from content.notices.trials import trial
from content.register.states import EventKind, Route
from content.register.subscribers import registration_event
from content.town import Mode

WINDOW = 72 * HOUR
WEEKS, FEWEST = 4, 2
# Of a normal distribution, for 95 %.
DEVIATIONS = 1.96
# Events of before routes were written down have none.
OWN = (Route.LINE, Route.MAIL, Route.WEB, "")


@dataclass(frozen=True, slots=True)
class Usual:
    """How many there are otherwise: from, to, and in how many weeks that was looked at."""

    low: int
    high: int
    weeks: int


@dataclass(frozen=True, slots=True)
class Change:
    """`usual` is None when too little is known to compare with."""

    number: int
    usual: Usual | None

    @property
    def verdict(self) -> str:
        """more, fewer, usual, or unknown."""
        if self.usual is None:
            return "unknown"
        if self.number > self.usual.high:
            return "more"
        return "fewer" if self.number < self.usual.low else "usual"


@dataclass(frozen=True, slots=True)
class Effect:
    """`until` is when the 72 hours are over, `others` how many more live notices went out within them."""

    joined: Change
    left: Change
    until: int
    others: int


async def effect_of(
    connection: AsyncConnection, notice_id: int, fired_at: int, accounts: Collection[str], now: int
) -> Effect:
    """Of a notice that went out on these accounts."""
    until = fired_at + WINDOW
    after = await _moves(connection, accounts, fired_at, min(until, now))
    seen = await observation(connection, today_jst(now))
    before = [
        await _moves(connection, accounts, start, start + WINDOW)
        for start in (fired_at - week * 7 * DAY for week in range(1, WEEKS + 1))
        if _was_seen(seen, start)
    ]
    others = await connection.scalar(
        select(func.count())
        .select_from(notice)
        .join(trigger, trigger.c.notice_id == notice.c.id)
        .where(
            trigger.c.fired_at >= fired_at,
            trigger.c.fired_at < until,
            notice.c.id != notice_id,
            notice.c.mode == Mode.LIVE,
            ~exists().where(trial.c.notice_id == notice.c.id),
        )
    )
    return Effect(
        Change(after[0], usual([joined for joined, _ in before])),
        Change(after[1], usual([left for _, left in before])),
        until,
        int(others or 0),
    )


def usual(numbers: list[int]) -> Usual | None:
    """The range in which the next number of this kind lies as a rule. None for fewer than FEWEST."""
    if len(numbers) < FEWEST:
        return None
    mean = sum(numbers) / len(numbers)
    deviation = DEVIATIONS * sqrt(mean * (1 + 1 / len(numbers)))
    # Where none came, up to 3 in as many stretches may still be usual ("rule of three").
    high = max(ceil(mean + deviation), ceil(3 / len(numbers)))
    return Usual(max(0, floor(mean - deviation)), high, len(numbers))


def _was_seen(seen: Observation, start: int) -> bool:
    first, last = today_jst(start), today_jst(start + WINDOW)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return all(seen.state(day) == DayState.OBSERVED for day in days)


async def _moves(
    connection: AsyncConnection, accounts: Collection[str], since: int, until: int
) -> tuple[int, int]:
    """(joined, left) by residents themselves."""
    kind = registration_event.c.kind
    row = (
        await connection.execute(
            select(
                *(func.sum(case((kind == one, 1), else_=0)) for one in (EventKind.JOINED, EventKind.LEFT))
            ).where(
                registration_event.c.account.in_(sorted(accounts)),
                registration_event.c.at >= since,
                registration_event.c.at < until,
                registration_event.c.route.in_(OWN),
            )
        )
    ).one()
    return int(row[0] or 0), int(row[1] or 0)
