"""How towns print their sheets: 柴田町 (results, schedule), 下野市, 取手市. Each is a way to arrange the same blocks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.sheets.blocks import (
    Block,
    Grid,
    Heading,
    Paragraph,
    grade_counts,
    results,
    schedule,
    summary,
    year_words,
)
from content.figures.sheets import SheetView
from content.plans.models import Layout, Policy, Step
from content.plans.sheets import Entry

LAYOUT_NAMES: dict[Layout, str] = {
    "shibata-results": "施策ごとに取り組む内容・指標・主な取組内容(柴田町 第5次計画の結果の形)",
    "shibata-schedule": "施策内容・スケジュール・主な取組内容・今後の取組や課題(柴田町 第4次計画の形)",
    "shibata-list": "施策の一覧1枚(番号・項目・実施項目・印・年度。柴田町 施策一覧の形)",
    "shimotsuke": "1事業1ページ、概算の予算額と担当部署(下野市の形)",
    "toride": "評価ごとの件数と、1施策1ページ(取手市の形)",
}


def arrange(view: SheetView) -> list[Block]:
    """The blocks of a sheet in the layout of its plan."""
    if not view.policies:
        return [Paragraph("この計画には、まだ施策がありません。")]
    body: list[Block] = [*BEFORE[view.plan.layout](view)] if view.plan.layout in BEFORE else []
    goal = ""
    for policy in view.policies:
        own = LAYOUTS[view.plan.layout](view, policy)
        if own and policy.goal != goal:
            goal = policy.goal
            own = _below(goal, own) if goal else own
        body += own
    note = [Paragraph(view.sheet.note, "この評価表について")] if view.sheet.note else []
    before = [*note, *grade_counts(view.counts), *_shares(view), *summary(view)]
    if body and not before and isinstance(body[0], Heading):
        body[0] = replace(body[0], page=False)  # the title would stand on a page alone
    return [*before, *body]


def _below(goal: str, own: list[Block]) -> list[Block]:
    """The goal as a heading; it takes over the new page, or it would stand alone at the foot of the one before."""
    first = own[0]
    if isinstance(first, Heading) and first.page:
        return [Heading(goal, page=True), replace(first, page=False), *own[1:]]
    return [Heading(goal), *own]


def _shares(view: SheetView) -> list[Block]:
    rows = tuple((item.part, item.words, f"{item.percent}%") for item in view.sheet.printed_shares)
    if not rows:
        return []
    caption = "公表資料にある割合(元の件数は公表されていないため、計算し直していません)"
    return [Heading("公表資料にある割合"), Grid(caption, ("区分", "何の割合か", "割合(公表)"), rows)]


def _shibata_results(view: SheetView, policy: Policy) -> list[Block]:
    entry = view.entry(policy)
    return [
        Heading(_title(policy), 3),
        *_said("", policy.aim),
        *schedule(view, policy),
        Paragraph(_done(policy, entry), "主な取組内容", policy.key),
        *results(view, policy),
        *_judged(view, policy, entry),
    ]


def _shibata_schedule(view: SheetView, policy: Policy) -> list[Block]:
    entry = view.entry(policy)
    owners = f"({'、'.join(policy.owners)})" if policy.owners else ""
    return [
        Heading(f"{_title(policy)}{owners}", 3),
        *_said("施策内容", policy.aim),
        *schedule(view, policy, "平成"),
        Paragraph(entry.done, "主な取組内容", policy.key),
        *results(view, policy, "平成"),
        *_judged(view, policy, entry),
    ]


def _list_of_measures(view: SheetView) -> list[Block]:
    """Every step of every policy on one line, with the mark of the policy (●〇)."""
    header = ("番号", "項目", "実施項目", "印", *(year_words(year) for year in view.plan.years))
    rows = tuple(
        (
            policy.number,
            policy.name,
            step.name,
            "".join(policy.marks),
            *(step.years.get(year, "") for year in view.plan.years),
        )
        for policy in view.policies
        for step in policy.steps or (Step(),)
    )
    return [Heading("施策の一覧"), Grid("施策の一覧", header, rows, plain=True)]


def _shibata_list(view: SheetView, policy: Policy) -> list[Block]:
    """Below the list only what was written or measured."""
    entry = view.entry(policy)
    written = [*_said("主な取組内容", entry.done), *results(view, policy), *_judged(view, policy, entry)]
    return [Heading(_title(policy), 3), *written] if written else []


def _shimotsuke(view: SheetView, policy: Policy) -> list[Block]:
    entry = view.entry(policy)
    return [
        Heading(_title(policy), 3, page=True),
        *_said("事業概要", policy.aim),
        *schedule(view, policy, "H"),
        Paragraph(entry.progress, "進捗状況", policy.key),
        *_said("具体的な取り組み内容", entry.done),
        *_costs(view, policy),
        *_said("担当部署", "、".join(policy.owners)),
        *_said("関連部署", "、".join(policy.related)),
        *results(view, policy, "H"),
        *_judged(view, policy, entry),
    ]


def _toride(view: SheetView, policy: Policy) -> list[Block]:
    entry = view.entry(policy)
    if not (policy.aim or policy.steps or policy.indicators or entry.done or entry.remark):
        return []  # it stands in the list of grades, and a page with nothing but its name is waste
    return [
        Heading(_title(policy), 3, page=True),
        *_said("", policy.aim),
        *schedule(view, policy, "平成"),
        *_said("担当課", "、".join(policy.owners)),
        Paragraph(entry.done, "取組の状況", policy.key),
        *results(view, policy, "平成"),
        *_judged(view, policy, entry),
    ]


def _list_of_grades(view: SheetView) -> list[Block]:
    """Every policy on one line; its link leads to where its words are written."""
    header = ("番号", "施策", "担当課", *(scale.name for scale in view.plan.scales))
    rows = tuple(
        (
            policy.number,
            policy.name,
            "、".join(policy.owners),
            *(view.entry(policy).grades.get(scale.key, "") for scale in view.plan.scales),
        )
        for policy in view.policies
    )
    return [Heading("施策ごとの評価"), Grid("施策ごとの評価", header, rows, plain=True)]


LAYOUTS: dict[Layout, Callable[[SheetView, Policy], list[Block]]] = {
    "shibata-results": _shibata_results,
    "shibata-schedule": _shibata_schedule,
    "shibata-list": _shibata_list,
    "shimotsuke": _shimotsuke,
    "toride": _toride,
}


# What stands before the policies one by one.
BEFORE: dict[Layout, Callable[[SheetView], list[Block]]] = {
    "shibata-list": _list_of_measures,
    "toride": _list_of_grades,
}


def _title(policy: Policy) -> str:
    marks = "".join(f"[{mark}]" for mark in policy.marks)
    return " ".join(part for part in (policy.number, policy.name, marks) if part)


def _done(policy: Policy, entry: Entry) -> str:
    if not entry.done:
        return ""
    owners = f"■ {policy.name}({'、'.join(policy.owners)})\n" if policy.owners else ""
    return f"{owners}{entry.done}"


def _judged(view: SheetView, policy: Policy, entry: Entry) -> list[Block]:
    """今後, grades and the remark of whoever gave them."""
    grades = [(scale.name, entry.grades.get(scale.key, "")) for scale in view.plan.scales]
    rows = tuple((name, grade) for name, grade in grades if grade)
    return [
        *_said("今後の取組や課題", entry.issues),
        *_said("次年度の方向", entry.next),
        *([Grid(f"{policy.name}の評価", ("評価", "評語"), rows, plain=True)] if rows else []),
        *_said("評価の理由", entry.remark),
    ]


def _costs(view: SheetView, policy: Policy) -> list[Block]:
    """千円 a year and over the plan, as in the towns' estimates."""
    if not policy.costs:
        return []
    last, rows, whole = view.plan.last_year, [], 0
    for cost in policy.costs:
        years = last - (cost.first_year or view.plan.first_year) + 1
        whole += cost.amount * years
        since = f"({year_words(cost.first_year, 'H')}から)" if cost.first_year else ""
        rows.append((f"{cost.name}{since}", f"{cost.amount:,}", str(years), f"{cost.amount * years:,}"))
    each = sum(cost.amount for cost in policy.costs)
    rows.append(("計", f"{each:,}", "", f"{whole:,}"))
    header = ("内訳", "千円/年 ①", "年数", "計画期間 ①×年数")
    return [Grid(f"{policy.name}:計画期間内予算額(概算、千円)", header, tuple(rows))]


def _said(label: str, text: str) -> list[Block]:
    return [Paragraph(text, label)] if text else []
