"""達成率, and what is said of the way that is left."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.figures.achievement import is_met, pace, per_piece, rate
from content.figures.plan_results import Counted, result
from content.plans.models import Plan, PlanIndicator

PLAN = Plan(key="p", name="計画", first_year=2019, last_year=2022)
TODAY = date(2024, 4, 2)


def results(counted=None, today=TODAY, plan=PLAN, **changes):
    indicator = PlanIndicator.model_validate({"key": "k", "name": "登録の数", **changes})
    return result(indicator, counted or {}, today, plan)


@pytest.mark.parametrize(
    ("actual", "target", "better", "expected"),
    [
        (2800, 4500, "higher", "62.2"),
        (1, 8, "higher", "12.5"),
        (1245, 2000, "higher", "62.3"),  # 62.25: half goes up, where binary floats and half-even say 62.2
        (2999, 3000, "higher", "99.9"),  # would read 100.0
        (3000, 3000, "higher", "100.0"),
        (3001, 3000, "higher", "100.0"),
        (0, 3000, "higher", "0.0"),
        (1, 0, "higher", None),
        (None, 3000, "higher", None),
        (5, None, "higher", None),
        (1, 2, "lower", None),
        (1, 2, "keep", None),
    ],
)
def test_the_rate_is_rounded_as_people_round(actual, target, better, expected):
    have, want = (None if number is None else Decimal(number) for number in (actual, target))
    assert rate(have, want, better) == (Decimal(expected) if expected else None)


@given(st.integers(0, 10**9), st.integers(1, 10**9))
def test_an_unmet_target_never_reads_a_hundred(actual, target):
    found = rate(Decimal(actual), Decimal(target))
    assert (found >= 100) == (actual >= target)
    assert found == Decimal("99.9") or abs(found - Decimal(actual) * 100 / target) <= Decimal("0.05")


def test_less_is_better_with_a_target_of_zero():
    assert is_met(Decimal(0), Decimal(0), "lower") is True
    assert is_met(Decimal(1), Decimal(0), "lower") is False
    assert is_met(None, Decimal(0), "lower") is None


def test_a_year_without_a_target_stays_in_the_table():
    found = results(targets={2020: 2000, 2022: 4500})
    assert [item.year for item in found.years] == [2019, 2020, 2021, 2022]
    assert [item.target.text for item in found.years] == ["", "2,000", "", "4,500"]


def test_the_adjusted_figure_stands_beside_the_raw_one():
    moved = [{"name": "移行", "value": "約1,000"}]
    found = results(targets={2022: 4500}, actuals=[{"year": 2022, "text": "約2,800", "adjustments": moved}])
    year = found.of(2022)
    assert (year.rate_words, year.adjusted[0].number, year.adjusted[0].rate) == (
        "約62.2%",
        3800,
        Decimal("84.4"),
    )


def test_a_count_is_the_actual_until_a_person_enters_one():
    counts = {2021: Counted(Decimal(1358), date(2022, 3, 31), False)}
    assert results(counts, targets={2021: 3000}).of(2021).actual.text == "1,358"
    entered = results(counts, targets={2021: 3000}, actuals=[{"year": 2021, "text": "2,100"}]).of(2021)
    assert (entered.actual.text, entered.counted.number) == ("2,100", 1358)


def test_words_have_no_rate_and_no_verdict():
    found = results(kind="text", targets={2022: "AAの維持"}, actuals=[{"year": 2022, "text": "AAに一部準拠"}])
    assert (found.of(2022).rate, found.of(2022).met) == (None, None)


def test_cost_is_given_for_each_to_the_whole_yen():
    found = results(costs={2022: 1_000_000}, actuals=[{"year": 2022, "text": "2,800"}])
    assert found.of(2022).cost_per_piece == 357
    assert per_piece(5, Decimal(0)) is None and per_piece(5, Decimal(2)) == 3


def test_the_pace_says_what_is_needed_and_where_a_straight_line_leads():
    # Half of the year: 1 April to 30 September is 183 of 365 days.
    found = pace(2025, Decimal(1000), Decimal(1183), Decimal(1500), date(2025, 9, 30))
    assert found.projected == 1365 and found.months_left == Decimal("6.0") and found.needed == 53
    assert pace(2025, Decimal(1000), Decimal(1600), Decimal(1500), date(2025, 9, 30)).needed is None
    assert pace(2025, None, Decimal(1), Decimal(2), date(2025, 9, 30)) is None
    assert pace(2025, Decimal(0), Decimal(1), Decimal(2), date(2026, 3, 31)) is None


def test_the_pace_is_shown_only_while_the_year_runs():
    counts = {
        2025: Counted(Decimal(1183), date(2025, 9, 30), True),
        2024: Counted(Decimal(1000), date(2025, 3, 31), False),
    }
    plan = PLAN.model_copy(update={"first_year": 2024, "last_year": 2026})
    found = results(counts, date(2025, 9, 30), plan, targets={2024: 900, 2025: 1500})
    assert found.of(2025).pace.projected == 1365
    assert found.of(2024).pace is None and found.of(2026).pace is None
