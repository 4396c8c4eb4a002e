"""Bars and steps of an indicator's years: each year has its place, nothing leads across a gap."""

from __future__ import annotations

from datetime import date

from hypothesis import given
from hypothesis import strategies as st

from bot.console.year_chart import FLOOR, HEIGHT, LEFT, RIGHT, TOP, draw_years
from content.figures.plan_results import result
from content.plans.models import Plan, PlanIndicator

PLAN = Plan(key="p", name="計画", first_year=2019, last_year=2022)


def drawn(plan=PLAN, **changes):
    indicator = PlanIndicator.model_validate({"key": "k", "name": "登録の数", **changes})
    return draw_years(result(indicator, {}, date(2024, 4, 2), plan))


def test_a_year_without_target_and_actual_keeps_its_place_and_shows_nothing():
    chart = drawn(targets={2019: 50, 2022: 100}, actuals=[{"year": 2022, "text": "約80"}])
    assert [year.label for year in chart.years] == ["2019", "2020", "2021", "2022"]
    assert [year.target is None for year in chart.years] == [False, True, True, False]
    assert [year.bar is None for year in chart.years] == [True, True, True, False]
    last = chart.years[-1]
    assert (last.bar_label, last.target_label, last.target) == ("約80", "100", TOP)


def test_words_and_a_single_number_are_no_chart():
    assert drawn(kind="text", targets={2020: "AAの維持"}) is None
    assert drawn(targets={2020: 100}) is None


def test_a_target_of_zero_lies_on_the_axis():
    chart = drawn(better="lower", targets={2019: 0, 2020: 0}, actuals=[{"year": 2020, "text": "1件"}])
    assert chart.years[0].target == FLOOR and chart.years[1].bar[3] == FLOOR - TOP


@given(
    st.integers(1, 20),
    st.dictionaries(st.integers(0, 19), st.integers(0, 999_999_999), max_size=20),
    st.dictionaries(st.integers(0, 19), st.integers(0, 999_999_999), max_size=20),
)
def test_everything_stands_inside_the_picture(years, targets, actuals):
    plan = Plan(key="p", name="計画", first_year=2000, last_year=1999 + years)
    chart = drawn(
        plan,
        targets={2000 + year: number for year, number in targets.items() if year < years},
        actuals=[{"year": 2000 + year, "text": str(n)} for year, n in actuals.items() if year < years],
    )
    for year in chart.years if chart else ():
        assert LEFT <= year.x1 < year.middle < year.x2 <= RIGHT
        assert year.target is None or TOP <= year.target <= FLOOR < HEIGHT
        assert year.bar is None or (TOP - 0.1 <= year.bar[1] <= FLOOR and year.bar[3] >= 0)
