"""What the checks say about pictures and places."""

from __future__ import annotations

import pytest

from content.notices.attachments import ALT_LIMIT, Attachments, Picture, Place
from content.notices.checks.attached import check_attached
from content.notices.checks.examine import examine_words
from content.town import Town
from tests.factories import APRIL_TUESDAY, spec

NAME = f"{'a' * 40}-10x10.png"
HERE = Place("船岡公民館", "船岡中央1", 38.0561, 140.7653)


def codes(*pictures: Picture, place: Place | None = None) -> list[tuple[str, str]]:
    return [(item.code, item.field) for item in check_attached(spec(attached=Attachments(pictures, place)))]


@pytest.mark.parametrize(
    ("alts", "code"),
    [
        ({}, "picture-alt"),
        ({"ja": " \u3000"}, "picture-alt"),
        ({"en": "A map of the shelters"}, "picture-alt"),
        ({"ja": "あ" * (ALT_LIMIT + 1)}, "picture-alt"),
        ({"ja": "避難所\u202eの地図"}, "hidden-character"),
        ({"ja": "IMG_2041.JPG"}, "picture-alt-poor"),
        ({"ja": "画像"}, "picture-alt-poor"),
        ({"ja": "添付のチラシ"}, "picture-alt-poor"),
        ({"ja": "ポスター1"}, "picture-alt-poor"),
    ],
)
def test_a_picture_takes_words_that_say_what_is_to_be_seen(alts: dict[str, str], code: str) -> None:
    assert codes(Picture(NAME, alts)) == [(code, f"alt.ja.{NAME}")]


@pytest.mark.parametrize(
    "alt",
    [
        "桜まつりのポスター。4月12日10時、船岡城址公園",
        "給水車",
        "IMG線の運休区間の地図",
        "通行止めの場所の地図",
    ],
)
def test_ordinary_words_pass(alt: str) -> None:
    assert codes(Picture(NAME, {"ja": alt})) == []


def test_more_than_a_few_pictures_are_too_many() -> None:
    four = [Picture(f"{digit * 40}-1x1.png", {"ja": "給水車の写真"}) for digit in "abcd"]
    assert codes(*four) == [("unusable", "pictures")]


@pytest.mark.parametrize(
    ("place", "field", "says"),
    [
        (Place("", "", 38.0, 140.0), "place_label", "名前がありません"),
        (Place("公民館", "", 140.7653, 38.0561), "place_point", "逆"),
        (Place("公民館", "", 51.5, -0.1), "place_point", "日本の中にありません"),
        (Place("公民館\u200b", "", 38.0, 140.0), "place_label", "見えない文字"),
        (Place("公民館", "あ" * 101, 38.0, 140.0), "place_address", "長すぎます"),
    ],
)
def test_a_place_that_is_none_is_refused(place: Place, field: str, says: str) -> None:
    (found,) = check_attached(spec(attached=Attachments((), place)))
    assert found.field == field and says in found.message
    assert not list(check_attached(spec(attached=Attachments((), HERE))))


def test_a_missing_text_does_not_hide_a_missing_description(town: Town) -> None:
    empty = spec(texts={"ja": ("", "")}, attached=Attachments((Picture(NAME, {}),)))
    assert {"no-text", "picture-alt"} <= {item.code for item in examine_words(empty, town, APRIL_TUESDAY)}
