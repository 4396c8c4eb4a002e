"""Indicators (指標): a plan's figure per fiscal year beside the actual count (実績).

The actual of a month is 登録者数 at its end, computed from registration events. Months that have
not ended yet show the count so far and say so; months to come, and months before
the first recorded registration, show nothing. The actual of a year that is frozen is the frozen value:
what is counted otherwise later stands beside it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from content.clock import fiscal_months, month_end
from content.figures.achievement import rate
from content.figures.counts import Movement, count_at
from content.figures.observed import DayState, Observation
from content.figures.year_ends import YearEnd
from content.town import Annotation, Indicator, Mode, Town


@dataclass(frozen=True, slots=True)
class MonthActual:
    """`actual` is None for a month to come and for one before the first registration was recorded: a gap
    is not a zero. `provisional` while the month is running."""

    year: int
    month: int
    day: date
    actual: int | None
    joined: int
    left: int
    provisional: bool


@dataclass(frozen=True, slots=True)
class YearResult:
    """One fiscal year: `rate` is 達成率 in percent, one decimal by 四捨五入, None without target or actual.

    `frozen` when the actual is that of the year's end as it was written down; `counted_now` where it comes out
    otherwise today.
    """

    fiscal_year: int
    target: int | None
    actual: int | None
    rate: float | None
    as_of: date | None
    provisional: bool
    months: tuple[MonthActual, ...]
    annotations: tuple[Annotation, ...]
    frozen: YearEnd | None = None
    counted_now: int | None = None


@dataclass(frozen=True, slots=True)
class IndicatorReport:
    indicator: Indicator
    years: tuple[YearResult, ...]
    as_of: date


def report(
    town: Town,
    indicator: Indicator,
    moves: list[Movement],
    today: date,
    years: tuple[int, ...] = (),
    seen: Observation | None = None,
    frozen: Mapping[int, YearEnd] | None = None,
) -> IndicatorReport:
    """Every fiscal year from the first target to the last, also one without; or the `years` asked for, oldest first.

    A month whose last day the service did not see, as `seen` says, has no actual. `frozen`: by fiscal year.
    """
    accounts = {
        item.key for item in town.accounts if item.channel in indicator.channels and item.mode == Mode.LIVE
    }
    with_target = sorted(indicator.targets)
    wanted = years or tuple(range(with_target[0], with_target[-1] + 1) if with_target else ())
    counted = (_year(indicator, moves, accounts, year, today, seen) for year in wanted)
    held = frozen or {}
    return IndicatorReport(
        indicator, tuple(_as_frozen(year, held.get(year.fiscal_year), accounts) for year in counted), today
    )


def _as_frozen(year: YearResult, held: YearEnd | None, accounts: set[str]) -> YearResult:
    actual = held.active_on(accounts) if held else None
    if held is None or actual is None:
        return year
    return replace(
        year,
        actual=actual,
        rate=_rate(actual, year.target),
        as_of=held.day,
        provisional=False,
        frozen=held,
        counted_now=None if year.actual == actual else year.actual,
    )


def _year(
    indicator: Indicator,
    moves: list[Movement],
    accounts: set[str],
    year: int,
    today: date,
    seen: Observation | None,
) -> YearResult:
    months = tuple(_month(moves, accounts, y, m, today, seen) for y, m in fiscal_months(year))
    known = [item for item in months if item.actual is not None]
    last = known[-1] if known else None
    target = indicator.targets.get(year)
    actual = last.actual if last else None
    return YearResult(
        fiscal_year=year,
        target=target,
        actual=actual,
        rate=_rate(actual, target),
        as_of=last.day if last else None,
        provisional=months[-1].actual is None or months[-1].provisional,
        months=months,
        annotations=tuple(
            item
            for item in indicator.annotations
            if item.month in {f"{m.year}-{m.month:02d}" for m in months}
        ),
    )


def _rate(actual: int | None, target: int | None) -> float | None:
    if actual is None or target is None:
        return None
    found = rate(Decimal(actual), Decimal(target))
    return None if found is None else float(found)


def _month(
    moves: list[Movement],
    accounts: set[str],
    year: int,
    month: int,
    today: date,
    seen: Observation | None,
) -> MonthActual:
    first, last = date(year, month, 1), month_end(year, month)
    missed = seen is not None and seen.state(min(last, today)) == DayState.UNOBSERVED
    if missed or first > today or not any(move.account in accounts and move.day <= last for move in moves):
        return MonthActual(year, month, last, None, 0, 0, False)
    within = [move for move in moves if move.account in accounts and first <= move.day <= min(last, today)]
    day = min(last, today)
    return MonthActual(
        year=year,
        month=month,
        day=day,
        actual=count_at(moves, accounts, day),
        joined=sum(move.joined for move in within),
        left=sum(move.left for move in within),
        provisional=last >= today,
    )
