"""An evaluation sheet with everything that stands on it: policies, results of their indicators, counts by grade."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from content.figures.plan_results import Counted, IndicatorResult
from content.figures.plans import Known, result_of
from content.plans.checks import Plans
from content.plans.models import Plan, Policy, Scale
from content.plans.sheets import Entry, Frozen, Sheet, SheetState, sheet_key
from content.town import Town

NOTHING = Entry()


@dataclass(frozen=True, slots=True)
class GradeCount:
    """How many policies have a grade; `percent` of all that have one on this scale, by 四捨五入. `printed_…` is
    what the town's paper says, where it says something."""

    grade: str
    meaning: str
    count: int
    percent: Decimal | None
    printed_count: int | None = None
    printed_percent: str = ""


@dataclass(frozen=True, slots=True)
class ScaleCount:
    scale: Scale
    grades: tuple[GradeCount, ...]
    graded: int
    ungraded: int


@dataclass(frozen=True, slots=True)
class SheetView:
    """`results` by key of the indicator; `on` is the day on which it was put together."""

    plan: Plan
    sheet: Sheet
    policies: tuple[Policy, ...]
    results: Mapping[str, IndicatorResult]
    counts: tuple[ScaleCount, ...]
    on: date

    def entry(self, policy: Policy) -> Entry:
        return self.sheet.entries.get(policy.key, NOTHING)

    def results_of(self, policy: Policy) -> list[IndicatorResult]:
        return [self.results[key] for key in policy.indicators if key in self.results]


def view(town: Town, plans: Plans, plan: Plan, year: int, known: Known, today: date) -> SheetView:
    """The sheet of a year; one that nobody has begun is an empty draft."""
    key = sheet_key(plan.key, year)
    sheet = plans.sheets.get(key) or Sheet(key=key, plan=plan.key, year=year)
    policies = tuple(plans.policies_of(plan.key))
    indicators = plans.indicators_of(plan.key)
    return SheetView(
        plan=plan,
        sheet=sheet,
        policies=policies,
        results={
            item.key: result_of(town, plans, item, known, today, plan, _frozen(sheet, item.key))
            for item in indicators
        },
        counts=tuple(_count(scale, sheet, policies) for scale in plan.scales),
        on=today,
    )


def frozen_counts(seen: SheetView) -> dict[str, dict[int, Frozen]]:
    """What is counted now, to be held by the sheet that is confirmed."""
    found = {
        key: {
            year.year: Frozen(
                number=year.counted.number,
                day=year.counted.day,
                provisional=year.counted.provisional,
                source=year.counted.source,
            )
            for year in result.years
            if year.counted is not None
        }
        for key, result in seen.results.items()
    }
    return {key: years for key, years in found.items() if years}


def _frozen(sheet: Sheet, key: str) -> dict[int, Counted] | None:
    """None while the sheet is a draft."""
    if sheet.state == SheetState.DRAFT:
        return None
    held = sheet.frozen.get(key, {})
    return {
        year: Counted(item.number, item.day, item.provisional, item.source) for year, item in held.items()
    }


def _count(scale: Scale, sheet: Sheet, policies: tuple[Policy, ...]) -> ScaleCount:
    given = [sheet.entries.get(item.key, NOTHING).grades.get(scale.key, "") for item in policies]
    graded = [grade for grade in given if grade]
    printed = {item.grade: item for item in sheet.printed if item.scale == scale.key}
    rows = []
    for grade in scale.grades:
        beside = printed.get(grade.name)
        rows.append(
            GradeCount(
                grade=grade.name,
                meaning=grade.meaning,
                count=graded.count(grade.name),
                percent=_share(graded.count(grade.name), len(graded)),
                printed_count=beside.count if beside else None,
                printed_percent=beside.percent if beside else "",
            )
        )
    return ScaleCount(scale, tuple(rows), len(graded), len(given) - len(graded))


def _share(part: int, whole: int) -> Decimal | None:
    if not whole:
        return None
    return (Decimal(part) * 100 / whole).quantize(Decimal("0.1"), ROUND_HALF_UP)
