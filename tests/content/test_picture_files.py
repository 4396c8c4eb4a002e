"""What becomes of a file that somebody sends as a picture."""

from __future__ import annotations

import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from content.notices import picture_files
from content.notices.attachments import PICTURE_NAME, size_of
from content.notices.picture_files import BadPicture, clean_picture
from tests import picture_files as files

SVG = b'<?xml version="1.0"?><svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def opened(octets: bytes) -> Image.Image:
    return clean_image(clean_picture(octets).content)


def colour(image: Image.Image, across: int, down: int) -> tuple[int, ...]:
    found = image.getpixel((across, down))
    assert isinstance(found, tuple)
    return found


def clean_image(content: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


@pytest.mark.parametrize(
    ("octets", "says"),
    [
        (SVG, "JPEGかPNG"),
        (b"<!DOCTYPE html><script>alert(1)</script>", "JPEGかPNG"),
        (b"%PDF-1.7 ...", "JPEGかPNG"),
        (b"GIF89a" + bytes(40), "JPEGかPNG"),
        (b"", "JPEGかPNG"),
        (files.bomb(), "縦横が大きすぎます"),
        (files.bomb(30_000, 10), "縦横が大きすぎます"),
        (files.bomb(8_000, 8_000), "読めません"),
        (files.moving(), "動く画像"),
        (files.png()[:300], "読めません"),
        (files.jpeg()[:2_000], "読めません"),
        (files.png() + bytes(picture_files.FILE_LIMIT), "ファイルが大きすぎます"),
    ],
    ids=["svg", "html", "pdf", "gif", "empty", "bomb", "strip", "hollow", "moving", "png", "jpeg", "50MB"],
)
def test_what_cannot_be_shown_is_refused_with_the_remedy(octets: bytes, says: str) -> None:
    with pytest.raises(BadPicture) as refused:
        clean_picture(octets)
    assert says in str(refused.value)


def test_nothing_of_a_photo_is_kept_but_what_is_to_be_seen() -> None:
    octets = files.photo()
    assert b"SecretPhone" in octets and b"SecretComment" in octets
    clean = clean_picture(octets)
    assert b"Secret" not in clean.content and b"Exif" not in clean.content
    image = clean_image(clean.content)
    assert not image.getexif() and not {"exif", "comment", "icc_profile", "xmp"} & set(image.info)


def test_a_photo_stands_upright() -> None:
    # Turned by a quarter to the right, the red corner goes from the left to the right.
    image = opened(files.photo(orientation=6)).convert("RGB")
    assert image.size == (600, 800)
    assert colour(image, 500, 100)[0] > 150 and colour(image, 500, 100)[1] < 80
    assert min(colour(image, 100, 700)) > 200


@pytest.mark.parametrize("size", [(4_000, 3_000), (300, 5_000), (1_024, 1_024), (20, 30)])
def test_a_picture_is_no_larger_than_it_is_shown_and_never_made_larger(size: tuple[int, int]) -> None:
    clean = clean_picture(files.jpeg(size))
    shrunk = min(1.0, 1_024 / max(size))
    assert abs(clean.width - size[0] * shrunk) <= 1 and abs(clean.height - size[1] * shrunk) <= 1
    assert clean_image(clean.content).size == (clean.width, clean.height) == size_of(clean.name)


def test_what_is_transparent_is_white_and_a_printers_colours_are_those_of_a_screen() -> None:
    see_through = Image.new("RGBA", (50, 50), (0, 0, 0, 0))
    octets = io.BytesIO()
    see_through.save(octets, "PNG")
    assert opened(octets.getvalue()).convert("RGB").getpixel((10, 10)) == (255, 255, 255)
    printed = opened(files.jpeg(mode="CMYK"))
    assert printed.mode == "RGB"
    red, green, _ = colour(printed, 50, 50)
    assert red > 150 and green < 90


def test_sixteen_bits_of_grey_stay_grey() -> None:
    image = opened(files.grey_of_16_bits()).convert("L")
    assert image.getpixel((5, 5)) == 255 and image.getpixel((60, 5)) == 0


def test_a_drawing_stays_sharp_and_a_photo_is_small() -> None:
    assert clean_picture(files.png()).suffix == "png"
    noise = Image.effect_noise((1_000, 1_000), 90).convert("RGB")
    octets = io.BytesIO()
    noise.save(octets, "PNG")
    clean = clean_picture(octets.getvalue())
    assert clean.suffix == "png" or len(clean.content) < len(octets.getvalue())


def test_the_same_picture_has_the_same_name() -> None:
    first, again = clean_picture(files.jpeg()), clean_picture(files.jpeg())
    assert first.name == again.name and PICTURE_NAME.fullmatch(first.name)
    assert clean_picture(files.jpeg((640, 482))).name != first.name


@settings(max_examples=60)
@given(st.data())
def test_a_damaged_file_is_refused_or_shown_and_nothing_else(data: st.DataObject) -> None:
    octets = bytearray(data.draw(st.sampled_from([files.photo(), files.png((60, 40)), files.moving()])))
    for _ in range(data.draw(st.integers(1, 8))):
        octets[data.draw(st.integers(0, len(octets) - 1))] = data.draw(st.integers(0, 255))
    try:
        clean = clean_picture(bytes(octets[: data.draw(st.integers(1, len(octets)))]))
    except BadPicture as refused:
        assert str(refused)
    else:
        assert max(clean.width, clean.height) <= picture_files.LONGEST_SIDE
