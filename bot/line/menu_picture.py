"""The picture of a menu: large words on plain tiles, drawn here. Japanese letters come from the system's fonts."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from channels.fonts import japanese_font

LARGEST, SMALLEST = 150, 60
BELOW, SMALLEST_BELOW = 0.5, 36
MARGIN, GAP = 60, 14
WHITE, LINE = "#FFFFFF", "#C9D6CE"


class NoPicture(Exception):
    """Nothing can be drawn on this machine; the message says what to install."""


@dataclass(frozen=True, slots=True)
class Tile:
    """A rectangle with a word, and a second one in small letters below it."""

    left: int
    top: int
    width: int
    height: int
    word: str
    below: str
    ground: str


def draw(width: int, height: int, tiles: Sequence[Tile]) -> bytes:
    """A PNG of few colours, far below the megabyte that LINE takes. Raises NoPicture."""
    try:
        from PIL import Image, ImageDraw
    except ImportError as error:
        raise NoPicture("Pillow がありません。`make install` をもう一度実行してください。") from error
    font = find_font()
    picture = Image.new("RGB", (width, height), LINE)
    pen = ImageDraw.Draw(picture)
    for tile in tiles:
        box = (
            tile.left + GAP // 2,
            tile.top + GAP // 2,
            tile.left + tile.width - GAP // 2,
            tile.top + tile.height - GAP // 2,
        )
        pen.rounded_rectangle(box, radius=40, fill=tile.ground)
        middle = (tile.left + tile.width // 2, tile.top + tile.height // 2)
        _write(pen, font, middle, tile)
    written = io.BytesIO()
    picture.quantize(64).save(written, format="PNG", optimize=True)
    return written.getvalue()


def find_font() -> Path:
    """Raises NoPicture with the remedy."""
    found = japanese_font()
    if found is None:
        raise NoPicture(
            "日本語の書体が見つからず、メニューの絵を描けません。`apt-get install fonts-noto-cjk` で入れてください。"
        )
    return found


def _write(pen: Any, font: Path, middle: tuple[int, int], tile: Tile) -> None:
    from PIL import ImageFont

    room = tile.width - 2 * MARGIN
    lines = tile.word.split("\n")
    size = LARGEST
    while size > SMALLEST and any(
        ImageFont.truetype(str(font), size).getlength(line) > room for line in lines
    ):
        size -= 6
    large, small = ImageFont.truetype(str(font), size), ImageFont.truetype(str(font), int(size * BELOW))
    shift = int(size * BELOW) if tile.below else 0
    pen.multiline_text(
        (middle[0], middle[1] - shift), tile.word, font=large, fill=WHITE, anchor="mm", align="center"
    )
    if tile.below:
        while small.size > SMALLEST_BELOW and small.getlength(tile.below) > room:
            small = ImageFont.truetype(str(font), small.size - 4)
        at = (middle[0], middle[1] + int(size * len(lines) * 0.6))
        pen.text(at, tile.below, font=small, fill=WHITE, anchor="ma")
