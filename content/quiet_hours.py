"""Quiet hours (おやすみ時間): when a routine notice waits for the morning instead of ringing.

Written as `21-7`, from the first hour to the second in Japan; `none` for no such time.
"""

from __future__ import annotations

import re
from datetime import timedelta

from content.clock import HOUR, from_datetime, to_jst

NONE = "none"
FORM = re.compile(r"(2[0-3]|1?[0-9])-(2[0-3]|1?[0-9])")


class BadQuietHours(ValueError):
    """Not in the form of quiet hours; the message says what they look like."""


def normalise(text: str) -> str:
    """Their one form. Raises BadQuietHours."""
    text = text.strip()
    if text == NONE:
        return text
    found = FORM.fullmatch(text)
    if found is None or int(found[1]) == int(found[2]):
        raise BadQuietHours("おやすみ時間は 21-7 のように、ちょうどの時刻で書いてください。なしは none です")
    return text


def hours(text: str) -> tuple[int, int] | None:
    """(first hour, hour at which it is over) of a normalised text, None for no such time."""
    found = FORM.fullmatch(text)
    return None if found is None else (int(found[1]), int(found[2]))


def end_of(text: str, now: int) -> int:
    """When the quiet hours that it is in are over, in ms; 0 while it is not in any."""
    found = hours(text)
    if found is None:
        return 0
    first, last = found
    moment = to_jst(now)
    hour = moment.hour
    within = first <= hour < last if first < last else hour >= first or hour < last
    if not within:
        return 0
    day = moment + timedelta(days=1) if hour >= last else moment
    return from_datetime(day.replace(hour=last, minute=0, second=0, microsecond=0))


def began(text: str, now: int) -> int:
    """When the quiet hours that it is in began, in ms; 0 while it is not in any."""
    found, end = hours(text), end_of(text, now)
    return end - (found[1] - found[0]) % 24 * HOUR if found and end else 0


def in_words(text: str) -> str:
    """夜9時から朝7時まで, as a person reads it."""
    found = hours(text)
    return "なし" if found is None else f"{_hour(found[0])}から{_hour(found[1])}まで"


def _hour(hour: int) -> str:
    if hour < 4:
        return f"夜中の{hour}時"
    if hour < 11:
        return f"朝{hour}時"
    if hour < 18:
        return f"昼{hour if hour <= 12 else hour - 12}時"
    return f"夜{hour - 12}時"
