"""The picture that stands for a notice where a service shows nothing without one."""

import io

import pytest
from PIL import Image

from channels.fonts import japanese_font
from channels.posting.card import SIDE, NoPicture, card_address, draw_card
from tests.channels.announcements import notice, with_japanese

needs_a_font = pytest.mark.skipif(japanese_font() is None, reason="fonts-noto-cjk is not installed")


@needs_a_font
@pytest.mark.parametrize(
    "announcement",
    [
        notice(),
        notice(mode="drill"),
        with_japanese(body="とても長いお知らせです。" * 400),
        with_japanese(title="題" * 300),
    ],
    ids=["urgent", "drill", "5,000 characters", "a long title"],
)
def test_a_card_is_a_square_jpeg_of_a_size_that_is_taken(announcement):
    drawn = draw_card(announcement, "ja")
    picture = Image.open(io.BytesIO(drawn))
    assert (picture.format, picture.size) == ("JPEG", (SIDE, SIDE))
    assert len(drawn) < 1_000_000


@needs_a_font
def test_a_drill_has_another_colour_than_an_alarm():
    corner = {
        mode: Image.open(io.BytesIO(draw_card(notice(mode=mode), "ja"))).getpixel((5, 5))
        for mode in ("live", "drill")
    }
    assert corner["live"] != corner["drill"]


def test_without_a_font_it_is_said_what_to_install(monkeypatch):
    monkeypatch.setattr("channels.fonts.FONTS", ())
    with pytest.raises(NoPicture, match="fonts-noto-cjk"):
        draw_card(notice(), "ja")


def test_its_address_is_that_of_the_notice():
    assert card_address(notice(), "ja") == "https://notice.shibata.example.jp/n/11/card-ja.jpg"
