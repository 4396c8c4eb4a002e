"""Figures as rows: counts of registrations and indicators, the same on screen, in files and on the command line."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any

from bot.breaks import is_over
from bot.figure_words import value_words
from bot.service import Service
from content.clock import iso, now_ms, today_jst
from content.figures.counts import (
    active_by_choice,
    active_by_language,
    active_now,
    active_without_area,
    movements,
)
from content.figures.indicators import IndicatorReport, MonthActual, YearResult, report
from content.figures.movements import Measure
from content.figures.observed import observation
from content.figures.plans import counted_indicators
from content.figures.year_ends import YearEnd, all_year_ends
from content.register.csv_cells import harmless
from content.town import Indicator, Mode
from scheduler.words import CHANNEL_NAMES

# Excel takes a file without it for Shift_JIS.
BYTE_ORDER_MARK = "\ufeff"
# Column names for people who open a file in a spreadsheet.
JAPANESE = {
    "measure": "区分",
    "channel": "配信手段",
    "key": "キー",
    "name": "名称",
    "registrations": "登録数(人数ではない)",
    "date": "時点",
    "indicator": "指標キー",
    "fiscal_year": "年度",
    "period": "期間",
    "actual": "実績",
    "joined": "登録",
    "left": "終了",
    "target": "目標",
    "rate_percent": "達成率(%)",
    "provisional": "速報",
    "unit": "単位",
    "note": "注",
    "definition": "定義",
}
MEASURES = {
    "channel": "配信手段別",
    "category": "分野別",
    "area": "地区別",
    "language": "ことば別",
    "group": "グループ別",
}
INVENTED = "架空の値"


async def counts_rows(service: Service) -> list[dict[str, Any]]:
    """Active registrations now: per channel, then per channel and category, area, language, group."""
    async with service.database.read() as connection:
        active = await active_now(connection)
        chosen = {
            Measure.CATEGORY: await active_by_choice(connection, "category"),
            Measure.AREA: [
                *await active_by_choice(connection, "area"),
                *(
                    (account, "", number)
                    for account, number in (await active_without_area(connection)).items()
                ),
            ],
            Measure.LANGUAGE: await active_by_language(connection),
            Measure.GROUP: await active_by_choice(connection, "group"),
        }
    town, today = service.town, today_jst(now_ms()).isoformat()
    known = {
        Measure.CATEGORY: [item.key for item in town.categories],
        Measure.AREA: [*(item.key for item in town.areas), ""],
        Measure.LANGUAGE: list(town.languages),
        Measure.GROUP: [item.key for item in town.groups],
    }
    rows = []
    for account in town.accounts:
        if account.mode != Mode.LIVE:
            continue
        same = {"date": today, "channel": account.channel}
        name = CHANNEL_NAMES[account.channel]
        rows.append(_count(same, "channel", account.key, name, active.get(account.key, 0)))
        for measure, keys in known.items():
            numbers = {value: count for key, value, count in chosen[measure] if key == account.key}
            # What left the profile is still chosen by somebody.
            rows += [
                _count(same, measure, value, value_words(town, measure, value), numbers.get(value, 0))
                for value in [*keys, *sorted(set(numbers) - set(keys))]
                if numbers.get(value) or not is_over(town, measure, value, today_jst())
            ]
    order = list(MEASURES)
    return sorted(rows, key=lambda row: order.index(row["measure"]))


async def indicator_reports(
    service: Service, years: tuple[int, ...] = (), key: str = ""
) -> list[IndicatorReport]:
    """Every indicator that is counted, or the one with this key, as of today; none when there is no such.

    `years` are fiscal years; without any, those from the first target to the last.
    """
    async with service.database.read() as connection:
        moves = await movements(connection)
        seen = await observation(connection, today_jst())
        indicators = await counted_indicators(connection, service.town)
        frozen = await all_year_ends(connection, Measure.TOTAL)
    chosen = [item for item in indicators if key in ("", item.key)]
    return [report(service.town, item, moves, today_jst(), years, seen, frozen) for item in chosen]


def indicator_json(found: IndicatorReport) -> dict[str, Any]:
    """One indicator with its definition, its fiscal years and their months, ready for JSON."""
    indicator = found.indicator
    return {
        "indicator": indicator.key,
        "name": indicator.name,
        "plan": indicator.plan,
        "definition": indicator.definition,
        "unit": indicator.unit,
        "channels": list(indicator.channels),
        "as_of": found.as_of.isoformat(),
        "years": [_year_json(year) for year in found.years],
    }


def indicator_rows(found: IndicatorReport) -> list[dict[str, Any]]:
    """Per fiscal year its months, then the year itself with target and rate. Months to come hold None."""
    return [
        {
            "indicator": found.indicator.key,
            "name": found.indicator.name,
            "fiscal_year": year.fiscal_year,
            **figures,
            "unit": found.indicator.unit,
            "note": " ".join(
                [
                    *([INVENTED] if _is_invented(found.indicator, year, figures["period"]) else ()),
                    *(note.text for note in year.annotations if note.month == figures["period"]),
                    *(frozen_notes(year, found.indicator.unit) if "-" not in figures["period"] else ()),
                ]
            ),
            "definition": found.indicator.definition,
        }
        for year in found.years
        for figures in [*map(_month_figures, year.months), _year_figures(year)]
    ]


def frozen_notes(year: YearResult, unit: str) -> list[str]:
    """Of a year whose actual is frozen: since when, what is counted now where that differs, and later remarks."""
    if year.frozen is None:
        return []
    notes = [f"{today_jst(year.frozen.frozen_at).isoformat()} に確定した年度末の値。"]
    if not year.frozen.observed:
        notes.append("3月31日はサービスが動いていなかったため、それまでの記録から数えました。")
    if year.counted_now is not None:
        notes.append(f"いま数え直すと {year.counted_now:,}{unit}です。")
    return notes + [
        f"{today_jst(remark.at).isoformat()} {remark.staff}: {remark.text}" for remark in year.frozen.remarks
    ]


def _is_invented(indicator: Indicator, year: YearResult, period: str) -> bool:
    """Whether the figure of a month, or of the year's last one, is one of a demo."""
    return indicator.is_invented(period if "-" in period else f"{year.fiscal_year + 1}-03")


