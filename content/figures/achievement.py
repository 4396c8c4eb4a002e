"""達成率 and what goes with it: how far an actual has come towards its target, and what is still needed."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal

from content.clock import month_end

TENTH = Decimal("0.1")
ONE = Decimal(1)
UNMET = Decimal("99.9")


@dataclass(frozen=True, slots=True)
class Pace:
    """On the way to the end of a fiscal year. `needed` a month from now on to reach the target, None when it is
    reached. `projected`: the year's end if it goes on in a straight line as it has since 1 April."""

    months_left: Decimal
    needed: Decimal | None
    projected: Decimal


def rate(actual: Decimal | None, target: Decimal | None, better: str = "higher") -> Decimal | None:
    """Percent to one decimal by 四捨五入; an unmet target never reads 100.0. None where a quotient says
    nothing: without a target, with a target of 0, where less is better, where a level is to be kept."""
    if actual is None or not target or better != "higher":
        return None
    percent = (actual * 100 / target).quantize(TENTH, ROUND_HALF_UP)
    return min(percent, UNMET) if actual < target else percent


def is_met(actual: Decimal | None, target: Decimal | None, better: str = "higher") -> bool | None:
    """None when one of the two is no number: words are judged by a person."""
    if actual is None or target is None:
        return None
    return actual <= target if better == "lower" else actual >= target


def per_piece(cost: int, number: Decimal | None) -> Decimal | None:
    """円 for each, to the whole yen by 四捨五入; None for none."""
    return (Decimal(cost) / number).quantize(ONE, ROUND_HALF_UP) if number else None


def pace(year: int, start: Decimal | None, actual: Decimal, target: Decimal, day: date) -> Pace | None:
    """`start` is the figure at the beginning of `year` (0 for one that is counted anew each year), `day` the one
    that `actual` is of. None outside the year, on its first day, and where the beginning is unknown."""
    first, last = date(year, 4, 1), month_end(year + 1, 3)
    if start is None or not first < day < last:
        return None
    gone, whole = (day - first).days + 1, (last - first).days + 1
    left = Decimal((whole - gone) * 12) / whole
    projected = start + (actual - start) * whole / gone
    needed = ((target - actual) / left).quantize(ONE, ROUND_HALF_UP) if actual < target else None
    return Pace(left.quantize(TENTH, ROUND_HALF_UP), needed, projected.quantize(ONE, ROUND_HALF_UP))
