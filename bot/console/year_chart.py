"""Where the bars and steps of an indicator's years stand; the template draws them as SVG.

Every year of the plan has its place on the axis, also one without a target or an actual: nothing is drawn there,
and no line leads across.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from content.figures.plan_results import IndicatorResult, YearOfIndicator

WIDTH, HEIGHT = 300, 130
LEFT, RIGHT, TOP, FLOOR = 6, 294, 30, 106
# Of the width of a year: its bar, and the room to each side of the step of its target.
BAR, MARGIN = 0.5, 0.06


@dataclass(frozen=True, slots=True)
class YearMarks:
    """`bar` and `target` are None where the year has no such number. `hollow`: not final, or invented."""

    label: str
    middle: float
    x1: float
    x2: float
    bar: tuple[float, float, float, float] | None
    bar_label: str
    hollow: bool
    target: float | None
    target_label: str


@dataclass(frozen=True, slots=True)
class YearChart:
    years: tuple[YearMarks, ...]
    width: int = WIDTH
    height: int = HEIGHT
    left: int = LEFT
    right: int = RIGHT
    floor: int = FLOOR


def draw_years(found: IndicatorResult) -> YearChart | None:
    """None when there is nothing to draw: words, or fewer than two numbers."""
    if found.indicator.kind == "text":
        return None
    targets = [item.target.figure for item in found.years if item.target.figure is not None]
    actuals = [item.number for item in found.years if item.number is not None]
    if len(targets) + len(actuals) < 2:
        return None
    top = float(max([Decimal(1), *targets, *actuals]))
    each = (RIGHT - LEFT) / len(found.years)
    # With many years only the last two figures of each fit below it.
    wide = each > 46
    return YearChart(tuple(_year(item, n, each, top, wide) for n, item in enumerate(found.years)))


def _year(item: YearOfIndicator, place: int, each: float, top: float, wide: bool) -> YearMarks:
    start, target, actual = LEFT + place * each, item.target.figure, item.number
    bar = None
    if actual is not None:
        height = float(actual) / top * (FLOOR - TOP)
        bar = (start + each * (1 - BAR) / 2, FLOOR - height, each * BAR, height)
    return YearMarks(
        label=f"{item.year}" if wide else f"{item.year % 100:02d}",
        middle=round(start + each / 2, 1),
        x1=round(start + each * MARGIN, 1),
        x2=round(start + each * (1 - MARGIN), 1),
        bar=(round(bar[0], 1), round(bar[1], 1), round(bar[2], 1), round(bar[3], 1)) if bar else None,
        bar_label=item.actual.text if bar and wide else "",
        hollow=item.provisional or item.invented,
        target=round(FLOOR - float(target) / top * (FLOOR - TOP), 1) if target is not None else None,
        target_label=f"{target:,}" if target is not None and wide else "",
    )
