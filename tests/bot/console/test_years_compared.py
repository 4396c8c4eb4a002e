"""Years one over another: gaps stay gaps, labels stand apart, and a year alone is compared with nothing."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

import pytest

from bot.console.overlaid import MOST, overlay
from content.figures.counts import Movement
from tests.bot.console.test_chart_files import of, over_ten_years, with_a_gap


@pytest.mark.parametrize(("width", "height"), [(760, 340), (358, 300)])
def test_the_newest_years_have_a_line_each_whose_labels_stand_apart(width: int, height: int) -> None:
    chart = overlay(over_ten_years(), width, height)
    assert chart is not None and [item.year for item in chart.years] == [2025, 2024, 2023, 2022, 2021]
    assert (chart.left_out, {item.form for item in chart.years}) == (5, set(range(MOST)))
    heights = sorted(item.label.y for item in chart.years)
    assert all(after - before >= 14 for before, after in pairwise(heights))
    assert all(0 < item.label.y < height and item.label.x < width for item in chart.years)


def test_equal_years_do_not_write_on_one_another() -> None:
    moves = [Movement(date(2019, 4, 1), "line", 100, 0)]
    chart = overlay(of(moves, date(2023, 4, 1), (2019, 2020, 2021, 2022)), 760, 340)
    assert chart is not None
    heights = sorted(item.label.y for item in chart.years)
    assert all(after - before >= 14 for before, after in pairwise(heights))


def test_a_year_alone_is_compared_with_nothing() -> None:
    assert overlay(with_a_gap(), 760, 340) is None
