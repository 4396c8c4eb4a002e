"""Figures that are entered by hand: with value, day, source and name; a correction hides nothing."""

from datetime import date
from functools import partial

import pytest

from content.figures import hand_series
from content.figures.entered_numbers import BadEntry, in_words, read_day, read_number
from content.figures.hand_series import HandSeries
from tests.factories import APRIL_TUESDAY

FACEBOOK = HandSeries("facebook", "Facebook フォロワー", "人")
MARCH_31, TODAY = date(2026, 3, 31), date(2026, 4, 7)


async def test_a_correction_counts_and_what_was_entered_first_stays_to_be_seen(database):
    async with database.write() as connection:
        enter = partial(hand_series.enter, connection, FACEBOOK, MARCH_31, staff="kikaku", at=APRIL_TUESDAY)
        assert await enter(2300, "町のページ")
        assert not await enter(2300, "町のページ")
        assert await enter(2310, "町のページ(数え直し)")
        values = await hand_series.all_values(connection, "facebook")
        assert [(item.value, item.superseded) for item in values] == [(2300, True), (2310, False)]
        assert (await hand_series.value_at(connection, "facebook", TODAY)).value == 2310
        assert await hand_series.value_at(connection, "facebook", date(2026, 3, 30)) is None
        keys = [item.key for item in await hand_series.all_series(connection)]
        assert keys == ["population", "households", "facebook"]


@pytest.mark.parametrize(
    ("typed", "value"), [("2300", 2300), ("2,300", 2300), ("2,300", 2300), ("62.2", 62.2), (" 0 ", 0)]
)
def test_numbers_may_be_typed_as_people_type_them(typed, value):
    assert read_number(typed) == value


@pytest.mark.parametrize("typed", ["", "-1", "-1", "▲3", "1e9", "1000000000", "約2300", "12,34", "nan", "½"])
def test_what_is_no_number_of_a_town_is_refused(typed):
    with pytest.raises(BadEntry, match="入れ"):
        read_number(typed)


@pytest.mark.parametrize("typed", ["", "2026-04-08", "2027-02-29", "26-04-01", "1949-12-31"])
def test_days_that_are_none_or_lie_ahead_are_refused(typed):
    with pytest.raises(BadEntry, match="日付"):
        read_day(typed, TODAY)


def test_a_leap_day_is_a_day_and_numbers_are_written_without_idle_decimals():
    assert read_day("2024-02-29", TODAY) == date(2024, 2, 29)
    assert [in_words(value) for value in (2300.0, 62.2, 0.0)] == ["2,300", "62.2", "0"]
