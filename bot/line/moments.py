"""Days and moments as residents read them, in Japan's time."""

from __future__ import annotations

from datetime import date

from bot.pages import MONTHS
from content.clock import to_jst

WEEKDAYS = {
    "ja": ("月", "火", "水", "木", "金", "土", "日"),
    "ja-easy": ("月", "火", "水", "木", "金", "土", "日"),
    "en": ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"),
}


def day_words(language: str, day: str) -> str:
    """2026-12-06 → 12月6日（日）."""
    found = date.fromisoformat(day)
    weekday = WEEKDAYS.get(language, WEEKDAYS["en"])[found.weekday()]
    if language in ("ja", "ja-easy"):
        return f"{found.month}月{found.day}日（{weekday}）"
    return f"{weekday} {found.day} {MONTHS[found.month - 1]}"


def moment_words(language: str, at: int) -> str:
    """12月6日 3:05."""
    moment = to_jst(at)
    if language in ("ja", "ja-easy"):
        return f"{moment.month}月{moment.day}日 {moment.hour}:{moment:%M}"
    return f"{moment.day} {MONTHS[moment.month - 1]}, {moment:%H:%M}"
