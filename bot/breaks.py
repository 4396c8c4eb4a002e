"""Breaks of a series (系列の切れ目): what the town renamed, merged, split or closed, with its day, beside every figure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from content.clock import month_end
from content.figures.months import MonthFigure
from content.figures.movements import Measure
from content.town import Town

SUCCEEDED = (Measure.CATEGORY, Measure.AREA)
HOW_COUNTED = (
    "統合・分割の日からは、前の区分を選んでいた登録を、統合先・分割先のすべてを選んだものとして数えます。"
    "両方を選んでいた登録は統合のあと1件になるため、前後の合計は合いません。改称では何も変わりません。"
)


@dataclass(frozen=True, slots=True)
class Break:
    """`keys` are those whose series it concerns."""

    day: date
    keys: tuple[str, ...]
    words: str

    @property
    def month(self) -> str:
        return f"{self.day:%Y-%m}"

    @property
    def sentence(self) -> str:
        return f"{self.day.isoformat()} {self.words}"


def breaks(town: Town, measure: str, until: date) -> list[Break]:
    """Up to and with this day, the oldest first; none of what cannot be merged and split."""
    if measure not in SUCCEEDED:
        return []
    return sorted((item for item in _all(town, measure) if item.day <= until), key=lambda item: item.day)


def definition_words(found: list[Break]) -> str:
    """What must be said with the figures, "" when nothing ever changed."""
    return f"{HOW_COUNTED}{'、'.join(item.sentence for item in found)}。" if found else ""


def is_applicable(town: Town, measure: str, figure: MonthFigure) -> bool:
    """False where a series has not begun yet or is over, and nothing is counted: that is no zero."""
    counted = (figure.active, figure.joined, figure.returned, figure.left, figure.changed)
    if measure not in SUCCEEDED or any(counted):
        return True
    known = town.choosable(measure)
    item = known.get(figure.value)
    if item is not None and item.changed_on and item.is_over(figure.day):
        return item.changed_on > date(figure.day.year, figure.day.month, 1)
    begins = [other.changed_on for other in known.values() if figure.value in other.split_into]
    last = month_end(figure.day.year, figure.day.month)
    return not any(day is not None and day > last for day in begins)


def is_over(town: Town, measure: str, key: str, day: date) -> bool:
    """Whether a series had ended by the end of a day."""
    item = town.choosable(measure).get(key) if measure in SUCCEEDED else None
    return item is not None and item.changed_on is not None and item.is_over(day)


def _all(town: Town, measure: str) -> Iterator[Break]:
    known = town.choosable(measure)
    for key, item in known.items():
        names = [former.name for former in item.former_names] + [item.name()]
        for former, now in zip(item.former_names, names[1:], strict=True):
            yield Break(former.until + timedelta(days=1), (key,), f"「{former.name}」を「{now}」へ改称")
        if item.changed_on is None:
            continue
        heirs = "".join(f"「{known[heir].name()}」" for heir in item.heirs)
        became = f"{heirs}へ統合" if item.merged_into else f"{heirs}へ分割" if heirs else "終了"
        yield Break(item.changed_on, (key, *item.heirs), f"「{item.name()}」を{became}")
