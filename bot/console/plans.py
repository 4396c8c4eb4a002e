"""Plans (計画) on the screen: the list, and one plan with its policies, indicators and evaluation sheets."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.year_chart import draw_years
from bot.sheets.blocks import actual_words, pace_words, printed
from bot.sheets.paper import STATE_WORDS
from content.clock import fiscal_year, today_jst
from content.figures.plan_results import IndicatorResult
from content.figures.plans import KINDS, read_known, read_plans, result_of
from content.notices.records import all_records
from content.plans.checks import Plans
from content.plans.models import Plan
from content.plans.sheets import SheetState, sheet_key


async def show_list(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        plans = await read_plans(connection)
        unreadable = [
            (item.kind, item.key)
            for kind in KINDS
            for item in await all_records(connection, kind)
            if item.content is None
        ]
    placed = {item.key for plan in plans.plans for item in plans.indicators_of(plan)}
    return staff_request.page(
        "console/plans.html",
        plans=[item for item in plans.plans.values() if not item.closed],
        closed=[item for item in plans.plans.values() if item.closed],
        loose=[item for item in plans.indicators.values() if item.key not in placed and not item.closed],
        unreadable=unreadable,
    )


async def show_plan(staff_request: StaffRequest) -> web.Response:
    service, today = staff_request.service, today_jst()
    async with service.database.read() as connection:
        plans = await read_plans(connection)
        plan = plans.plans.get(staff_request.request.match_info["key"])
        if plan is None:
            raise web.HTTPNotFound
        known = await read_known(connection, plans)
    results = [
        result_of(service.town, plans, item, known, today, plan) for item in plans.indicators_of(plan.key)
    ]
    return staff_request.page(
        "console/plan.html",
        plan=plan,
        policies=plans.policies_of(plan.key),
        results=results,
        cards=[(_card(item), draw_years(item)) for item in results],
        sheets=_sheets(plans, plan, fiscal_year(today)),
        printed=printed,
        actual_words=actual_words,
    )


def _card(found: IndicatorResult) -> dict[str, str]:
    """The newest figure of an indicator in a few words, without a year that has none."""
    newest, unit = found.newest, found.indicator.unit
    card = {"key": found.indicator.key, "name": found.indicator.name, "unit": unit, "counted": ""}
    card["counted"] = "yes" if found.indicator.count else ""
    if newest is None:
        return card | {"figure": "", "when": "まだ実績がありません", "rate": "", "target": "", "pace": ""}
    target = newest.target.text if not newest.target.is_blank else "設定なし"
    return card | {
        "figure": newest.actual.text,
        "when": f"{newest.year}年度{'(速報)' if newest.provisional else ''}",
        "target": f"目標 {target}",
        "rate": f"達成率 {newest.rate_words}" if newest.rate_words else newest.met_words,
        "pace": pace_words(newest, unit),
    }


def _sheets(plans: Plans, plan: Plan, this_year: int) -> list[tuple[int, str]]:
    """(year, state) of every year of the plan that has begun, the newest first."""
    rows = []
    for year in reversed(plan.years):
        sheet = plans.sheets.get(sheet_key(plan.key, year))
        if sheet is not None:
            written = f"、{len(sheet.entries)}施策に記入あり" if sheet.entries else ""
            rows.append((year, f"{STATE_WORDS[SheetState(sheet.state)]}{written}"))
        elif year <= this_year:
            rows.append((year, "まだ書いていません"))
    return rows
