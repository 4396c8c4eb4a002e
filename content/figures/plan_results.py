"""Results of a plan's indicators: per fiscal year target, actual, 達成率, what stands beside them, cost."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from decimal import Decimal

from content.clock import fiscal_year
from content.figures.achievement import Pace, is_met, pace, per_piece, rate
from content.plans.models import Actual, Beside, Plan, PlanIndicator
from content.plans.values import BLANK, Value


@dataclass(frozen=True, slots=True)
class Counted:
    """What the registrations, or a series entered by hand, say of a year: `number` at the end of `day`,
    provisional while the year runs. One that was frozen at the year's end says since when (`frozen_at`, ms), how it
    comes out when it is counted once more, where that is otherwise, and what was noted beside it."""

    number: Decimal
    day: date
    provisional: bool
    source: str = "登録の記録から計算"
    frozen_at: int | None = None
    counted_now: Decimal | None = None
    remarks: tuple[str, ...] = ()

    @property
    def latest(self) -> Counted:
        """As it is counted today."""
        if self.counted_now is None:
            return self
        return Counted(self.counted_now, self.day, self.provisional)

    @property
    def text(self) -> str:
        return f"{self.number.normalize():,f}"


@dataclass(frozen=True, slots=True)
class Adjusted:
    """The figure with what was moved elsewhere; shown beside the raw one, never instead of it."""

    name: str
    text: str
    number: Decimal
    rate: Decimal | None


@dataclass(frozen=True, slots=True)
class YearOfIndicator:
    """`actual` is the one that a person entered, else the count. `about`: 約, when target or actual is rough.
    `met` is None where a person has to judge. `pace` only while the year runs."""

    year: int
    target: Value
    actual: Value
    number: Decimal | None
    rate: Decimal | None
    met: bool | None
    about: str = ""
    as_of: date | None = None
    source: str = ""
    provisional: bool = False
    invented: bool = False
    counted: Counted | None = None
    counted_now: Counted | None = None  # where it differs from what was frozen, or a confirmed sheet holds
    remarks: tuple[str, ...] = ()  # noted beside the frozen figures of the year's end
    adjusted: tuple[Adjusted, ...] = ()
    beside: tuple[Beside, ...] = ()
    cost: int | None = None
    cost_per_piece: Decimal | None = None
    pace: Pace | None = None

    @property
    def rate_words(self) -> str:
        """約62.2%, or "" where there is none."""
        return f"{self.about}{self.rate}%" if self.rate is not None else ""

    @property
    def met_words(self) -> str:
        return {True: "達成", False: "未達成", None: ""}[self.met]


@dataclass(frozen=True, slots=True)
class IndicatorResult:
    """Every year of the plan stands here, also one without a target."""

    indicator: PlanIndicator
    years: tuple[YearOfIndicator, ...]

    def of(self, year: int) -> YearOfIndicator | None:
        return next((item for item in self.years if item.year == year), None)

    @property
    def newest(self) -> YearOfIndicator | None:
        """The newest year with an actual."""
        return next((item for item in reversed(self.years) if not item.actual.is_blank), None)


def result(
    indicator: PlanIndicator,
    counted: Mapping[int, Counted],
    today: date,
    plan: Plan | None = None,
    frozen: Mapping[int, Counted] | None = None,
) -> IndicatorResult:
    """Over the plan's years, and those that have a target or an actual besides. `frozen` are the counts that a
    confirmed sheet holds: they stand, and what is counted now is told beside."""
    known = {*indicator.targets, *indicator.actual, *(plan.years if plan else ())}
    years = range(min(known), max(known) + 1) if known else range(0)
    if frozen is None:
        return IndicatorResult(indicator, tuple(_year(indicator, year, counted, today) for year in years))
    found = []
    for year in years:
        count, held = counted.get(year), frozen.get(year)
        now = count.latest if count else None
        moved = now if now and (held is None or now.number != held.number) else None
        remarks = count.remarks if count and year not in indicator.actual else ()
        found.append(replace(_year(indicator, year, frozen, today), counted_now=moved, remarks=remarks))
    return IndicatorResult(indicator, tuple(found))


def _year(indicator: PlanIndicator, year: int, counts: Mapping[int, Counted], today: date) -> YearOfIndicator:
    target = indicator.targets.get(year, BLANK)
    entered, count = indicator.actual.get(year), counts.get(year)
    actual: Value = entered or (Value(text=count.text) if count else BLANK)
    number = actual.figure
    as_of = entered.as_of if entered else (count.day if count else None)
    cost = indicator.costs.get(year)
    return YearOfIndicator(
        year=year,
        target=target,
        actual=actual,
        number=number,
        rate=rate(number, target.figure, indicator.better),
        met=is_met(number, target.figure, indicator.better),
        about=actual.about or target.about,
        as_of=as_of,
        source=_source(entered) if entered else (count.source if count else ""),
        provisional=bool(count and count.provisional and not entered),
        invented=bool(count and not entered and indicator.is_invented(f"{year + 1}-03")),
        counted=count,
        counted_now=count.latest if count and not entered and count.counted_now is not None else None,
        remarks=count.remarks if count and not entered else (),
        adjusted=tuple(_adjusted(indicator, entered, target)) if entered else (),
        beside=entered.beside if entered else (),
        cost=cost,
        cost_per_piece=per_piece(cost, number) if cost is not None else None,
        pace=_pace(indicator, year, number, target.figure, as_of or today, counts),
    )


def _source(entered: Actual) -> str:
    """Where it can be looked up, and who entered it on the screen."""
    if not entered.entered_by:
        return entered.source
    return (
        f"{entered.source}({entered.entered_by} が入力)" if entered.source else f"{entered.entered_by} が入力"
    )


def _adjusted(indicator: PlanIndicator, entered: Actual, target: Value) -> list[Adjusted]:
    found = []
    for item in entered.adjustments:
        raw, more = entered.figure, item.value.figure
        if raw is not None and more is not None:
            both = raw + more
            found.append(
                Adjusted(item.name, item.value.text, both, rate(both, target.figure, indicator.better))
            )
    return found


def _pace(
    indicator: PlanIndicator,
    year: int,
    number: Decimal | None,
    target: Decimal | None,
    day: date,
    counts: Mapping[int, Counted],
) -> Pace | None:
    if number is None or target is None or indicator.better != "higher" or fiscal_year(day) != year:
        return None
    if indicator.measured == "yearly":
        return pace(year, Decimal(0), number, target, day)
    before = indicator.actual.get(year - 1)
    count = counts.get(year - 1)
    start = before.figure if before else (count.number if count else None)
    return pace(year, start, number, target, day)
