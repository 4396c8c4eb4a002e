"""Indicators: a plan's target per fiscal year beside the actual count."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.figures.counts import Movement
from content.figures.indicators import report
from content.figures.year_ends import YearEnd
from tests.factories import create_town

TODAY = date(2026, 4, 7)


def town_with(targets, channels=("line",), **changes):
    indicator = {
        "key": "registrations",
        "name": "登録の数",
        "plan": "総合計画",
        "definition": "年度末に有効な登録の数",
        "channels": list(channels),
        "targets": targets,
        **changes,
    }
    return create_town(indicators=[indicator])


def years(moves, today=TODAY, targets=None, wanted=(), **changes):
    town = town_with(targets or {2025: 100, 2026: 200}, **changes)
    return report(town, town.indicator["registrations"], moves, today, wanted).years


def joined(day, number=1, account="line"):
    return Movement(day, account, number, 0)


def test_the_first_of_april_begins_a_new_fiscal_year():
    moves = [joined(date(2026, 3, 31), 80), joined(date(2026, 4, 1), 20)]
    last, this = years(moves)
    assert (last.fiscal_year, last.actual, last.as_of) == (2025, 80, date(2026, 3, 31))
    assert (this.fiscal_year, this.actual, this.as_of) == (2026, 100, TODAY)


def test_a_year_that_has_ended_is_final_and_the_running_one_is_not():
    last, this = years([joined(date(2025, 5, 1))])
    assert not last.provisional
    assert this.provisional


@pytest.mark.parametrize(
    ("today", "provisional"), [(date(2026, 3, 31), True), (date(2026, 4, 1), False)], ids=["31st", "1st"]
)
def test_a_year_is_final_only_after_its_last_day(today, provisional):
    (year,) = years([joined(date(2025, 5, 1))], today, {2025: 100})
    assert year.provisional is provisional
    assert year.months[-1].provisional is provisional


@pytest.mark.parametrize(
    ("today", "provisional"), [(date(2026, 4, 30), True), (date(2026, 5, 1), False)], ids=["30th", "1st"]
)
def test_a_month_is_final_only_after_its_last_day(today, provisional):
    (year,) = years([joined(date(2026, 4, 1))], today, {2026: 100})
    assert year.months[0].provisional is provisional


def test_months_before_the_first_registration_are_a_gap_and_no_zero():
    (year,) = years([joined(date(2025, 5, 1))], date(2026, 4, 1), {2025: 100})
    assert [month.actual for month in year.months[:2]] == [None, 1]


def test_months_to_come_show_nothing_rather_than_zero():
    (year,) = years([joined(date(2026, 4, 1), 5)], TODAY, {2026: 100})
    assert year.months[0].actual == 5
    assert [month.actual for month in year.months[1:]] == [None] * 11
    assert not any(month.provisional for month in year.months[1:])


def test_a_year_to_come_has_a_target_and_nothing_else():
    (year,) = years([joined(date(2026, 4, 1))], TODAY, {2027: 300})
    assert (year.target, year.actual, year.rate, year.as_of) == (300, None, None, None)
    assert year.provisional


def test_each_month_shows_its_end_and_what_moved_within_it():
    moves = [
        joined(date(2025, 4, 30), 3),
        Movement(date(2025, 5, 1), "line", 4, 1),
        Movement(date(2025, 5, 31), "line", 0, 2),
    ]
    (year,) = years(moves, TODAY, {2025: 100})
    april, may, june = year.months[:3]
    assert (april.actual, april.joined, april.left, april.day) == (3, 3, 0, date(2025, 4, 30))
    assert (may.actual, may.joined, may.left, may.day) == (4, 4, 3, date(2025, 5, 31))
    assert (june.actual, june.joined, june.left) == (4, 0, 0)


def test_the_running_month_counts_until_today():
    moves = [joined(date(2026, 4, 7), 5), joined(date(2026, 4, 8), 9)]
    (year,) = years(moves, TODAY, {2026: 100})
    assert (year.months[0].actual, year.months[0].joined, year.months[0].day) == (5, 5, TODAY)


@pytest.mark.parametrize(
    ("actual", "target", "rate"),
    [(4500, 4500, 100.0), (2000, 3000, 66.7), (0, 100, 0.0), (2345, 2000, 117.3), (4499, 4500, 99.9)],
)
def test_the_rate_is_given_in_percent_with_one_decimal(actual, target, rate):
    (year,) = years([joined(date(2025, 5, 1), actual)], TODAY, {2025: target})
    assert year.rate == rate


def test_a_year_without_a_target_has_no_rate():
    (year,) = years([joined(date(2025, 5, 1), 7)], TODAY, {2026: 100}, wanted=(2025,))
    assert (year.target, year.actual, year.rate) == (None, 7, None)


def test_a_year_without_a_target_between_others_stays():
    found = years([joined(date(2025, 5, 1), 7)], TODAY, {2024: 100, 2026: 100})
    assert [(year.fiscal_year, year.target) for year in found] == [(2024, 100), (2025, None), (2026, 100)]


def test_a_target_of_zero_has_no_rate():
    (year,) = years([joined(date(2025, 5, 1), 7)], TODAY, {2025: 0})
    assert year.rate is None


def test_years_come_oldest_first_unless_some_are_asked_for():
    assert [year.fiscal_year for year in years([], TODAY, {2026: 1, 2024: 1})] == [2024, 2025, 2026]
    assert [year.fiscal_year for year in years([], TODAY, {2026: 1}, wanted=(2023, 2026))] == [2023, 2026]


def test_only_the_channels_of_the_indicator_are_counted():
    moves = [joined(date(2026, 4, 1), 5), joined(date(2026, 4, 1), 7, "mail")]
    assert years(moves, targets={2026: 10})[0].actual == 5
    assert years(moves, targets={2026: 10}, channels=("line", "mail"))[0].actual == 12


def test_drill_accounts_are_not_counted():
    drill = {"key": "line-drill", "channel": "line", "mode": "drill"}
    live = {"key": "line", "channel": "line"}
    indicators = [item.model_dump() for item in town_with({2026: 10}).indicators]
    town = create_town(accounts=[live, drill], indicators=indicators)
    moves = [joined(date(2026, 4, 1), 5), joined(date(2026, 4, 1), 900, "line-drill")]
    (year,) = report(town, town.indicators[0], moves, TODAY).years
    assert year.actual == 5


def test_an_annotation_stands_in_the_fiscal_year_of_its_month():
    remarks = [
        {"month": "2026-03", "text": "三月"},
        {"month": "2026-04", "text": "四月"},
        {"month": "2025-01", "text": "前年度の一月"},
    ]
    last, this = years([], annotations=remarks)
    assert [item.text for item in last.annotations] == ["三月"]
    assert [item.text for item in this.annotations] == ["四月"]


def year_end(year, observed=True, **by_account):
    figures = {(account, "total", ""): number for account, number in by_account.items()}
    return YearEnd(year, 1, "定義", observed, {**figures, ("line", "category", "gomi"): 999}, ())


@pytest.mark.parametrize(("counted", "differs"), [(1358, 1358), (2100, None)], ids=["otherwise", "the same"])
def test_a_frozen_year_keeps_its_value_and_tells_what_is_counted_now(counted, differs):
    town = town_with({2025: 3000, 2026: 3000})
    moves = [joined(date(2025, 5, 1), counted)]
    held = {2025: year_end(2025, line=2100, mail=7)}
    last, this = report(town, town.indicator["registrations"], moves, TODAY, frozen=held).years
    assert (last.actual, last.rate, last.as_of, last.counted_now) == (2100, 70.0, date(2026, 3, 31), differs)
    assert last.frozen is held[2025]
    # The month is what is counted, and the year that runs was never frozen.
    assert last.months[-1].actual == counted
    assert (this.actual, this.frozen, this.counted_now) == (counted, None, None)


def test_a_year_end_without_a_record_on_the_channel_freezes_nothing():
    town = town_with({2025: 3000})
    (year,) = report(town, town.indicators[0], [], TODAY, frozen={2025: year_end(2025, mail=7)}).years
    assert (year.actual, year.frozen) == (None, None)


MOVES = st.lists(
    st.builds(
        Movement,
        st.dates(date(2024, 4, 1), date(2026, 12, 31)),
        st.sampled_from(["line", "mail"]),
        st.integers(0, 50),
        st.integers(0, 20),
    ),
    max_size=20,
)


@given(MOVES, st.dates(date(2025, 4, 1), date(2026, 12, 31)))
def test_every_month_is_the_one_before_plus_who_came_less_who_left(moves, today):
    months = [month for year in years(moves, today, {2024: 1, 2025: 1, 2026: 1}) for month in year.months]
    assert len(months) == 36
    before = 0
    for month in months:
        if month.actual is None:
            to_come = date(month.year, month.month, 1) > today
            begun = any(move.account == "line" and move.day <= month.day for move in moves)
            assert to_come or not begun
            continue
        assert month.actual == before + month.joined - month.left
        before = month.actual