def to_csv(rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str] | None = None) -> str:
    """RFC 4180 with a heading line; `headings` renames columns. None is an empty field."""
    if not rows:
        return ""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    columns = list(rows[0])
    writer.writerow([(headings or {}).get(column, column) for column in columns])
    writer.writerows([[_cell(row[column]) for column in columns] for row in rows])
    return out.getvalue()


def headline(found: IndicatorReport) -> str:
    """The newest figure in one sentence, as it is read out in the assembly."""
    known = [year for year in found.years if year.actual is not None]
    if not known or known[-1].as_of is None:
        return "まだ実績がありません。"
    year, day, unit = known[-1], known[-1].as_of, found.indicator.unit
    when = (
        f"{year.fiscal_year}年度は、{day.year}年{day.month}月{day.day}日現在の速報で"
        if year.provisional
        else f"{year.fiscal_year}年度末の実績は"
    )
    invented = "(架空の値)" if found.indicator.is_invented(f"{day.year}-{day.month:02d}") else ""
    figure = f"{when}{year.actual:,}{unit}{invented}"
    if year.target is None or year.rate is None:
        return f"{figure}です(目標の設定はありません)。"
    return f"{figure}、目標{year.target:,}{unit}の{year.rate:.1f}%です。"


def _month_figures(month: MonthActual) -> dict[str, Any]:
    known = month.actual is not None
    return {
        "period": f"{month.year}-{month.month:02d}",
        "date": month.day.isoformat() if known else None,
        "actual": month.actual,
        "joined": month.joined if known else None,
        "left": month.left if known else None,
        "target": None,
        "rate_percent": None,
        "provisional": month.provisional,
    }


def _year_figures(year: YearResult) -> dict[str, Any]:
    known = year.actual is not None
    return {
        "period": f"{year.fiscal_year}年度",
        "date": year.as_of.isoformat() if year.as_of else None,
        "actual": year.actual,
        "joined": sum(month.joined for month in year.months) if known else None,
        "left": sum(month.left for month in year.months) if known else None,
        "target": year.target,
        "rate_percent": year.rate,
        "provisional": year.provisional and known,
    }


def _year_json(year: YearResult) -> dict[str, Any]:
    months = [_month_figures(month) for month in year.months]
    return {
        "fiscal_year": year.fiscal_year,
        **{name: value for name, value in _year_figures(year).items() if name != "period"},
        "months": [
            {name: value for name, value in month.items() if name not in ("target", "rate_percent")}
            for month in months
        ],
        "annotations": [{"month": item.month, "text": item.text} for item in year.annotations],
        "frozen": _frozen_json(year.frozen),
        "counted_now": year.counted_now,
    }


def _frozen_json(frozen: YearEnd | None) -> dict[str, Any] | None:
    """When and by which definition the actual was written down, and what was noted since. None: it is counted now."""
    if frozen is None:
        return None
    return {
        "at": iso(frozen.frozen_at),
        "definition": frozen.definition,
        "observed": frozen.observed,
        "remarks": [{"at": iso(item.at), "staff": item.staff, "text": item.text} for item in frozen.remarks],
    }


def _count(same: dict[str, str], measure: str, key: str, name: str, number: int) -> dict[str, Any]:
    return {
        "date": same["date"],
        "measure": measure,
        "channel": same["channel"],
        "key": key,
        "name": name,
        "registrations": number,
    }


def _cell(value: Any) -> Any:
    if value is None:
        return ""
    if isinstance(value, str):
        return harmless(value)
    return int(value) if isinstance(value, bool) else value
