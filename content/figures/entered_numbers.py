"""Numbers and days as a person types them into a form: full-width digits and commas are welcome, guesses are not."""

from __future__ import annotations

import re
import unicodedata
from datetime import date

# A figure of a town; more is a slip of the finger.
TOO_MUCH = 1_000_000_000
NUMBER = re.compile(r"\d+(\.\d{1,3})?")
THOUSANDS = re.compile(r"\d{1,3}(,\d{3})+(\.\d{1,3})?")
FIRST_DAY = date(1950, 1, 1)


class BadEntry(ValueError):
    """What was typed is no number or day; the message says what to type instead, in Japanese."""


def read_number(text: str) -> float:
    """0 or more, under 1,000,000,000, three decimals at most. Raises BadEntry."""
    plain = unicodedata.normalize("NFKC", text).strip()
    if THOUSANDS.fullmatch(plain):
        plain = plain.replace(",", "")
    if plain.startswith(("-", "−", "▲", "△")):
        raise BadEntry("0以上の数を入れてください。")
    if not NUMBER.fullmatch(plain):
        raise BadEntry("数だけを入れてください(例: 2300、2,300、62.2)。「約」や単位は入れられません。")
    value = float(plain)
    if value >= TOO_MUCH:
        raise BadEntry("1,000,000,000より小さい数を入れてください。")
    return value


def read_day(text: str, today: date) -> date:
    """A day up to today. Raises BadEntry."""
    try:
        day = date.fromisoformat(unicodedata.normalize("NFKC", text).strip())
    except ValueError:
        raise BadEntry("日付を 2026-03-31 の形で入れてください。") from None
    if day > today:
        raise BadEntry("今日より後の日付は入れられません。")
    if day < FIRST_DAY:
        raise BadEntry("1950年より前の日付は入れられません。")
    return day


def in_words(value: float) -> str:
    """2,300 or 62.2, without a decimal that says nothing."""
    return f"{value:,.3f}".rstrip("0").rstrip(".")
