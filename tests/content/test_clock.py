"""Time as the service sees it: the day, the month and the fiscal year of Japan."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from content.clock import (
    DAY,
    end_of_day,
    fiscal_months,
    fiscal_year,
    from_datetime,
    iso,
    month_end,
    now_ms,
    start_of_day,
    to_jst,
    today_jst,
    words,
)
from tests.factories import APRIL_TUESDAY, YEAR_END, YEAR_START, jst


@pytest.mark.parametrize(
    ("day", "year"),
    [
        (date(2026, 3, 31), 2025),
        (date(2026, 4, 1), 2026),
        (date(2026, 12, 31), 2026),
        (date(2027, 1, 1), 2026),
    ],
)
def test_a_fiscal_year_begins_on_the_first_of_april(day, year):
    assert fiscal_year(day) == year


def test_a_fiscal_year_has_twelve_months_from_april_to_march():
    months = fiscal_months(2026)
    assert len(months) == 12
    assert months[0] == (2026, 4) and months[8] == (2026, 12)
    assert months[9] == (2027, 1) and months[-1] == (2027, 3)


@pytest.mark.parametrize(
    ("year", "month", "last"),
    [(2026, 2, 28), (2028, 2, 29), (2100, 2, 28), (2000, 2, 29), (2026, 4, 30), (2026, 12, 31)],
)
def test_a_month_ends_on_its_last_day_in_leap_years_too(year, month, last):
    assert month_end(year, month) == date(year, month, last)


def test_midnight_in_japan_divides_the_days():
    assert today_jst(YEAR_END) == date(2026, 3, 31)
    assert today_jst(YEAR_START) == date(2026, 4, 1)
    assert YEAR_START - YEAR_END == 1


def test_a_day_runs_from_midnight_to_midnight_in_japan():
    assert start_of_day(date(2026, 4, 1)) == end_of_day(date(2026, 3, 31)) == YEAR_START
    assert end_of_day(date(2026, 4, 1)) - start_of_day(date(2026, 4, 1)) == DAY


def test_now_is_in_milliseconds():
    with time_machine.travel(datetime(2026, 4, 7, 0, 30, tzinfo=UTC), tick=False):
        assert now_ms() == APRIL_TUESDAY
        assert today_jst() == date(2026, 4, 7)


def test_late_in_the_evening_utc_it_is_tomorrow_in_japan():
    with time_machine.travel(datetime(2026, 3, 31, 15, 0, tzinfo=UTC), tick=False):
        assert today_jst() == date(2026, 4, 1)


def test_a_moment_without_a_zone_is_taken_as_japanese():
    assert from_datetime(datetime(2026, 4, 7, 9, 30)) == APRIL_TUESDAY
    assert from_datetime(datetime(2026, 4, 7, 0, 30, tzinfo=UTC)) == APRIL_TUESDAY


def test_a_moment_is_printed_as_a_town_hall_prints_it():
    assert words(APRIL_TUESDAY) == "2026年4月7日(火) 09:30"


def test_machines_get_iso_8601_with_the_offset_of_japan():
    assert iso(APRIL_TUESDAY + 5) == "2026-04-07T09:30:00.005+09:00"
    assert iso(None) is None


@given(st.integers(jst(1970, 1, 1), jst(2100, 1, 1)))
def test_no_millisecond_is_lost_on_the_way(at):
    assert from_datetime(to_jst(at)) == at
    assert from_datetime(datetime.fromisoformat(iso(at) or "")) == at
