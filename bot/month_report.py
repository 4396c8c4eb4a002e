"""The months of a fiscal year as rows, the same on screen, on the command line, as JSON, CSV and Excel."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from bot.breaks import Break, breaks, definition_words, is_applicable
from bot.figure_words import (
    MEASURE_WORDS,
    MOVE_WORDS,
    channel_of,
    is_counted,
    mark_of,
    reach_words,
    reason_words,
    value_words,
)
from bot.month_cells import by_reason, in_order
from bot.service import Service
from content.clock import fiscal_months, now_ms, today_jst
from content.figures import hand_series, year_ends
from content.figures.counts import DEFINITION
from content.figures.months import MonthFigure, Turnover, months_of, turnover
from content.figures.movements import Measure, Move
from content.figures.year_ends import YearEnd
from content.town import Town

# What the table can be asked for: a measure, or why people came and went.
REASON = "reason"
FIRST_YEAR = 2000
CHOICES = {**{str(measure): word for measure, word in MEASURE_WORDS.items()}, REASON: "理由"}
JAPANESE = {
    "month": "年月",
    "date": "時点",
    "channel": "配信手段",
    "measure": "区分",
    "key": "キー",
    "name": "名称",
    "active": "登録数(時点・人数ではない)",
    "joined": "登録",
    "returned": "再登録",
    "left": "終了",
    "net": "差引",
    "changed": "選び直しによる増減",
    "unobserved_days": "観測なしの日数",
    "note": "注",
    "town_code": "団体コード",
    "made_at": "作成日時",
    "definition": "定義",
}


@dataclass(frozen=True, slots=True)
class MonthReport:
    """`figures` in the order of the table; of `by` reason they hold no number of registrations."""

    town: Town
    year: int
    by: str
    today: date
    made_at: int
    figures: tuple[MonthFigure, ...]
    turnover: tuple[Turnover, ...]
    shares: tuple[Share, ...]
    frozen: YearEnd | None
    breaks: tuple[Break, ...] = ()

    @property
    def definition(self) -> str:
        return DEFINITION + definition_words(list(self.breaks))

    @property
    def months(self) -> list[str]:
        return [f"{year}-{month:02d}" for year, month in fiscal_months(self.year)]


@dataclass(frozen=True, slots=True)
class Share:
    """登録数 in percent of a figure that was entered: `percent` is rounded to one decimal."""

    name: str
    unit: str
    registrations: int
    of: float
    on: date
    source: str

    @property
    def percent(self) -> float:
        return round(1000 * self.registrations / self.of + 1e-9) / 10


async def month_report(service: Service, year: int, by: str) -> MonthReport:
    """`by` is one of CHOICES."""
    town, now = service.town, now_ms()
    today = today_jst(now)
    measure = Measure.TOTAL if by == REASON else Measure(by)
    first, last = date(year, 4, 1), min(date(year + 1, 3, 31), today)
    async with service.database.read() as connection:
        figures = await months_of(connection, measure, year, today)
        totals = (
            figures if measure == Measure.TOTAL else await months_of(connection, Measure.TOTAL, year, today)
        )
        moved = await turnover(connection, first, last) if last >= first else []
        registrations = _active_at_end(town, totals)
        shares = []
        for series in await hand_series.all_series(connection):
            found = await hand_series.value_at(connection, series.key, last)
            if series.key in hand_series.STANDING and found and found.value and registrations is not None:
                shares.append(
                    Share(series.name, series.unit, registrations, found.value, found.day, found.source)
                )
        frozen = (await year_ends.all_year_ends(connection)).get(year)
    counted = [
        figure
        for figure in figures
        if is_counted(town, figure.account) and is_applicable(town, measure, figure)
    ]
    return MonthReport(
        town,
        year,
        by,
        today,
        now,
        tuple(by_reason(counted) if by == REASON else in_order(town, measure, counted)),
        tuple(item for item in moved if is_counted(town, item.account)),
        tuple(shares),
        frozen,
        tuple(breaks(town, by, last)),
    )


def rows_of(report: MonthReport) -> list[dict[str, Any]]:
    """A row for each month and cell. None is what is not known, never 0."""
    return [
        {
            "month": figure.month,
            "date": figure.day.isoformat(),
            "channel": channel_of(report.town, figure.account),
            "measure": report.by,
            "key": figure.value,
            "name": _name(report, figure.value),
            "active": figure.active,
            "joined": figure.joined,
            "returned": figure.returned,
            "left": figure.left,
            "net": net(figure),
            "changed": figure.changed,
            "unobserved_days": figure.unobserved_days,
            "note": note_of(report, figure),
        }
        for figure in report.figures
    ]


def note_of(report: MonthReport, figure: MonthFigure) -> str:
    """Why a figure is missing or holds less than it seems, and what breaks its series in this month."""
    here = [
        f"{item.day.month}月{item.day.day}日に{item.words}"
        for item in report.breaks
        if item.month == figure.month and figure.value in item.keys
    ]
    return "、".join(words for words in (mark_of(figure), *here) if words)


def net(figure: MonthFigure) -> int | None:
    """Came less went, and chose less dropped: what the number of registrations changed by."""
    if figure.joined is None or figure.returned is None:
        return None
    return figure.joined + figure.returned - (figure.left or 0) + (figure.changed or 0)


def about(report: MonthReport) -> list[tuple[str, str]]:
    """What must be known to read the file: (name, words)."""
    made = today_jst(report.made_at)
    return [
        ("団体", f"{report.town.prefecture}{report.town.name}"),
        ("団体コード", report.town.code),
        ("年度", f"{report.year}年度"),
        ("区分", CHOICES[report.by]),
        ("作成日", made.isoformat()),
        ("単位", "件(登録の数)"),
        ("定義", report.definition),
        ("空欄", "分からないもの。0は、数えた結果が0であったもの"),
        *([("全員に届く分野", reach)] if (reach := _reach(report)) else []),
    ]


def to_file_rows(report: MonthReport) -> list[dict[str, Any]]:
    """Rows that can be understood alone."""
    same = {
        "town_code": report.town.code,
        "made_at": today_jst(report.made_at).isoformat(),
        "definition": report.definition,
    }
    return [{**row, "measure": CHOICES[report.by], **same} for row in rows_of(report)]


def to_json(report: MonthReport) -> dict[str, Any]:
    return {
        "town_code": report.town.code,
        "fiscal_year": report.year,
        "by": report.by,
        "made_at": today_jst(report.made_at).isoformat(),
        "definition": report.definition,
        "breaks": [{"date": item.day.isoformat(), "text": item.words} for item in report.breaks],
        "turnover": [
            {
                "channel": channel_of(report.town, item.account),
                "registrations_gross": item.joined + item.returned,
                "joined": item.joined,
                "returned": item.returned,
                "left": item.left,
                "distinct": item.distinct,
            }
            for item in report.turnover
        ],
        "shares": [
            {
                "of": share.name,
                "registrations": share.registrations,
                "value": share.of,
                "date": share.on.isoformat(),
                "source": share.source,
                "percent": share.percent,
            }
            for share in report.shares
        ],
        "months": rows_of(report),
    }


def _active_at_end(town: Town, totals: list[MonthFigure]) -> int | None:
    known = [item for item in totals if item.active is not None and is_counted(town, item.account)]
    if not known:
        return None
    last = max(item.day for item in known)
    return sum(item.active or 0 for item in known if item.day == last)


def _name(report: MonthReport, value: str) -> str:
    if report.by == REASON:
        kind, _, reason = value.partition(":")
        return f"{MOVE_WORDS[Move(kind)]}({reason_words(reason)})"
    return value_words(report.town, report.by, value)


def _reach(report: MonthReport) -> str:
    if report.by != Measure.CATEGORY:
        return ""
    always = [item for item in report.town.categories if reach_words(item)]
    return f"{'、'.join(item.name() for item in always)}:{reach_words(always[0])}" if always else ""
