"""The first day of a month on which a town hall works."""

from datetime import date

import pytest

from content.notices.working_days import first_working_day, is_working_day


@pytest.mark.parametrize(
    ("month", "day"),
    [
        (date(2026, 12, 1), date(2026, 12, 1)),
        (date(2026, 11, 1), date(2026, 11, 2)),  # a Sunday
        (date(2026, 8, 31), date(2026, 8, 3)),  # a Saturday; any day of the month asks for it
        (date(2027, 1, 1), date(2027, 1, 4)),  # until the 3rd nobody is there
        (date(2026, 1, 1), date(2026, 1, 5)),  # the 4th is a Sunday
        (date(2019, 5, 1), date(2019, 5, 7)),  # ten days of public holidays
    ],
)
def test_weekends_holidays_and_the_turn_of_the_year_are_passed_over(month, day):
    assert first_working_day(month) == day


def test_the_turn_of_the_year_ends_on_the_28th_and_begins_on_the_4th():
    assert [is_working_day(date(2026, 12, day)) for day in (28, 29)] == [True, False]
    assert [is_working_day(date(2028, 1, day)) for day in (3, 4)] == [False, True]
