"""The months of a fiscal year, cell by cell: active at the end, joined, returned, left, changed, with reasons.

What nobody looked at is None: a month to come, one before the first record, one whose last day the service did not
see. Choices are known from the day on which events began to note them; before it there is no figure by choice.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlalchemy import distinct, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import end_of_day, fiscal_months, month_end, start_of_day
from content.figures import book
from content.figures.movements import CellMove, Measure, Move, sign
from content.figures.observed import DayState, Observation, observation
from content.register.imports import has_come_in
from content.register.registration_events import IMPORTED
from content.register.states import EventKind
from content.register.subscribers import registration_event

Sums = Counter[tuple[int, CellMove]]


@dataclass(frozen=True, slots=True)
class MonthFigure:
    """One cell in one month. `day` is its last day, or today. `changed`: by people who stayed and chose anew.

    `unobserved_days` did not see the service run: what came and went on them is not in the figures. `survivors`:
    known only from an import of those who are still there, so nobody can have left.
    """

    month: str
    day: date
    state: DayState
    account: str
    value: str
    active: int | None
    joined: int | None = None
    returned: int | None = None
    left: int | None = None
    changed: int | None = None
    reasons: tuple[tuple[str, str, int], ...] = ()
    unobserved_days: int = 0
    survivors: bool = False


@dataclass(frozen=True, slots=True)
class Turnover:
    """延べ (`joined` of the first time and `returned`) apart from how many registrations that were (`distinct`)."""

    account: str
    joined: int
    returned: int
    left: int
    distinct: int


async def months_of(
    connection: AsyncConnection, measure: Measure, year: int, today: date
) -> list[MonthFigure]:
    """Of every cell that was ever taken; months in their order."""
    seen = await observation(connection, today)
    spans = [(date(y, m, 1), min(month_end(y, m), today)) for y, m in fiscal_months(year)]
    spans = [span for span in spans if span[0] <= today]
    ends = [date(year, 3, 31), *(last for _, last in spans)]
    if not spans:
        return []
    measures = sorted({str(measure), str(Measure.TOTAL), str(Measure.LANGUAGE)})
    sums = await book.sums(connection, measures, ends)
    return _figures(sums, measure, spans, seen)


async def turnover(connection: AsyncConnection, first: date, last: date) -> list[Turnover]:
    """Of every account on which something moved from `first` to `last`."""
    sums = await book.sums(connection, [Measure.TOTAL], [last], since=first)
    rows = await connection.execute(
        select(registration_event.c.account, func.count(distinct(registration_event.c.subscriber_id)))
        .where(
            registration_event.c.kind == EventKind.JOINED,
            registration_event.c.at >= start_of_day(first),
            registration_event.c.at < end_of_day(last),
            has_come_in(registration_event.c.subscriber_id),
        )
        .group_by(registration_event.c.account)
    )
    distinct_ones = {account: int(number) for account, number in rows}
    kinds: Counter[tuple[str, str]] = Counter()
    for (_, move), number in sums.items():
        kinds[move.account, move.kind] += number
    return [
        Turnover(
            account,
            kinds[account, Move.JOINED],
            kinds[account, Move.RETURNED],
            kinds[account, Move.LEFT],
            distinct_ones.get(account, 0),
        )
        for account in sorted({account for account, _ in kinds})
    ]


def _figures(
    sums: Sums, measure: Measure, spans: list[tuple[date, date]], seen: Observation
) -> list[MonthFigure]:
    totals, languages, active = (Counter[tuple[str, str]]() for _ in range(3))
    recorded, gone = set[str](), set[str]()
    cells = sorted({(move.account, move.value) for _, move in sums if move.measure == measure})
    found: list[MonthFigure] = []
    for period in range(len(spans) + 1):
        within = [(move, number) for (at, move), number in sums.items() if at == period]
        for move, number in within:
            by = (move.account, "")
            totals[by] += sign(move.kind) * number * (move.measure == Measure.TOTAL)
            languages[by] += sign(move.kind) * number * (move.measure == Measure.LANGUAGE)
            if move.measure == measure:
                active[move.account, move.value] += sign(move.kind) * number
            recorded.add(move.account)
            if move.kind == Move.LEFT:
                gone.add(move.account)
        if period == 0:
            continue
        first, last = spans[period - 1]
        gaps = sum((end - begin).days + 1 for begin, end in seen.gaps(first, last))
        for account, value in cells:
            by_choice = measure not in (Measure.TOTAL, Measure.ROUTE)
            known = account in recorded and not (by_choice and totals[account, ""] != languages[account, ""])
            figure = partial(
                MonthFigure, f"{first:%Y-%m}", last, seen.state(last), account, value, unobserved_days=gaps
            )
            mine = [(m, n) for m, n in within if (m.measure, m.account, m.value) == (measure, account, value)]
            survivors = seen.state(last) == DayState.BEFORE and account not in gone
            if not known or gaps == (last - first).days + 1:
                found.append(figure(None))
            else:
                found.append(_counted(figure, mine, active[account, value], seen.state(last), survivors))
    return found


def _counted(
    figure: partial[MonthFigure],
    moves: list[tuple[CellMove, int]],
    active: int,
    state: DayState,
    survivors: bool,
) -> MonthFigure:
    kinds: Counter[str] = Counter()
    reasons: Counter[tuple[str, str]] = Counter()
    for move, number in moves:
        kinds[move.kind] += number
        reasons[move.kind, move.reason] += number
    only_imported = survivors and all(reason == IMPORTED for kind, reason in reasons if kind == Move.JOINED)
    return figure(
        active=None if state == DayState.UNOBSERVED else active,
        joined=kinds[Move.JOINED],
        returned=kinds[Move.RETURNED],
        left=None if only_imported else kinds[Move.LEFT],
        changed=kinds[Move.CHOSEN] - kinds[Move.DROPPED],
        reasons=tuple((kind, reason, number) for (kind, reason), number in sorted(reasons.items())),
        survivors=only_imported,
    )
