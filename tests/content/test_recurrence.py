"""The days of a rule, checked against another way to find them: place every base day, then sort."""

from datetime import date, datetime, time, timedelta
from itertools import pairwise, takewhile

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from content.clock import from_datetime
from content.notices import recurrence
from content.notices.recurrence import Closure, RecurrenceRule, read_closure
from tests.factories import jst

SEVEN = time(7)
START = date(2026, 1, 1)
SPAN = 500
ONE_DAY = timedelta(days=1)
# As the Cabinet Office lists them for 2026.
HOLIDAYS_2026 = {
    (1, 1), (1, 12), (2, 11), (2, 23), (3, 20), (4, 29), (5, 3), (5, 4), (5, 5), (5, 6),
    (7, 20), (8, 11), (9, 21), (9, 22), (9, 23), (10, 12), (11, 3), (11, 23),
}  # fmt: skip

# The first look into a year reads its holidays, which takes a while on a busy machine.
unhurried = settings(deadline=None)

days = st.dates(START - timedelta(days=40), START + timedelta(days=SPAN))
month_days = st.tuples(st.integers(1, 12), st.integers(1, 28))
closures = st.one_of(
    st.builds(lambda day, length: Closure(day, day + timedelta(days=length)), days, st.integers(0, 20)),
    st.builds(Closure, month_days, month_days).filter(lambda item: _length(item) < 20),
)
some_days = st.lists(days, max_size=1).map(lambda found: found[0] if found else None)


def _length(item):
    return sum(START + timedelta(days=n) in item for n in range(366))


def numbers(first, last):
    return st.sets(st.integers(first, last), min_size=1).map(lambda found: tuple(sorted(found)))


rules = st.builds(
    RecurrenceRule,
    kind=st.sampled_from(recurrence.KINDS),
    at=st.times().map(lambda found: found.replace(second=0, microsecond=0)),
    weekdays=numbers(0, 6),
    nths=numbers(1, 5),
    days=numbers(1, 31),
    dates=st.sets(days, min_size=1).map(tuple),
    first=some_days,
    last=some_days,
    closures=st.lists(closures, max_size=3).map(tuple),
    on_holiday=st.sampled_from(recurrence.ON_HOLIDAY),
)


def is_holiday(day):
    return bool(recurrence.holiday_name(day))


def closed(rule, day):
    return any(day in item for item in rule.closures)


def within(rule, day):
    return (rule.first or day) <= day <= (rule.last or day)


