"""What does not fit together among plans, policies, indicators and sheets: asked before anything is stored."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date

from content.clock import fiscal_year
from content.plans.models import Plan, PlanIndicator, Policy, latest_date
from content.plans.sheets import Sheet, sheet_key


@dataclass(frozen=True, slots=True)
class Plans:
    """All of a town's, by key."""

    plans: Mapping[str, Plan] = field(default_factory=dict)
    policies: Mapping[str, Policy] = field(default_factory=dict)
    indicators: Mapping[str, PlanIndicator] = field(default_factory=dict)
    sheets: Mapping[str, Sheet] = field(default_factory=dict)

    def policies_of(self, plan: str) -> list[Policy]:
        """In the plan's order."""
        return sorted(
            (item for item in self.policies.values() if item.plan == plan and not item.closed),
            key=lambda item: (item.order, item.key),
        )

    def indicators_of(self, plan: str) -> list[PlanIndicator]:
        """Those that a policy of the plan names, in that order, each once; then those that only name the plan."""
        named = [key for policy in self.policies_of(plan) for key in policy.indicators]
        named += [key for key, item in self.indicators.items() if item.plan == plan]
        known = (self.indicators.get(key) for key in dict.fromkeys(named))
        return [item for item in known if item is not None and not item.closed]

    def sheets_of(self, plan: str) -> list[Sheet]:
        return sorted(
            (item for item in self.sheets.values() if item.plan == plan), key=lambda item: item.year
        )


Item = Plan | Policy | PlanIndicator | Sheet


def misfits(item: Item, known: Plans, today: date) -> list[str]:
    """What is wrong with it beside the others, in Japanese, with the remedy. `known` holds it already."""
    match item:
        case Policy():
            return list(_of_policy(item, known))
        case PlanIndicator():
            return list(_of_indicator(item, known, today))
        case Sheet():
            return list(_of_sheet(item, known))
        case _:
            return []


def _of_policy(item: Policy, known: Plans) -> Iterator[str]:
    plan = known.plans.get(item.plan)
    if plan is None:
        yield f"計画「{item.plan}」はありません。先に計画を登録してください。"
        return
    for key in item.indicators:
        if key not in known.indicators:
            yield f"指標「{key}」はありません。先に指標を登録するか、施策から外してください。"
    for step in item.steps:
        yield from _outside(plan, step.years, f"取り組む内容「{step.name}」")


def _of_indicator(item: PlanIndicator, known: Plans, today: date) -> Iterator[str]:
    newest = latest_date(item)
    if newest and newest > today:
        yield f"{newest} はまだ来ていない日です。実績と現在日は、今日({today})までの日にしてください。"
    for actual in item.actuals:
        if actual.year > fiscal_year(today):
            yield f"{actual.year}年度はまだ始まっていません。実績は始まった年度に入れてください。"
    if not item.plan:
        return
    plan = known.plans.get(item.plan)
    if plan is None:
        yield f"計画「{item.plan}」はありません。先に計画を登録してください。"
    else:
        yield from _outside(plan, item.targets, "目標")


def _of_sheet(item: Sheet, known: Plans) -> Iterator[str]:
    plan = known.plans.get(item.plan)
    if plan is None:
        yield f"計画「{item.plan}」はありません。先に計画を登録してください。"
        return
    if item.key != sheet_key(item.plan, item.year):
        yield f"評価表のキーは「{sheet_key(item.plan, item.year)}」にしてください。"
    yield from _outside(plan, [item.year], "評価表")
    policies = {policy.key for policy in known.policies.values() if policy.plan == item.plan}
    for key, entry in item.entries.items():
        if key not in policies:
            yield f"施策「{key}」は、この計画にありません。"
        for scale, grade in entry.grades.items():
            yield from _unknown_grade(plan, scale, grade)
    for printed in item.printed:
        yield from _unknown_grade(plan, printed.scale, printed.grade)


def _unknown_grade(plan: Plan, scale: str, grade: str) -> Iterator[str]:
    known = plan.scale.get(scale)
    if known is None:
        yield f"評価の尺度「{scale}」は、計画「{plan.name}」にありません。"
    elif grade not in {item.name for item in known.grades}:
        words = "・".join(item.name for item in known.grades)
        yield f"評価「{grade}」は「{known.name}」にありません。{words} のどれかにしてください。"


def _outside(plan: Plan, years: Mapping[int, object] | list[int], name: str) -> Iterator[str]:
    for year in years:
        if year not in plan.years:
            yield (
                f"{name}の{year}年度は、計画の期間({plan.first_year}–{plan.last_year}年度)にありません。"
                "年度を直すか、計画の期間を延ばしてください。"
            )
