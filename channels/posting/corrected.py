"""What is written over a post that a correction or withdrawal speaks of, where the service lets us."""

from __future__ import annotations

from channels.channel import Announcement
from channels.rendering import mark_words

WORDS = {
    "ja": "このお知らせは訂正しました。正しい内容はこちら:\n{link}",
    "ja-easy": "この お知(し)らせは まちがいが ありました。正(ただ)しい お知(し)らせは こちら:\n{link}",
    "en": "This notice has been corrected. Please read:\n{link}",
}


def corrected_words(announcement: Announcement, language: str, link: str) -> str:
    """`link` leads to the correction."""
    words = WORDS.get(language, WORDS["en"]).format(link=link).strip()
    return mark_words(announcement, language) + words
