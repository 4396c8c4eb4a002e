"""朝のまとめ: several notices as one, by their titles, first words and pages. Channels render it like any other."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from channels.channel import Announcement, Text
from channels.rendering import category_name, clean, cut, title, utf16_length

# As long as LINE shows a text in one card; a day with more is told by titles and pages.
LIMIT = 1_900
EXCERPT = 140


@dataclass(frozen=True, slots=True)
class DigestWords:
    title: str
    category: str
    more: str


WORDS = {
    "ja": DigestWords("朝のまとめ（お知らせ{number}件）", "朝のまとめ", "くわしく見る"),
    "ja-easy": DigestWords(
        "朝（あさ）の まとめ（{number}つの お知（し）らせ）", "朝（あさ）の まとめ", "くわしく 見（み）る"
    ),
    "en": DigestWords("Morning digest ({number} notices)", "Morning digest", "Read more"),
}


def as_digest(announcements: Sequence[Announcement], language: str) -> Announcement:
    """The newest last, and in its place: its numbers are those of the message."""
    words = WORDS.get(language) or WORDS["en"]
    body = next(
        text
        for excerpt in (EXCERPT, 60, 0)
        if utf16_length(text := _body(announcements, language, words, excerpt)) <= LIMIT or not excerpt
    )
    return replace(
        announcements[-1],
        category_names=dict.fromkeys((language, "ja"), words.category),
        texts=tuple(
            Text(tag, words.title.format(number=len(announcements)), body)
            for tag in dict.fromkeys((language, "ja"))
        ),
        url="",
        pictures=(),
        place=None,
        expires_at=None,
    )


def _body(announcements: Sequence[Announcement], language: str, words: DigestWords, excerpt: int) -> str:
    return "\n\n".join(
        _item(number, announcement, language, words, excerpt)
        for number, announcement in enumerate(announcements, 1)
    )


def _item(number: int, announcement: Announcement, language: str, words: DigestWords, excerpt: int) -> str:
    first = " ".join(clean(announcement.text(language).body).split())
    lines = [
        f"{number}. {title(announcement, language)}（{category_name(announcement, language)}）",
        cut(first, excerpt),
        f"{words.more}: {announcement.url}" if announcement.url else "",
    ]
    return "\n".join(filter(None, lines))
