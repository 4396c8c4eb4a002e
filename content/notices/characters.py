"""Which characters the words of a notice may hold: those that a reader sees, and line breaks."""

from __future__ import annotations

import unicodedata

BREAKS = "\n\r\t"
# Zero width joiner and non-joiner: they hold families of emoji together, and letters of some scripts apart.
JOINERS = "\u200c\u200d"
BLACK_FLAG = "\U0001f3f4"
# Letters and signs by their category, and yet a blank on every screen.
BLANKS = "\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0"
SHOWN_FORMATS = "\u0600\u0601\u0602\u0603\u0604\u0605\u06dd\u070f\u08e2"


def is_visible(char: str) -> bool:
    """Whether a screen shows something for this character alone."""
    if char in BLANKS or _is_noncharacter(char):
        return False
    # Marks alone stand on nothing; what Unicode has not named here may be a new emoji.
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Zs", "Zl", "Zp", "Mn", "Me")


def has_visible(text: str) -> bool:
    return any(map(is_visible, text))


def find_invisible(text: str) -> int | None:
    """Where the first character stands that no reader sees and that turns or hides others, None without one."""
    return next((place for place, char in enumerate(text) if _is_hidden(text, place, char)), None)


def _is_hidden(text: str, place: int, char: str) -> bool:
    if (char.isascii() and char.isprintable()) or char in BREAKS or char in SHOWN_FORMATS:
        return False
    before, after = text[place - 1 : place], text[place + 1 : place + 2]
    if char in JOINERS:
        return not (_may_carry(before) and after and is_visible(after))
    if _is_variation(char):
        return not (before and is_visible(before))
    if _is_tag(char):
        return not (before == BLACK_FLAG or (before and _is_tag(before)))
    return unicodedata.category(char) in ("Cc", "Cf", "Cs") or _is_noncharacter(char)


def _may_carry(char: str) -> bool:
    """Whether a joiner may follow: something visible, or a mark or variation that stands on it."""
    return bool(char) and (is_visible(char) or unicodedata.category(char) in ("Mn", "Me"))


def _is_variation(char: str) -> bool:
    # The second range tells the forms of kanji in names apart.
    return "\ufe00" <= char <= "\ufe0f" or "\U000e0100" <= char <= "\U000e01ef"


def _is_tag(char: str) -> bool:
    return "\U000e0020" <= char <= "\U000e007f"


def _is_noncharacter(char: str) -> bool:
    return ord(char) & 0xFFFE == 0xFFFE or "\ufdd0" <= char <= "\ufdef"
