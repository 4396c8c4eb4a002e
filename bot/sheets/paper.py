"""One sheet as everything prints it: the blocks, and what every file says of itself (code, made at, definition)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from bot.service import Service
from bot.sheets.blocks import Block
from bot.sheets.layouts import arrange
from content.clock import now_ms, today_jst, words
from content.figures.plans import read_known, read_plans
from content.figures.sheets import SheetView, view
from content.plans.sheets import SheetState

RATE = (
    "達成率 = 実績 ÷ 目標 × 100。小数第1位までの四捨五入で、目標に届かないときは99.9%までとします。"
    "目標が0、言葉、維持の指標と、少ないほどよい指標では計算しません。"
)
REGISTRATIONS = "登録の記録から計算した値は、年度末(3月31日)に有効な登録の件数で、人数ではありません。"
STATE_WORDS = {
    SheetState.DRAFT: "下書き",
    SheetState.CONFIRMED: "確認済み",
    SheetState.PUBLISHED: "公表済み",
}


@dataclass(frozen=True, slots=True)
class Paper:
    """`facts`: label → words, printed at the foot of each copy. `made_at` in milliseconds."""

    title: str
    view: SheetView
    blocks: tuple[Block, ...]
    town_code: str
    town: str
    made_at: int
    facts: tuple[tuple[str, str], ...]

    @property
    def file_name(self) -> str:
        return f"{self.view.sheet.key}-{today_jst(self.made_at):%Y%m%d}"


async def paper(service: Service, plan: str, year: int) -> Paper | None:
    """None when there is no such plan, or the year is none of its."""
    async with service.database.read() as connection:
        plans = await read_plans(connection)
        found = plans.plans.get(plan)
        if found is None or year not in found.years:
            return None
        known = await read_known(connection, plans)
    made_at = now_ms()
    seen = view(service.town, plans, found, year, known, today_jst(made_at))
    return Paper(
        title=f"{found.name} 評価表({year}年度)",
        view=seen,
        blocks=tuple(arrange(seen)),
        town_code=service.town.code,
        town=f"{service.town.prefecture}{service.town.name}",
        made_at=made_at,
        facts=tuple(_facts(service, seen, made_at)),
    )


def state_words(seen: SheetView) -> str:
    """下書き, or who confirmed it when."""
    sheet = seen.sheet
    state = STATE_WORDS[sheet.state]
    if sheet.state == SheetState.DRAFT or sheet.confirmed_at is None:
        return state
    return f"{state}({words(sheet.confirmed_at)} {sheet.confirmed_by} が確認)"


def _facts(service: Service, seen: SheetView, made_at: int) -> list[tuple[str, str]]:
    town, plan = service.town, seen.plan
    facts = [
        ("団体コード", f"{town.code} {town.prefecture}{town.name}"),
        ("計画", f"{plan.name}({plan.first_year}〜{plan.last_year}年度)"),
        ("出典", plan.source),
        ("状態", state_words(seen)),
        ("作成", words(made_at)),
        ("達成率の定義", RATE),
        ("登録数の定義", REGISTRATIONS if _is_counted(seen) else ""),
    ]
    facts += [
        (f"指標の定義 {item.indicator.name}", item.indicator.definition) for item in seen.results.values()
    ]
    return [(label, said) for label, said in facts if said]


def _is_counted(seen: SheetView) -> bool:
    return any(year.counted for item in seen.results.values() for year in item.years)


def rows(found: Paper) -> list[dict[str, Any]]:
    """One fact a row, for machines and spreadsheets: which policy, what it is, of which year, as printed and as a number."""
    seen, made = found.view, []
    same = {"town_code": found.town_code, "made_at": words(found.made_at), "plan": seen.plan.name}

    def add(policy: str, part: str, item: str, year: int | None, value: str, **more: Any) -> None:
        empty = {"number": None, "unit": "", "as_of": None, "source": "", "definition": ""}
        made.append(
            same | {"policy": policy, "part": part, "item": item, "year": year, "value": value} | empty | more
        )

    for policy in seen.policies:
        name, entry = f"{policy.number} {policy.name}".strip(), seen.entry(policy)
        for step in policy.steps:
            for year, said in sorted(step.years.items()):
                add(name, "取り組む内容", step.name, year, said)
        for cost in policy.costs:
            add(name, "経費", cost.name, None, f"{cost.amount:,}", number=cost.amount, unit="千円/年")
        for part, said in (
            ("進捗状況", entry.progress),
            ("主な取組内容", entry.done),
            ("今後の取組や課題", entry.issues),
            ("次年度の方向", entry.next),
            ("評価の理由", entry.remark),
        ):
            if said:
                add(name, part, "", seen.sheet.year, said)
        for scale in seen.plan.scales:
            if grade := entry.grades.get(scale.key):
                add(name, "評価", scale.name, seen.sheet.year, grade)
        for key in policy.indicators:
            if key in seen.results:
                _add_indicator(add, name, seen, key)
    placed = {key for policy in seen.policies for key in policy.indicators}
    for key in seen.results:
        if key not in placed:
            _add_indicator(add, "", seen, key)
    return made


def _add_indicator(add: Any, policy: str, seen: SheetView, key: str) -> None:
    found = seen.results[key]
    indicator = found.indicator
    for item in found.years:
        about = {"unit": indicator.unit, "definition": indicator.definition}
        target, actual = item.target, item.actual
        if not target.is_blank:
            add(policy, "目標", indicator.name, item.year, target.text, number=_plain(target.figure), **about)
        if not actual.is_blank:
            day = item.as_of.isoformat() if item.as_of else None
            beside = {"as_of": day, "source": "架空の値(デモ)" if item.invented else item.source}
            figure = _plain(item.number)
            add(policy, "実績", indicator.name, item.year, actual.text, number=figure, **about, **beside)
        if item.rate is not None:
            about |= {"unit": "%", "definition": RATE}
            add(
                policy,
                "達成率",
                indicator.name,
                item.year,
                item.rate_words,
                number=_plain(item.rate),
                **about,
            )
        if (now := item.counted_now) is not None:
            add(
                policy,
                "いま数えた値",
                indicator.name,
                item.year,
                now.text,
                number=_plain(now.number),
                as_of=now.day.isoformat(),
                source=now.source,
                unit=indicator.unit,
                definition=indicator.definition,
            )
        for remark in item.remarks:
            add(policy, "確定後の注", indicator.name, item.year, remark)
        for more in item.adjusted:
            words_ = f"{item.about}{more.number:,}"
            add(policy, "補正した実績", more.name, item.year, words_, number=_plain(more.number), **about)
        for one in item.beside:
            add(policy, "参考", one.name, item.year, one.value.text, number=_plain(one.value.figure))


def _plain(number: Any) -> int | float | None:
    """A Decimal as JSON and spreadsheets have numbers."""
    if number is None:
        return None
    return int(number) if number == int(number) else float(number)
