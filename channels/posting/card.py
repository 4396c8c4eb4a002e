"""A notice as a picture, for services that show nothing without one: heading and words on a square, as JPEG."""

from __future__ import annotations

import io
from typing import Any

from channels.channel import Announcement
from channels.fonts import japanese_font
from channels.posting.splitting import split
from channels.rendering import body, category_name, heading, sender_line

SIDE, MARGIN = 1080, 72
BAND = 150
LARGEST, SMALLEST = 68, 34
TITLE = 1.25
LEADING = 1.5
INK, PAPER, QUIET = "#1a1a1a", "#ffffff", "#4a4f57"
BANDS = {"urgent": "#b3261e", "routine": "#0b4f9c", "drill": "#5b2d86"}


class NoPicture(Exception):
    """Nothing can be drawn on this machine; the message says what to install."""


def card_address(announcement: Announcement, language: str) -> str:
    """Where everybody can fetch it."""
    return f"{announcement.url}/card-{language}.jpg"


def draw_card(announcement: Announcement, language: str) -> bytes:
    """A JPEG of 1080 by 1080, far below the 8 MB that are taken. Raises NoPicture."""
    from PIL import Image, ImageDraw

    font = japanese_font()
    if font is None:
        raise NoPicture("日本語の書体がありません。`apt-get install fonts-noto-cjk` で入れてください。")
    picture = Image.new("RGB", (SIDE, SIDE), PAPER)
    pen = ImageDraw.Draw(picture)
    ground = BANDS["drill"] if announcement.mode != "live" else BANDS[announcement.urgency]
    pen.rectangle((0, 0, SIDE, BAND), fill=ground)
    _write(pen, (MARGIN, 46), [category_name(announcement, language)], _font(font, 50), PAPER)
    foot = sender_line(announcement, language).split("\n")
    below = SIDE - MARGIN // 2 - 44 * len(foot)
    _write(pen, (MARGIN, below), foot, _font(font, 28), QUIET)
    title, words = heading(announcement, language), body(announcement, language)
    _fill(pen, font, title, words, BAND + 44, below - 30)
    written = io.BytesIO()
    picture.save(written, format="JPEG", quality=88, optimize=True)
    return written.getvalue()


def _fill(pen: Any, font: Any, title: str, words: str, top: int, bottom: int) -> None:
    """As large as the words allow; what does not fit even small is cut, since it stands beside the picture."""
    for size in range(LARGEST, SMALLEST - 1, -4):
        large, plain = _font(font, round(size * TITLE)), _font(font, size)
        heads, lines = _lines(title, large), _lines(words, plain)
        height = len(heads) * large.size * LEADING + 24 + len(lines) * plain.size * LEADING
        if height <= bottom - top or size - 4 < SMALLEST:
            break
    place = _write(pen, (MARGIN, top), heads, large, INK) + 24
    room = max(0, int((bottom - place) // (plain.size * LEADING)))
    if len(lines) > room:
        lines = [*lines[: max(0, room - 1)], "…"] if room else []
    _write(pen, (MARGIN, place), lines, plain, INK)


def _write(pen: Any, at: tuple[float, float], lines: list[str], font: Any, colour: str) -> float:
    x, y = at
    for line in lines:
        pen.text((x, y), line, font=font, fill=colour)
        y += font.size * LEADING
    return y


def _lines(text: str, font: Any) -> list[str]:
    room = SIDE - 2 * MARGIN
    return [
        piece.strip()
        for line in text.split("\n")
        for piece in (split(line, lambda part: font.getlength(part) <= room) or [""])
    ]


def _font(path: Any, size: int) -> Any:
    from PIL import ImageFont

    return ImageFont.truetype(str(path), size)
