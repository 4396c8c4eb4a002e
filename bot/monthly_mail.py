"""The month's counts as a mail to a department: by channel, category, district and reason, in plain text."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from bot.breaks import definition_words
from bot.figure_words import channel_words, reach_words
from bot.month_report import REASON, MonthReport, month_report, rows_of
from bot.service import Service
from content.clock import fiscal_year
from content.figures.counts import DEFINITION
from content.figures.movements import Measure
from content.staff.rights import Department

UNKNOWN = "…(分からない)"


async def month_words(service: Service, owner: Department, month: date) -> tuple[str, str]:
    """Subject and body."""
    town, public_url, year = service.town, service.settings.public_url, fiscal_year(month)
    reports = {
        by: await month_report(service, year, by)
        for by in (Measure.TOTAL, Measure.CATEGORY, Measure.AREA, REASON)
    }
    name = f"{month.year}年{month.month}月"
    total = reports[Measure.TOTAL]
    own = owner.categories
    sections = [
        ("配信手段別", _channels(_rows(total, month))),
        (
            "分野別" if own is None else f"分野別({owner.name}の分野)",
            _cells(
                [row for row in _rows(reports[Measure.CATEGORY], month) if own is None or row["key"] in own]
            ),
        ),
        ("地区別", _cells(_rows(reports[Measure.AREA], month))),
        ("登録と終了の理由", _reasons(_rows(reports[REASON], month))),
    ]
    notes = list(dict.fromkeys(row["note"] for row in _rows(total, month) if row["note"]))
    broken = [*reports[Measure.CATEGORY].breaks, *reports[Measure.AREA].breaks]
    definition = DEFINITION + definition_words(sorted(broken, key=lambda item: item.day))
    always = [
        f"注 {item.name()}は、{reach}です。この数は、選んだ人の数ではありません。"
        for item in town.categories
        if (reach := reach_words(item)) and (own is None or item.key in own)
    ]
    lines = [
        f"{town.name} 登録数の月報 {name}({owner.name})",
        "",
        f"定義 {definition}分野と地区は、複数選んだ登録をそれぞれに数えるので、合計は配信手段別と合いません。",
        *(f"注 {note}" for note in notes),
        *always,
    ]
    for title, found in sections:
        lines += ["", f"■ {title}", *(found or ["この月の記録はありません。"])]
    lines += [
        "",
        f"くわしい表と、Excel・CSV: {public_url}/console/reports/months?year={year}",
        f"このメールは、{owner.name}の「登録数の月報」の受け取りに選ばれた職員に、毎月はじめの開庁日に送っています。"
        f"やめるときは {public_url}/console/reports/monthly-mail?department={owner.key} で外してください。",
    ]
    return f"登録数の月報 {name} {owner.name}({town.name} お知らせ配信)", "\n".join(lines)


def _rows(report: MonthReport, month: date) -> list[dict[str, Any]]:
    return [row for row in rows_of(report) if row["month"] == f"{month:%Y-%m}"]


def _channels(rows: Sequence[dict[str, Any]]) -> list[str]:
    return [
        f"{channel_words(row['channel'])} {_figure(row['active'])}"
        f"(登録 {_figure(row['joined'])}、再登録 {_figure(row['returned'])}、終了 {_figure(row['left'])}、"
        f"差引 {_signed(row['net'])})"
        for row in rows
    ]


def _cells(rows: Sequence[dict[str, Any]]) -> list[str]:
    """All channels together, as the page has them."""
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["name"], []).append(row)
    return [
        f"{name} {_figure(_sum(cells, 'active'))}(差引 {_signed(_sum(cells, 'net'))})"
        for name, cells in found.items()
    ]


def _reasons(rows: Sequence[dict[str, Any]]) -> list[str]:
    found: dict[str, int] = {}
    for row in rows:
        number = (row["joined"] or 0) + (row["returned"] or 0) + (row["left"] or 0)
        found[row["name"]] = found.get(row["name"], 0) + number
    return [f"{name} {number:,}件" for name, number in found.items() if number]


def _sum(rows: Sequence[dict[str, Any]], column: str) -> int | None:
    known = [row[column] for row in rows if row[column] is not None]
    return sum(known) if known else None


def _figure(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:,}件"


def _signed(number: int | None) -> str:
    return UNKNOWN if number is None else f"{number:+,}件" if number else "0件"
