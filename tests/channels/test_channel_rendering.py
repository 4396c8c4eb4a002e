"""Marks, lengths, cutting, and the words around a notice."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels import rendering
from channels.channel import Text
from channels.rendering import (
    WORDINGS,
    category_name,
    clean,
    cut,
    heading,
    marks,
    mode_note,
    sender_line,
    utf16_length,
    wording,
)
from tests.channels.announcements import notice, with_japanese


@pytest.mark.parametrize(
    ("changes", "language", "expected"),
    [
        ({"urgency": "routine"}, "ja", ""),
        ({}, "ja", "【緊急】"),
        ({"mode": "drill"}, "ja", "【訓練】【緊急】"),
        ({"mode": "test", "kind": "correction"}, "ja", "【試験】【緊急】【訂正】"),
        ({"mode": "drill", "urgency": "routine"}, "ja-easy", "【訓練（くんれん）】"),
        ({"mode": "drill", "kind": "withdrawal"}, "en", "[DRILL] [URGENT] [WITHDRAWN]"),
        ({"mode": "test"}, "pt-BR", "[TEST] [URGENT]"),
    ],
)
def test_marks_tell_mode_urgency_and_kind_in_that_order(changes, language, expected):
    assert marks(notice(**changes), language) == expected


def test_an_unknown_mode_is_an_error_and_never_an_unmarked_text():
    with pytest.raises(KeyError):
        marks(notice(mode="rehearsal"), "ja")


@pytest.mark.parametrize("language", list(WORDINGS))
def test_a_drill_says_so_in_a_full_sentence_too(language):
    assert mode_note(notice(mode="drill"), language)
    assert mode_note(notice(), language) == ""


def test_a_title_stays_on_one_line():
    assert heading(with_japanese(title="一行目\r\n二行目\x07", urgency="routine"), "ja") == "一行目 二行目"


@pytest.mark.parametrize(
    ("language", "name"),
    [("ja", "災害"), ("ja-easy", "災害（さいがい）"), ("en-US", "Disaster"), ("vi", "Disaster")],
)
def test_the_category_is_named_in_the_nearest_language(language, name):
    assert category_name(notice(), language) == name


def test_a_category_without_names_shows_its_key():
    assert category_name(notice(category_names={}), "en") == "disaster"


def test_an_unknown_language_gets_english_words_around_it():
    assert wording("tl") is WORDINGS["en"]
    assert wording("ja-JP") is WORDINGS["ja"]


def test_the_contact_is_left_out_when_there_is_none():
    assert sender_line(notice(contact=""), "ja") == "発信: しばた市"


def test_lone_surrogates_and_control_characters_are_removed_and_lines_kept():
    assert clean("a\ud83c\x00b\r\nc\td") == "ab\nc\td"


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("避難してください", 8, "避難してください"),
        ("避難してください", 7, "避難してくだ…"),
        ("🌊🌊🌊", 6, "🌊🌊🌊"),
        ("🌊🌊🌊", 5, "🌊🌊…"),
        ("🌊🌊🌊", 4, "🌊…"),
        ("か\u3099か\u3099か\u3099", 4, "か\u3099…"),
        ("👨‍👩‍👧と避難", 8, "…"),
        ("👨‍👩‍👧と避難", 9, "👨‍👩‍👧…"),
        ("🇯🇵🇯🇵🇯🇵", 7, "🇯🇵…"),
        ("👍🏽👍🏽", 7, "👍🏽…"),
        ("ab", 0, ""),
        ("ab", 1, "…"),
    ],
)
def test_cutting_keeps_whole_characters(text, limit, expected):
    assert cut(text, limit) == expected


@given(text=st.text(), limit=st.integers(0, 60))
def test_cutting_never_exceeds_the_limit_and_only_takes_from_the_end(text, limit):
    short = cut(text, limit)
    assert utf16_length(short) <= limit
    assert short == text or text.startswith(short.removesuffix("…"))


@given(text=st.text(alphabet=st.characters(codec="utf-8")))
def test_length_counts_what_utf16_needs(text):
    assert utf16_length(text) == len(text.encode("utf-16-le")) // 2


def test_every_language_has_every_word():
    for words in WORDINGS.values():
        filled = [getattr(words, name) for name in rendering.Wording.__slots__ if name != "separator"]
        assert all(filled)


def test_the_text_of_a_language_is_its_own():
    announcement = notice(texts=(Text("ja", "題", "本文"), Text("en", "Title", "Body")), urgency="routine")
    assert heading(announcement, "en") == "Title"


def test_sender_and_contact_are_in_the_readers_language():
    announced = notice(
        contact="しばた市役所 022",
        town_names={"en": "Shibata City"},
        contacts={"en": "Shibata City Hall 022"},
    )
    assert sender_line(announced, "en") == "From: Shibata City\nContact: Shibata City Hall 022"
    assert sender_line(announced, "ja").startswith("発信: しばた市\n問い合わせ: しばた市役所")
