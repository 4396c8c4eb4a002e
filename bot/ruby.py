"""Readings above the kanji: 漢字(かんじ) of やさしい日本語, in HTML that is ready.

Only what stands in the text of a page; a title, an option or a field shows no ruby and keeps its brackets.
"""

from __future__ import annotations

import re

from markupsafe import Markup, escape

# Kanji, 々 and 〆, then hiragana alone in brackets: 施設(プール) is no reading.
READING = re.compile("([\u3005\u3006\u4e00-\u9fff]+)[（(]([\u3041-\u3096ー]+)[）)]")
RUBY = r"<ruby>\1<rp>(</rp><rt>\2</rt><rp>)</rp></ruby>"
TAG = re.compile(r"(<[^>]*>)")
PLAIN_INSIDE = ("title", "option", "textarea", "script", "style")


def ruby(text: str) -> Markup:
    """Of a text, or of markup whose tags hold no readings."""
    return Markup(READING.sub(RUBY, str(escape(text))))  # noqa: S704 - escaped here


def with_ruby(html: str) -> str:
    """Of a whole page."""
    parts, plain = TAG.split(html), ""
    for index, part in enumerate(parts):
        if index % 2 == 0:
            parts[index] = part if plain else READING.sub(RUBY, part)
        elif plain:
            plain = "" if part.startswith(f"</{plain}") else plain
        else:
            plain = next((name for name in PLAIN_INSIDE if re.match(rf"<{name}\b", part)), "")
    return "".join(parts)
