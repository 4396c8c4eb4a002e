"""What a reader cannot see is not sent: it turns words round, hides them, or is all there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.notices.characters import find_invisible, has_visible

GOOD = [
    "避難してください",
    "家族👨‍👩‍👧の日",
    "❤️ ☎️ 1️⃣ #️⃣",
    "葛󠄀城市、辻󠄀さん",
    "🏴󠁧󠁢󠁥󠁮󠁧󠁿と🏳️‍🌈と🇯🇵",
    "👍🏽👩🏽‍🚒",
    "می‌خواهم",
    "Dịch vụ khẩn cấp",
    "１行目\n２行目\t表\r\n",
    "がギグ",
]
HIDDEN = [
    "\u200b",
    "\u202e",
    "\ufffe",
    "\U0001ffff",
    "\ufdd0",
    "\u2066",
    "\ufeff",
    "\u00ad",
    "\u2060",
    "\x00",
    "\x1b",
    "\x85",
    "\ud83d",
    "\U000e0041",
]
NOTHING = ["", " ", "\u3000", "\u200b", "\u3164\u3164", "\u2800", "\u115f", "\u0301", "\ufe0f", "\u00a0"]
SEEN = st.text(st.sampled_from("あ漢カabc１ー。!👍"), min_size=1, max_size=12)


@pytest.mark.parametrize("text", GOOD)
def test_ordinary_words_emoji_and_forms_of_kanji_are_left_alone(text: str) -> None:
    assert find_invisible(text) is None
    assert has_visible(text)


@pytest.mark.parametrize("text", NOTHING)
def test_nothing_to_see_is_nothing(text: str) -> None:
    assert not has_visible(text)


@given(before=SEEN, after=SEEN, hidden=st.sampled_from(HIDDEN))
def test_a_hidden_character_is_found_wherever_it_stands(before: str, after: str, hidden: str) -> None:
    for text, place in (
        (hidden + after, 0),
        (before + hidden, len(before)),
        (before + hidden + after, len(before)),
    ):
        assert find_invisible(text) == place


@given(before=SEEN, after=SEEN, joiner=st.sampled_from("\u200c\u200d"))
def test_a_joiner_is_fine_between_what_is_seen_and_nowhere_else(before: str, after: str, joiner: str) -> None:
    assert find_invisible(before + joiner + after) is None
    assert find_invisible(joiner + after) == 0
    assert find_invisible(before + joiner) == len(before)
    assert find_invisible(before + joiner + joiner + after) == len(before)
    assert find_invisible(before + " " + joiner + after) == len(before) + 1


@given(before=SEEN, after=SEEN)
def test_a_variation_is_fine_after_what_is_seen_and_nowhere_else(before: str, after: str) -> None:
    assert find_invisible(f"{before}\ufe0f{after}") is None
    assert find_invisible(f"\ufe0f{after}") == 0
    assert find_invisible(f"{before}\ufe0f\ufe0f{after}") == len(before) + 1
