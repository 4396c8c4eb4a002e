"""The months of a report as tables: one for each cell over all channels, narrow enough for a telephone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from bot.figure_words import channel_of, channel_words, mark_of, value_words
from bot.month_report import REASON, MonthReport, net, rows_of
from content.figures.months import MonthFigure
from content.figures.movements import Measure

NO_SERIES = "・"


@dataclass(frozen=True, slots=True)
class MonthLine:
    """None is shown as a mark of its own, `note` says why."""

    month: str
    active: int | None
    joined: int | None
    returned: int | None
    left: int | None
    changed: int | None
    net: int | None
    note: str


@dataclass(frozen=True, slots=True)
class MonthTable:
    title: str
    lines: tuple[MonthLine, ...]


@dataclass(frozen=True, slots=True)
class Matrix:
    """Months beside names: `cells` of each month in the order of `names`, None for what is not known, NO_SERIES
    where there is nothing to count: a series that was merged, or has not begun."""

    names: tuple[str, ...]
    lines: tuple[tuple[str, tuple[int | str | None, ...], str], ...]


@dataclass(frozen=True, slots=True)
class Tables:
    """`whole`: every movement; `matrix`: what stood at the end of each month, or of a reason what came and went."""

    whole: tuple[MonthTable, ...]
    matrix: Matrix | None


def tables_of(report: MonthReport) -> Tables:
    if report.by in (Measure.TOTAL, Measure.ROUTE):
        by_name: dict[str, list[MonthFigure]] = defaultdict(list)
        for figure in report.figures:
            channel = channel_words(channel_of(report.town, figure.account))
            name = "" if report.by == Measure.TOTAL else value_words(report.town, report.by, figure.value)
            by_name[f"{channel} {name}".strip()].append(figure)
        whole = tuple(MonthTable(name, tuple(map(_line, items))) for name, items in by_name.items())
        return Tables(whole, None)
    return Tables((), _matrix(report))


def _line(figure: MonthFigure) -> MonthLine:
    return MonthLine(
        figure.month,
        figure.active,
        figure.joined,
        figure.returned,
        figure.left,
        figure.changed,
        net(figure),
        mark_of(figure),
    )


def _matrix(report: MonthReport) -> Matrix:
    """All channels together. What no channel knows is not known."""
    names: dict[str, None] = {}
    cells: dict[tuple[str, str], list[int | None]] = defaultdict(list)
    notes: dict[str, dict[str, None]] = {}
    for figure, row in zip(report.figures, rows_of(report), strict=True):
        names.setdefault(row["name"])
        number = row["active"]
        if report.by == REASON:
            number = _sum([figure.joined, figure.returned, figure.left])
        cells[figure.month, row["name"]].append(number)
        said = notes.setdefault(figure.month, {})
        if (mark := mark_of(figure)) and not said:
            said[mark] = None
    for item in report.breaks:
        if item.month in notes:
            notes[item.month][f"{item.day.day}日に{item.words}"] = None
    lines = tuple(
        (
            month,
            tuple(_sum(cells[month, name]) if (month, name) in cells else NO_SERIES for name in names),
            "、".join(said),
        )
        for month, said in notes.items()
    )
    return Matrix(tuple(names), lines)


def _sum(numbers: Sequence[int | None]) -> int | None:
    known = [number for number in numbers if number is not None]
    return sum(known) if known else None