def base_days(rule):
    """The base days around the span, from the calendar of each month."""
    found = set()
    for month in range(-2, SPAN // 28 + 4):
        year, number = START.year + month // 12, month % 12 + 1
        in_month = [date(year, number, 1) + timedelta(days=n) for n in range(31)]
        in_month = [day for day in in_month if day.month == number]
        if rule.kind == "month_end":
            found.add(in_month[-1])
        elif rule.kind == "day":
            found |= {in_month[n - 1] for n in rule.days if n <= len(in_month)}
        elif rule.kind == "dates":
            found |= set(in_month) & set(rule.dates)
        else:
            for weekday in rule.weekdays:
                same = [day for day in in_month if day.weekday() == weekday]
                nths = rule.nths if rule.kind == "nth" else range(1, 6)
                found |= {same[n - 1] for n in nths if n <= len(same)}
    return found


def placed(rule, day):
    """Where a base day is sent, or None."""
    if not is_holiday(day) or rule.on_holiday == "send":
        return day
    if rule.on_holiday == "skip":
        return None
    step = ONE_DAY if rule.on_holiday == "after" else -ONE_DAY
    for _ in range(recurrence.LONGEST_MOVE):
        day += step
        if day.weekday() < 5 and not is_holiday(day) and not closed(rule, day):
            return day
    return None


def expected(rule):
    usable = (day for day in base_days(rule) if within(rule, day) and not closed(rule, day))
    sent = {placed(rule, day) for day in usable} - {None}
    last = START + timedelta(days=SPAN - 40)
    return [day for day in sorted(sent) if within(rule, day) and START <= day <= last]


def found_days(rule):
    start = from_datetime(datetime.combine(START, time())) - 1
    last = START + timedelta(days=SPAN - 40)
    end = from_datetime(datetime.combine(last, rule.at))
    found = takewhile(lambda item: item.due_at <= end, recurrence.occurrences(rule, start))
    return [item.day for item in found]


@unhurried
@given(rules)
def test_the_days_are_those_found_by_placing_every_base_day(rule):
    assert found_days(rule) == expected(rule)


@unhurried
@given(rules)
def test_days_increase_and_keep_to_closures_holidays_and_bounds(rule):
    found = found_days(rule)
    assert all(one < two for one, two in pairwise(found))
    assert not [day for day in found if closed(rule, day) or not within(rule, day)]
    if rule.on_holiday != "send":
        assert not [day for day in found if is_holiday(day)]


@unhurried
@given(rules, st.integers(0, SPAN * 24 * 60))
def test_the_next_one_is_the_first_that_is_due_after_the_moment(rule, minutes):
    moment = from_datetime(datetime.combine(START, time())) + minutes * 60_000
    following = recurrence.next_after(rule, moment)
    known = [from_datetime(datetime.combine(day, rule.at)) for day in expected(rule)]
    later = [due for due in known if due > moment]
    if later:
        assert following is not None and following.due_at == later[0]
        again = recurrence.next_after(rule, following.due_at)
        assert again is None or again.due_at > following.due_at
        assert recurrence.next_after(rule, following.due_at - 1) == following


@unhurried
@given(rules)
def test_a_rule_is_kept_as_it_was_written(rule):
    assert recurrence.from_json(recurrence.to_json(rule)) == rule


def due(rule, *start, limit=5):
    return [item.day for item in recurrence.upcoming(rule, jst(*start), limit)]


def test_the_end_of_the_month_is_its_last_day_also_in_february():
    rule = RecurrenceRule("month_end", SEVEN)
    assert due(rule, 2027, 12, 31, 7, limit=4) == [
        date(2028, 1, 31),
        date(2028, 2, 29),
        date(2028, 3, 31),
        date(2028, 4, 30),
    ]
    assert date(2027, 2, 28) in due(rule, 2027, 1, 1)


def test_the_29th_comes_in_february_of_a_leap_year_alone():
    rule = RecurrenceRule("day", SEVEN, days=(29,))
    assert date(2028, 2, 29) in due(rule, 2028, 1, 1)
    assert due(rule, 2027, 1, 30, limit=1) == [date(2027, 3, 29)]


def test_the_second_and_fourth_tuesday():
    rule = RecurrenceRule("nth", SEVEN, weekdays=(1,), nths=(2, 4))
    assert due(rule, 2026, 9, 1, limit=4) == [
        date(2026, 9, 8),
        date(2026, 9, 22),
        date(2026, 10, 13),
        date(2026, 10, 27),
    ]


def test_a_fifth_week_is_left_out_where_the_month_has_none():
    rule = RecurrenceRule("nth", SEVEN, weekdays=(0,), nths=(5,))
    assert due(rule, 2026, 1, 1, limit=3) == [date(2026, 3, 30), date(2026, 6, 29), date(2026, 8, 31)]


def test_the_days_go_on_over_the_new_year_but_for_the_closure():
    rule = RecurrenceRule(
        "weekly", SEVEN, weekdays=(0, 3), closures=(read_closure("12/29~1/3"),), on_holiday="skip"
    )
    assert due(rule, 2026, 12, 24, limit=4) == [
        date(2026, 12, 24),
        date(2026, 12, 28),
        date(2027, 1, 4),
        date(2027, 1, 7),
    ]


@pytest.mark.parametrize(
    ("on_holiday", "day"),
    [("send", (5, 4)), ("skip", (5, 11)), ("before", (5, 1)), ("after", (5, 7))],
)
def test_golden_week(on_holiday, day):
    rule = RecurrenceRule("weekly", SEVEN, weekdays=(0,), on_holiday=on_holiday)
    (found,) = recurrence.upcoming(rule, jst(2026, 4, 28), 1)
    assert found.day == date(2026, *day)
    if on_holiday in ("before", "after"):
        assert (found.moved_from, found.holiday) == (date(2026, 5, 4), "みどりの日")
    else:
        assert (found.moved_from, found.holiday) == (None, "")


def test_the_public_holidays_are_those_of_the_cabinet_office():
    found = {
        (day.month, day.day) for n in range(365) if is_holiday(day := date(2026, 1, 1) + timedelta(days=n))
    }
    assert found == HOLIDAYS_2026


def test_a_moved_day_that_meets_another_one_is_sent_once():
    rule = RecurrenceRule("weekly", SEVEN, weekdays=(0, 1), on_holiday="after")
    assert due(rule, 2026, 10, 9, limit=2) == [date(2026, 10, 13), date(2026, 10, 19)]


def test_the_time_of_day_is_meant_in_japan():
    (found,) = recurrence.upcoming(RecurrenceRule("day", time(0, 30), days=(10,)), jst(2026, 4, 10), 1)
    assert found.due_at == jst(2026, 4, 10, 0, 30)


def test_after_the_last_day_there_is_none():
    rule = RecurrenceRule("weekly", SEVEN, weekdays=(1,), last=date(2026, 4, 14))
    assert due(rule, 2026, 4, 7, 7) == [date(2026, 4, 14)]
    assert recurrence.next_after(rule, jst(2026, 4, 14, 7)) is None
    assert rule.ends_at == jst(2026, 4, 15)


def test_a_day_moved_beyond_the_last_day_is_not_sent():
    rule = RecurrenceRule("weekly", SEVEN, weekdays=(0,), last=date(2026, 5, 5), on_holiday="after")
    assert due(rule, 2026, 4, 28) == []


@pytest.mark.parametrize(("closed_until", "days"), [((6, 3), [date(2026, 6, 4)]), ((6, 4), [])])
def test_a_day_is_moved_by_a_month_at_most(closed_until, days):
    # The 4th of May is a public holiday, and the 4th of June the 31st day after it.
    closure = Closure(date(2026, 5, 5), date(2026, *closed_until))
    rule = RecurrenceRule("dates", SEVEN, dates=(date(2026, 5, 4),), closures=(closure,), on_holiday="after")
    assert due(rule, 2026, 5, 1) == days


def test_a_closure_of_every_year_goes_over_the_new_year():
    closure = read_closure("12/29~1/3")
    around = [date(2026, 12, 26) + timedelta(days=n) for n in range(12)]
    assert [day for day in around if day in closure] == [
        date(2026, 12, 29) + timedelta(days=n) for n in range(6)
    ]
    assert date(2030, 1, 3) in closure and date(2030, 8, 13) not in closure


def test_a_far_date_and_a_rule_closed_all_year_are_both_found_out():
    assert due(RecurrenceRule("dates", SEVEN, dates=(date(2098, 3, 3),)), 2026, 1, 1) == [date(2098, 3, 3)]
    assert (
        due(RecurrenceRule("weekly", SEVEN, weekdays=(0,), closures=(read_closure("1/1~12/31"),)), 2026, 1, 1)
        == []
    )
