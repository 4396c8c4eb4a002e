"""Cutting a notice into posts: no part over its limit, none of the words lost, no character or link cut in two."""

import pytest
import regex
from hypothesis import example, given, settings
from hypothesis import strategies as st

from channels.channel import CannotRender
from channels.mastodon import MastodonChannel, length
from channels.posting.splitting import graphemes, split
from channels.posting.words import post_texts
from tests.channels.announcements import notice, with_japanese

FAMILY = "👨‍👩‍👧‍👦"
LINK = "https://town.example.jp/hinan?area=1&level=5"
PIECES = [
    *"あ避難所川、。!?「」\n  aB1(",
    "。",
    FAMILY,
    "👍🏽",
    "🇯🇵",
    "か\u3099",
    "e\u0301",
    "א",
    "ب",
    LINK,
    "\u200d",
    "髙",
    "ガ",
]
texts = st.lists(st.sampled_from(PIECES), max_size=150).map("".join)


def at_most(limit):
    return lambda text: graphemes(text) <= limit


@settings(max_examples=300, deadline=None)
@given(texts, st.integers(8, 80))
@example(FAMILY * 30, 8)
def test_no_part_is_over_its_limit_and_nothing_is_lost(text, limit):
    parts = split(text, at_most(limit))
    assert "".join(parts) == text
    assert all(graphemes(part.strip()) <= limit for part in parts)


@settings(max_examples=100, deadline=None)
@given(texts, st.integers(50, 80))
def test_no_character_and_no_link_is_cut_in_two(text, limit):
    whole = regex.findall(r"\X", text)
    ends: set[int] = set()
    for part in split(text, at_most(limit))[:-1]:
        ends.add((max(ends) if ends else 0) + len(part))
    borders, place = {0}, 0
    for one in whole:
        place += len(one)
        borders.add(place)
    assert ends <= borders
    for found in regex.finditer(r"https?://[\x21-\x7e]+", text):
        assert graphemes(found.group()) > limit or not any(found.start() < end < found.end() for end in ends)


def test_it_is_cut_behind_a_sentence_where_that_fits():
    assert split("大雨です。避難してください。橋は通れません。", at_most(14)) == [
        "大雨です。避難してください。",
        "橋は通れません。",
    ]


def test_more_signs_on_a_letter_than_a_service_takes_are_cut_all_the_same():
    parts = split("a" + "\u0301" * 50, lambda text: len(text) <= 10)
    assert "".join(parts) == "a" + "\u0301" * 50
    assert all(len(part) <= 10 for part in parts)


@pytest.mark.parametrize("mode", ["live", "drill"])
@pytest.mark.parametrize(
    "body",
    ["みじかい。", "大雨です。高い所へ。" * 60, "切れ目のない文" * 200, FAMILY * 600, "א" * 900],
    ids=["short", "long", "without a break", "emoji", "right to left"],
)
def test_every_post_of_a_notice_fits_and_bears_the_marks(body, mode):
    announcement = with_japanese(body=body, mode=mode)
    parts = MastodonChannel(api_base="", token="").prepare(announcement, "ja").parts
    assert 1 <= len(parts) <= 4
    assert all(length(part) <= 500 for part in parts)
    assert announcement.url in parts[0]
    if mode == "drill":
        assert all(part.startswith("【訓練】") for part in parts)


def test_what_needs_more_posts_than_allowed_leads_to_the_page():
    long = with_japanese(body="5,000文字のお知らせです。" * 400)
    parts = MastodonChannel(api_base="", token="").prepare(long, "ja").parts
    assert len(parts) == 4
    assert "続きは最初の投稿のリンク先" in parts[-1]
    with pytest.raises(CannotRender) as caught:
        MastodonChannel(api_base="", token="").prepare(with_japanese(body=long.texts[0].body, url=""), "ja")
    assert caught.value.field == "body"


def test_one_post_is_shortened_to_its_link():
    (only,) = post_texts(
        with_japanese(body="大雨です。" * 100), "ja", service="X", fits=at_most(140), parts=1
    )
    assert only.endswith("…\n\nhttps://notice.shibata.example.jp/n/11")


def test_a_link_counts_as_23_characters_however_long_it_is():
    assert length(f"{LINK} あ") == 25
    assert length(FAMILY) == 1


def test_without_a_link_it_is_left_out_only_when_everything_is_said():
    short = post_texts(notice(), "ja", service="X", fits=at_most(500), parts=4, with_link=False)
    assert "https://" not in short[0]
    long = with_japanese(body="大雨です。" * 500)
    assert "https://" in post_texts(long, "ja", service="X", fits=at_most(140), parts=2, with_link=False)[0]
