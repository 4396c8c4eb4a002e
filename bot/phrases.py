"""Where a line may break: Japanese by phrases (BudouX), so that 船岡 is never cut in two; other languages between words."""

from __future__ import annotations

from functools import cache

import budoux
from markupsafe import Markup, escape


def phrases(text: str, language: str) -> tuple[str, ...]:
    """Pieces that stay on one line: by BudouX in Japanese, words elsewhere."""
    if language.startswith("ja"):
        return tuple(_japanese().parse(text))
    return tuple(f"{word} " for word in text.split())


def phrased(text: str, language: str) -> Markup:
    """A heading for a page: it may break between phrases alone. やさしい日本語 has blanks there already."""
    if language != "ja":
        return escape(text)
    return Markup('<span class="phrased">{}</span>').format(
        Markup("<wbr>").join(escape(phrase) for phrase in phrases(text, language))
    )


@cache
def _japanese() -> budoux.Parser:
    return budoux.load_default_japanese_parser()
