"""What staff write of a repetition: closures are read, and a rule that cannot be kept names its part."""

from datetime import date, time

import pytest

from content.notices import recurrence
from content.notices.recurrence import BadRecurrence, RecurrenceRule, read_closure

SEVEN = time(7)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("2026-12-29", "2026-12-29"),
        ("2026/12/29〜2027/1/3", "2026-12-29~2027-01-03"),
        (" 12/29 ~ 1/3 ", "12/29~1/3"),
        ("12月29日〜1月3日", "12/29~1/3"),
        ("2026年12月29日", "2026-12-29"),
        ("2026-12-29..2027-01-03", "2026-12-29~2027-01-03"),
    ],
)
def test_closures_are_read_as_staff_write_them(text, kept):
    assert str(read_closure(text)) == kept


@pytest.mark.parametrize(
    "text",
    ["", "正月", "2026-02-30", "12/29~2027-01-03", "2027-01-03~2026-12-29", "1/1~1/2~1/3", "0001-01-01"],
)
def test_a_closure_that_cannot_be_read_is_refused(text):
    with pytest.raises(BadRecurrence) as refused:
        read_closure(text)
    assert refused.value.field == "closures"


@pytest.mark.parametrize(
    ("rule", "field"),
    [
        (RecurrenceRule("hourly", SEVEN), "repeat"),
        (RecurrenceRule("weekly", SEVEN), "weekdays"),
        (RecurrenceRule("nth", SEVEN, weekdays=(1,)), "nths"),
        (RecurrenceRule("nth", SEVEN, nths=(2,)), "weekdays"),
        (RecurrenceRule("day", SEVEN, days=(32,)), "days"),
        (RecurrenceRule("dates", SEVEN), "dates"),
        (RecurrenceRule("month_end", SEVEN, on_holiday="?"), "on_holiday"),
        (RecurrenceRule("month_end", SEVEN, first=date(2026, 5, 1), last=date(2026, 4, 1)), "until"),
    ],
)
def test_a_rule_that_cannot_be_kept_names_the_part_to_change(rule, field):
    assert [error.field for error in recurrence.faults(rule)] == [field]
