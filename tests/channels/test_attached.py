"""Pictures, a place, links and numbers: what each channel makes of them."""

from __future__ import annotations

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from channels.attached import ShownPicture, ShownPlace
from channels.channel import CannotRender
from channels.line.channel import LineChannel
from channels.line.messages import ALT_TEXT_LIMIT, alt_text, build_messages, buttons
from channels.mail.messages import mail_text
from channels.rendering import utf16_length
from channels.webhook.channel import payload
from tests.channels.announcements import LANGUAGES, notice, with_japanese
from tests.channels.line_openapi import validate

PAGE = "https://notice.shibata.example.jp/n/11"
MAP = ShownPicture(f"{PAGE}/{'a' * 40}-1024x768.jpg", 1024, 768, {"ja": "避難所の地図", "en": "Shelter map"})
POSTER = ShownPicture(f"{PAGE}/{'b' * 40}-100x900.png", 100, 900, {"ja": "ポスターの文字"})
HALL = ShownPlace("船岡公民館", "船岡中央1-1", 38.0561, 140.7653)
LINE = LineChannel(api_base="https://api.line.me", token="t")
USER = "U" + "0" * 32


def bubble_of(announcement, language="ja"):
    (message,) = build_messages(announcement, language)
    return message["contents"]


def taps_of(bubble):
    return [
        (item["action"]["label"], item["action"]["uri"])
        for item in bubble["footer"]["contents"]
        if item["type"] == "button"
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_line_shows_the_first_picture_on_top_and_takes_the_message(language):
    announced = notice(pictures=(MAP, POSTER), place=HALL)
    bubble = bubble_of(announced, language)
    assert bubble["hero"]["url"] == MAP.url and bubble["hero"]["aspectRatio"] == "1024:768"
    # A bubble takes no picture that is more than three times as high as wide.
    assert bubble["body"]["contents"][-2]["aspectRatio"] == "100:300"
    assert "船岡公民館(船岡中央1-1)" in bubble["body"]["contents"][-1]["text"]
    assert taps_of(bubble)[-2][1] == HALL.map_url and taps_of(bubble)[-1][1] == PAGE
    validate("MulticastRequest", {"to": [USER], "messages": build_messages(announced, language)})


def test_the_alt_text_says_what_is_to_be_seen_also_behind_a_long_text():
    for body in ("短い文。", "長い文です。" * 300):
        said = alt_text(with_japanese(body=body, pictures=(MAP,), place=HALL, mode="drill"), "ja")
        assert said.startswith("【訓練】") and "画像: 避難所の地図" in said and "場所: 船岡公民館" in said
        assert utf16_length(said) <= ALT_TEXT_LIMIT


def test_a_language_without_words_for_the_picture_has_the_japanese_ones():
    assert "Picture: Shelter map" in alt_text(notice(pictures=(MAP,)), "en")
    assert "Picture: ポスターの文字" in alt_text(notice(pictures=(POSTER,)), "en")


def test_a_picture_that_line_cannot_fetch_is_refused_with_the_remedy():
    here = ShownPicture("http://127.0.0.1:8080/n/1/a.png", 1, 1, {"ja": "図"})
    with pytest.raises(CannotRender) as refused:
        LINE.prepare(notice(pictures=(here,)), "ja")
    assert refused.value.field == "pictures"
    assert "https" in refused.value.message and "管理者" in refused.value.message
    # A stand-in on this machine is reached in the same way.
    assert LineChannel(api_base="http://127.0.0.1:9000", token="t").prepare(notice(pictures=(here,)), "ja")


def test_a_text_too_long_for_a_bubble_names_picture_and_place_in_words():
    (message,) = build_messages(with_japanese(body="あ" * 3_000, pictures=(MAP,), place=HALL), "ja")
    assert message["type"] == "text"
    assert f"画像: 避難所の地図\n{MAP.url}" in message["text"] and HALL.map_url in message["text"]


def test_links_and_numbers_become_buttons_at_most_three():
    body = (
        "電話 0224-55-2111。くわしくは https://www.town.example.jp/a/ 。FAX 0224-55-2112\n"
        "もう一度 0224(55)2111、https://b.example.jp、090-1234-5678"
    )
    found = taps_of(bubble_of(with_japanese(body=body)))
    assert found == [
        ("電話をかける: 0224-55-2111", "tel:0224552111"),
        ("リンクを開く: town.example.jp/a", "https://www.town.example.jp/a/"),
        ("リンクを開く: b.example.jp", "https://b.example.jp"),
        ("くわしく見る", PAGE),
    ]
    assert taps_of(bubble_of(with_japanese(body="ふつうの文です。"))) == [("くわしく見る", PAGE)]


WORDS = st.lists(
    st.sampled_from(
        [
            "https://a.example.jp/x",
            "javascript:alert(1)",
            "0224-55-2111",
            "電話",
            "110",
            "。",
            "）",
            "あ",
            "@",
            "tel:1",
        ]
    ),
    max_size=12,
).map("".join)


@given(WORDS | st.text(max_size=40))
def test_every_button_is_in_the_words(body):
    announced = with_japanese(body=f"x{body}", url="")
    for label, uri in buttons(announced, "ja"):
        assert len(label) <= 40
        assert uri in body or re.sub(r"^tel:\+?(81)?", "", uri) in re.sub(r"\D", "", body)
        assert uri.startswith(("https://", "http://", "tel:"))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_says_in_words_what_it_cannot_show(language):
    read = mail_text(notice(pictures=(MAP,), place=HALL), language)
    assert MAP.url in read and MAP.alt(language) in read
    assert HALL.map_url in read and "船岡公民館" in read


def test_a_partner_gets_all_of_it_as_data():
    data = payload(notice(pictures=(MAP,), place=HALL, expires_at=1_775_521_800_000))["data"]
    told = json.loads(json.dumps(data))
    assert told["pictures"] == [
        {"url": MAP.url, "width": 1024, "height": 768, "alt": {"ja": "避難所の地図", "en": "Shelter map"}}
    ]
    assert told["place"] == {
        "label": "船岡公民館",
        "address": "船岡中央1-1",
        "latitude": 38.0561,
        "longitude": 140.7653,
        "map_url": HALL.map_url,
    }
    assert told["expires_at"] == "2026-04-07T00:30:00.000Z"
    plain = payload(notice())["data"]
    assert (plain["pictures"], plain["place"], plain["expires_at"]) == (
        [],
        None,
        None,
    )


def test_the_preview_shows_what_the_phone_shows():
    announced = with_japanese(body="電話 0224-55-2111", pictures=(MAP,), place=HALL, mode="drill")
    seen = LINE.preview(announced, "ja")
    assert seen.announced == alt_text(announced, "ja") and seen.pictures == (MAP,)
    assert seen.buttons == ("電話をかける: 0224-55-2111", "地理院地図で開く: 船岡公民館", "くわしく見る")
