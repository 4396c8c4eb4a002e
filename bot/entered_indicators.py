"""Indicators that nobody counts, whose actuals a person enters: in the form of those that are counted."""

from __future__ import annotations

from typing import Any

from bot.service import Service
from content.clock import now_ms, today_jst
from content.figures.plan_results import IndicatorResult, YearOfIndicator
from content.figures.plans import read_known, read_plans, result_of


async def entered_results(service: Service, years: tuple[int, ...] = ()) -> list[IndicatorResult]:
    """Of every plan, each indicator once; of these fiscal years, or of all that it has."""
    today = today_jst(now_ms())
    async with service.database.read() as connection:
        plans = await read_plans(connection)
        known = await read_known(connection, plans)
    found = []
    for item in plans.indicators.values():
        if item.count is None and not item.closed:
            plan = next(
                (plan for plan in plans.plans.values() if item in plans.indicators_of(plan.key)), None
            )
            result = result_of(service.town, plans, item, known, today, plan)
            wanted = tuple(year for year in result.years if not years or year.year in years)
            found.append(IndicatorResult(item, wanted))
    return found


def entered_json(found: IndicatorResult) -> dict[str, Any]:
    """As `indicator_json` has it; `…_text` is what is printed where the number does not say it all."""
    indicator = found.indicator
    return {
        "indicator": indicator.key,
        "name": indicator.name,
        "plan": indicator.plan,
        "definition": indicator.definition,
        "unit": indicator.unit,
        "channels": [],
        "as_of": today_jst().isoformat(),
        "years": [
            {
                "fiscal_year": year.year,
                **_figures(year),
                "target_text": year.target.text,
                "actual_text": year.actual.text,
                "source": year.source,
                "months": [],
            }
            for year in found.years
        ],
    }


def entered_rows(found: IndicatorResult) -> list[dict[str, Any]]:
    """One row per fiscal year, in the columns of `indicator_rows`; words stand where no number is."""
    rows = []
    for year in found.years:
        figures = _figures(year)
        for name, value in (("actual", year.actual), ("target", year.target)):
            figures[name] = value.text or None if figures[name] is None else figures[name]
        notes = [year.actual.about and "実績は約", year.target.note, year.actual.note, year.source]
        rows.append(
            {
                "indicator": found.indicator.key,
                "name": found.indicator.name,
                "fiscal_year": year.year,
                "period": f"{year.year}年度",
                **figures,
                "unit": found.indicator.unit,
                "note": " ".join(note for note in notes if note),
                "definition": found.indicator.definition,
            }
        )
    return rows


def _figures(year: YearOfIndicator) -> dict[str, Any]:
    def plain(number: Any) -> int | float | None:
        if number is None:
            return None
        return int(number) if number == int(number) else float(number)

    return {
        "date": year.as_of.isoformat() if year.as_of else None,
        "actual": plain(year.number),
        "joined": None,
        "left": None,
        "target": plain(year.target.figure),
        "rate_percent": float(year.rate) if year.rate is not None else None,
        "provisional": year.provisional,
    }
