"""The years of an indicator one over another, April to March; the template draws them as SVG, the table beside says all.

Every line bears its year at its end and has a form of its own, so that colours are not needed. What nobody saw is
a gap, as in the chart of all months.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import groupby

from bot.console.chart import LINE, Mark, axis_top
from content.figures.indicators import IndicatorReport, YearResult

LEFT, RIGHT, TOP, BOTTOM = 56, 68, 14, 30
# Forms of lines; more of them cannot be told apart.
MOST = 5
MONTHS = (4, 5, 6, 7, 8, 9, 10, 11, 12, 1, 2, 3)


@dataclass(frozen=True, slots=True)
class YearLine:
    """One year: a stretch without a gap each, `form` 0 for the newest year."""

    year: int
    form: int
    lines: tuple[str, ...]
    points: tuple[Mark, ...]
    label: Mark


@dataclass(frozen=True, slots=True)
class OverlaidChart:
    """All coordinates in a box of `width` by `height`; `left_out` are years for which there was no form any more."""

    width: int
    height: int
    left: float
    right: float
    floor: float
    ticks: tuple[Mark, ...]
    months: tuple[Mark, ...]
    years: tuple[YearLine, ...]
    left_out: int


def overlay(report: IndicatorReport, width: int, height: int) -> OverlaidChart | None:
    """The newest years, MOST at the most. None while there is nothing to compare."""
    known = [year for year in report.years if any(month.actual is not None for month in year.months)]
    if len(known) < 2:
        return None
    shown = known[-MOST:]
    top, step = axis_top(max(month.actual or 0 for year in shown for month in year.months))
    right, floor = width - RIGHT, height - BOTTOM

    def x(index: float) -> float:
        return round(LEFT + (index + 0.5) * (right - LEFT) / len(MONTHS), 1)

    def y(value: int) -> float:
        return round(floor - value * (floor - TOP) / top, 1)

    def line(year: YearResult, form: int) -> YearLine:
        places = [
            (index, Mark(x(index), y(month.actual), ""))
            for index, month in enumerate(year.months)
            if month.actual is not None
        ]
        runs = [
            [mark for _, (_, mark) in run]
            for _, run in groupby(enumerate(places), key=lambda item: item[1][0] - item[0])
        ]
        last = places[-1][1]
        return YearLine(
            year.fiscal_year,
            form,
            tuple(" ".join(f"{mark.x},{mark.y}" for mark in run) for run in runs if len(run) > 1),
            tuple(run[0] for run in runs if len(run) == 1),
            Mark(last.x + 8, last.y + 4, f"{year.fiscal_year}年度", "start"),
        )

    lines = [line(year, form) for form, year in enumerate(reversed(shown))]
    return OverlaidChart(
        width=width,
        height=height,
        left=LEFT,
        right=right,
        floor=floor,
        ticks=tuple(Mark(LEFT - 8, y(value), f"{value:,}", "end") for value in range(0, top + 1, step)),
        months=tuple(Mark(x(index), floor + 20, f"{month}月") for index, month in enumerate(MONTHS)),
        years=tuple(_apart(lines, floor)),
        left_out=len(known) - len(shown),
    )


def _apart(lines: list[YearLine], floor: float) -> list[YearLine]:
    """Labels that would stand on one another are moved apart, the lowest staying above the axis."""
    placed: list[YearLine] = []
    below = floor
    for item in sorted(lines, key=lambda item: -item.label.y):
        label = item.label
        if any(abs(other.label.x - label.x) < RIGHT for other in placed):
            label = replace(label, y=round(min(label.y, below - LINE), 1))
        below = label.y
        placed.append(replace(item, label=label))
    return sorted(placed, key=lambda item: item.form)
