"""What each language calls itself."""

from __future__ import annotations

LANGUAGE_NAMES = {
    "ja": "日本語",
    "ja-easy": "やさしい日本語",
    "en": "English",
    "zh": "中文",
    "ko": "한국어",
    "vi": "Tiếng Việt",
    "pt": "Português",
    "es": "Español",
    "tl": "Filipino",
    "id": "Bahasa Indonesia",
    "ne": "नेपाली",
    "th": "ไทย",
    "my": "မြန်မာ",
    "uk": "Українська",
}


def language_name(language: str) -> str:
    """The language in its own words."""
    return LANGUAGE_NAMES.get(language, language)
