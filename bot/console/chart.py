"""Where the lines and labels of an indicator's chart stand; the template draws them as SVG."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby, pairwise

from content.figures.indicators import IndicatorReport, MonthActual, YearResult

LEFT, RIGHT, TOP, BOTTOM = 56, 14, 30, 40
NICE_STEPS = (1, 2, 2.5, 5, 10)
TICKS = 4
# Pixels: the height of a label, and the width of a year that holds two of them side by side.
LINE, WIDE_YEAR = 16, 160


@dataclass(frozen=True, slots=True)
class Mark:
    """A text at a place; `anchor` as in SVG."""

    x: float
    y: float
    text: str
    anchor: str = "middle"


@dataclass(frozen=True, slots=True)
class ChartStep:
    """The target of one fiscal year."""

    x1: float
    x2: float
    y: float
    label: Mark


@dataclass(frozen=True, slots=True)
class Chart:
    """All coordinates of one chart in a box of `width` by `height`."""

    width: int
    height: int
    left: float
    right: float
    floor: float
    # A stretch without a gap each; one of a single month is a point.
    lines: tuple[str, ...]
    areas: tuple[str, ...]
    points: tuple[Mark, ...]
    gaps: tuple[tuple[float, float], ...]
    ticks: tuple[Mark, ...]
    years: tuple[Mark, ...]
    borders: tuple[float, ...]
    steps: tuple[ChartStep, ...]
    ends: tuple[Mark, ...]
    remarks: tuple[Mark, ...]
    provisional: Mark | None


def draw(report: IndicatorReport, width: int, height: int) -> Chart:
    """The chart of a report: actual months as a line, targets as steps, year-end values and remarks marked."""
    return _Drawing(report, width, height).chart()


def axis_top(highest: int) -> tuple[int, int]:
    """The end of the value axis and the distance of its ticks: round figures above the highest value."""
    rough = max(highest, TICKS) / TICKS
    power = 10 ** (len(str(int(rough))) - 1)
    step = next(int(power * nice) for nice in NICE_STEPS if power * nice >= rough)
    ticks = -(-max(highest, 1) // step)
    return step * ticks, step


class _Drawing:
    def __init__(self, report: IndicatorReport, width: int, height: int) -> None:
        self.report = report
        self.width, self.height = width, height
        self.months = [month for year in report.years for month in year.months]
        values = [month.actual or 0 for month in self.months]
        targets = [year.target or 0 for year in report.years]
        self.top, self.step = axis_top(max([*values, *targets, 1]))
        self.right, self.floor = width - RIGHT, height - BOTTOM

    def x(self, index: float) -> float:
        """The middle of the month with this index."""
        return round(LEFT + (index + 0.5) * (self.right - LEFT) / max(len(self.months), 1), 1)

    def y(self, value: int) -> float:
        return round(self.floor - value * (self.floor - TOP) / self.top, 1)

    def chart(self) -> Chart:
        known = [(index, month) for index, month in enumerate(self.months) if month.actual is not None]
        runs = [
            [item for _, item in run]
            for _, run in groupby(enumerate(known), key=lambda item: item[1][0] - item[0])
        ]
        lines = [" ".join(f"{self.x(n)},{self.y(month.actual or 0)}" for n, month in run) for run in runs]
        ends = [(self.x(run[0][0]), self.x(run[-1][0])) for run in runs]
        return Chart(
            width=self.width,
            height=self.height,
            left=LEFT,
            right=self.right,
            floor=self.floor,
            lines=tuple(lines),
            areas=tuple(
                f"{first},{self.floor} {line} {last},{self.floor}"
                for line, (first, last) in zip(lines, ends, strict=True)
            ),
            points=tuple(
                Mark(self.x(run[0][0]), self.y(run[0][1].actual or 0), "") for run in runs if len(run) == 1
            ),
            gaps=tuple((before[1], after[0]) for before, after in pairwise(ends)),
            ticks=tuple(self._ticks()),
            years=tuple(self._year_label(n, year) for n, year in enumerate(self.report.years)),
            borders=tuple(self.x(n * 12 - 0.5) for n in range(1, len(self.report.years))),
            steps=tuple(self._target(n, year) for n, year in enumerate(self.report.years) if year.target),
            ends=tuple(self._year_end(n, year) for n, year in enumerate(self.report.years) if _last(year)),
            remarks=tuple(self._remarks()),
            provisional=self._provisional(known),
        )

    def _ticks(self) -> list[Mark]:
        values = range(0, self.top + 1, self.step)
        return [Mark(LEFT - 8, self.y(value), f"{value:,}", "end") for value in values]

    def _year_label(self, number: int, year: YearResult) -> Mark:
        return Mark(self.x(number * 12 + 5.5), self.floor + 28, f"{year.fiscal_year}年度")

    def _target(self, number: int, year: YearResult) -> ChartStep:
        start, end, y = self.x(number * 12 - 0.5), self.x(number * 12 + 11.5), self.y(year.target or 0)
        return ChartStep(start, end, y, Mark(start + 4, y - 7, f"目標 {year.target:,}", "start"))

    def _year_end(self, number: int, year: YearResult) -> Mark:
        index, month = _last(year) or (0, year.months[0])
        x, y = self.x(number * 12 + index), self.y(month.actual or 0)
        label_y, wide = y - 10, (self.right - LEFT) / max(len(self.report.years), 1) > WIDE_YEAR
        if year.target is not None and not wide and abs(label_y - self._target(number, year).label.y) < LINE:
            # In a narrow year both labels would stand on one another, so the value goes on top.
            label_y = self._target(number, year).label.y - LINE
        invented = " 架空" if self.report.indicator.is_invented(f"{month.year}-{month.month:02d}") else ""
        return Mark(x, round(label_y, 1), f"{month.actual:,}{invented}", "end" if index > 2 else "start")

    def _remarks(self) -> list[Mark]:
        places = {f"{month.year}-{month.month:02d}": index for index, month in enumerate(self.months)}
        remarks = [remark for year in self.report.years for remark in year.annotations]
        return [
            Mark(self.x(places[remark.month]), TOP - 14, f"注{number}")
            for number, remark in enumerate(remarks, 1)
            if remark.month in places
        ]

    def _provisional(self, known: list[tuple[int, MonthActual]]) -> Mark | None:
        if not known or not known[-1][1].provisional:
            return None
        index, month = known[-1]
        return Mark(self.x(index), self.y(month.actual or 0), "速報")


def _last(year: YearResult) -> tuple[int, MonthActual] | None:
    """The newest month of a year that has a figure, with its place in the year."""
    known = [(index, month) for index, month in enumerate(year.months) if month.actual is not None]
    return known[-1] if known else None
