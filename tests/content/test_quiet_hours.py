"""Quiet hours: what they look like, when they are, and when they are over."""

from __future__ import annotations

import pytest

from content.quiet_hours import BadQuietHours, end_of, in_words, normalise
from tests.factories import jst


@pytest.mark.parametrize("text", ["", "21", "21-21", "24-7", "21-7-", "night", "21−7", "021-7"])
def test_what_is_no_time_is_refused_with_the_form(text: str) -> None:
    with pytest.raises(BadQuietHours, match="21-7"):
        normalise(text)


@pytest.mark.parametrize(
    ("text", "now", "end"),
    [
        ("21-7", jst(2026, 4, 7, 20, 59, 59), 0),
        ("21-7", jst(2026, 4, 7, 21), jst(2026, 4, 8, 7)),
        ("21-7", jst(2026, 4, 8, 0), jst(2026, 4, 8, 7)),
        ("21-7", jst(2026, 4, 8, 6, 59, 59), jst(2026, 4, 8, 7)),
        ("21-7", jst(2026, 4, 8, 7), 0),
        ("21-7", jst(2026, 4, 30, 23), jst(2026, 5, 1, 7)),
        ("13-15", jst(2026, 4, 7, 14, 30), jst(2026, 4, 7, 15)),
        ("13-15", jst(2026, 4, 7, 15), 0),
        ("21-0", jst(2026, 4, 7, 23), jst(2026, 4, 8, 0)),
        ("0-6", jst(2026, 4, 7, 23), 0),
        ("none", jst(2026, 4, 7, 3), 0),
    ],
)
def test_they_end_at_the_next_full_hour_of_theirs(text: str, now: int, end: int) -> None:
    assert end_of(text, now) == end


def test_a_person_reads_them_as_a_person_says_them() -> None:
    assert in_words("21-7") == "夜9時から朝7時まで"
    assert in_words("23-5") == "夜11時から朝5時まで"
    assert in_words("none") == "なし"
