"""All plans of a town as they stand now, read from its records, and what their indicators have reached."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from decimal import Decimal
from typing import Any

from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import fiscal_year, today_jst, words
from content.figures.counts import Movement, movements
from content.figures.hand_series import HandValue, all_values
from content.figures.indicators import YearResult, report
from content.figures.movements import Measure
from content.figures.observed import Observation, observation
from content.figures.plan_results import Counted, IndicatorResult, result
from content.figures.year_ends import YearEnd, all_year_ends
from content.notices.records import RecordKind, all_records
from content.plans.checks import Item, Plans
from content.plans.models import Plan, PlanIndicator, Policy
from content.plans.sheets import Sheet
from content.town import Annotation, Indicator, Town

KINDS = (RecordKind.PLAN, RecordKind.POLICY, RecordKind.INDICATOR, RecordKind.SHEET)


async def read_plans(connection: AsyncConnection) -> Plans:
    """What cannot be read is left out; the lists of the console name it."""
    found: dict[RecordKind, dict[str, Any]] = {kind: {} for kind in KINDS}
    for kind in KINDS:
        for record in await all_records(connection, kind):
            if record.content is not None:
                found[kind][record.key] = record.content
    return Plans(*(found[kind] for kind in KINDS))


def with_items(known: Plans, items: Sequence[Item]) -> Plans:
    """As they would stand with these stored."""

    def merged(kind: type[Any], before: Mapping[str, Any]) -> dict[str, Any]:
        return {**before, **{item.key: item for item in items if type(item) is kind}}

    return Plans(
        merged(Plan, known.plans),
        merged(Policy, known.policies),
        merged(PlanIndicator, known.indicators),
        merged(Sheet, known.sheets),
    )


async def counted_indicators(connection: AsyncConnection, town: Town) -> list[Indicator]:
    """Those that the registrations are counted for, the profile's first. What staff changed on the screen counts;
    the profile's own stands for one that no record has yet."""
    plans = await read_plans(connection)
    found: dict[str, Indicator] = dict(town.indicator)
    for key, item in plans.indicators.items():
        counted = None if item.closed else counted_indicator(item, plans)
        if counted is None:
            found.pop(key, None)
            continue
        named = counted.plan or (town.indicator[key].plan if key in town.indicator else "")
        found[key] = counted.model_copy(update={"plan": named})
    return list(found.values())


def counted_indicator(item: PlanIndicator, plans: Plans) -> Indicator | None:
    """An indicator that is counted, as the report by months takes it; None for one entered by hand."""
    if item.count is None:
        return None
    return Indicator(
        key=item.key,
        name=item.name,
        plan=plan_name(item, plans),
        definition=item.definition,
        channels=item.count.channels,
        unit=item.unit,
        targets={year: int(value.figure) for year, value in item.targets.items() if value.figure is not None},
        annotations=tuple(Annotation(month=note.month, text=note.text) for note in item.remarks),
        invented=item.invented,
        published=item.published,
    )


def plan_name(item: PlanIndicator, plans: Plans) -> str:
    """That of the plan it belongs to: the one it names, else the first whose policy names it."""
    keys = [item.plan] if item.plan else [p.plan for p in plans.policies.values() if item.key in p.indicators]
    return next((plans.plans[key].name for key in keys if key in plans.plans), "")


@dataclass(frozen=True, slots=True)
class Known:
    """What the actuals are taken from: movements of registrations, values of series that are entered by hand, the
    days that the service saw, and what was frozen at the ends of years."""

    moves: list[Movement]
    series: Mapping[str, list[HandValue]]
    seen: Observation | None = None
    year_ends: Mapping[int, YearEnd] = field(default_factory=dict)


async def read_known(connection: AsyncConnection, plans: Plans) -> Known:
    wanted = sorted({item.series for item in plans.indicators.values() if item.series})
    return Known(
        await movements(connection),
        {key: await all_values(connection, key) for key in wanted},
        await observation(connection, today_jst()),
        await all_year_ends(connection, Measure.TOTAL),
    )


def result_of(
    town: Town,
    plans: Plans,
    item: PlanIndicator,
    known: Known,
    today: date,
    plan: Plan | None = None,
    frozen: Mapping[int, Counted] | None = None,
) -> IndicatorResult:
    """Its years, with what the registrations or its series say where nobody entered an actual."""
    years = sorted({*item.targets, *item.actual, *(plan.years if plan else ())})
    counts = _from_series(known.series[item.series], years, today) if item.series else {}
    counted = counted_indicator(item, plans)
    if counted is not None:
        counted_years = report(
            town, counted, known.moves, today, tuple(years), known.seen, known.year_ends
        ).years
        counts |= {year.fiscal_year: found for year in counted_years if (found := _counted(year))}
    return result(item, counts, today, plan, frozen)


def _counted(year: YearResult) -> Counted | None:
    if year.actual is None or year.as_of is None:
        return None
    count = Counted(Decimal(year.actual), year.as_of, year.provisional)
    if year.frozen is None:
        return count
    return replace(
        count,
        source=f"登録の記録から計算({today_jst(year.frozen.frozen_at):%Y-%m-%d} に年度末の値として確定)",
        frozen_at=year.frozen.frozen_at,
        counted_now=None if year.counted_now is None else Decimal(year.counted_now),
        remarks=tuple(f"{words(item.at)} {item.staff}: {item.text}" for item in year.frozen.remarks),
    )


def _from_series(values: list[HandValue], years: list[int], today: date) -> dict[int, Counted]:
    """The newest value within each year."""
    found = {}
    for value in values:
        year = fiscal_year(value.day)
        if year in years and not value.superseded:
            number = Decimal(str(value.value))
            source = f"{value.source}({value.entered_by} が入力)" if value.source else "手入力"
            found[year] = Counted(number, value.day, year == fiscal_year(today), source)
    return found
