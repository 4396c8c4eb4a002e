"""Days and moments as residents read them, in Japan's time."""

from __future__ import annotations

from datetime import date

from bot.pages import MONTHS
from content.clock import to_jst

WEEKDAYS = {
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
    "ja-easy": (
        "月曜日（げつようび）",
        "火曜日（かようび）",
        "水曜日（すいようび）",
        "木曜日（もくようび）",
        "金曜日（きんようび）",
        "土曜日（どようび）",
        "日曜日（にちようび）",
    ),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}

# 日 is read in its own way on these; on all others にち.
DAYS = {
    1: "ついたち",
    2: "ふつか",
    3: "みっか",
    4: "よっか",
    5: "いつか",
    6: "むいか",
    7: "なのか",
    8: "ようか",
    9: "ここのか",
    10: "とおか",
    14: "じゅうよっか",
    20: "はつか",
    24: "にじゅうよっか",
}


def day_words(language: str, day: str) -> str:
    """2026-12-06 → 12月6日（日）."""
    found = date.fromisoformat(day)
    weekday = WEEKDAYS.get(language, WEEKDAYS["en"])[found.weekday()]
    if language == "ja-easy":
        return f"{_easy_day(found)} {weekday}"
    if language == "ja":
        return f"{found.month}月{found.day}日（{weekday}）"
    return f"{weekday} {found.day} {MONTHS[found.month - 1]}"


def moment_words(language: str, at: int) -> str:
    """12月6日 3:05."""
    moment = to_jst(at)
    if language == "ja-easy":
        return f"{_easy_day(moment.date())} {moment.hour}:{moment:%M}"
    if language == "ja":
        return f"{moment.month}月{moment.day}日 {moment.hour}:{moment:%M}"
    return f"{moment.day} {MONTHS[moment.month - 1]}, {moment:%H:%M}"


def _easy_day(day: date) -> str:
    """12月（がつ）6日（むいか）, with the reading behind each of the two."""
    return f"{day.month}月（がつ）{day.day}日（{DAYS.get(day.day, 'にち')}）"
