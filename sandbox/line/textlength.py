"""How LINE counts characters. LINE documentation, messaging-api/text-character-count."""

from __future__ import annotations

import unicodedata

_ZERO_WIDTH_JOINER = "\u200d"


def utf16_units(text: str) -> int:
    """Length in UTF-16 code units: an emoji outside the basic plane counts two."""
    if text.isascii():
        return len(text)
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def graphemes(text: str) -> int:
    """Length in user-perceived characters.

    Covers combining marks, variation selectors, skin tones, joined emoji and flags; the rest of
    Unicode's segmentation rules (Hangul and Indic syllables) is not needed for the texts here.
    """
    if text.isascii():
        return len(text)
    count, joined, flag_open = 0, False, False
    for char in text:
        if _extends(char):
            joined = char == _ZERO_WIDTH_JOINER
            continue
        is_flag = 0x1F1E6 <= ord(char) <= 0x1F1FF
        continues = joined or (is_flag and flag_open)
        count += not continues
        flag_open = is_flag and not continues
        joined = False
    return count


def _extends(char: str) -> bool:
    return (
        char == _ZERO_WIDTH_JOINER
        or 0x1F3FB <= ord(char) <= 0x1F3FF
        or unicodedata.category(char) in ("Mn", "Me", "Mc")
    )
