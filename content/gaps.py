"""Gaps (空欄) in the words of a template: `{{避難所}}` is asked once and filled in every language."""

from __future__ import annotations

import re
from collections.abc import Mapping

GAP = re.compile(r"\{\{[ \u3000]*([^{}\n]{1,40}?)[ \u3000]*\}\}")
BRACES = re.compile(r"\{\{.{0,12}|.{0,12}\}\}")


def gap_names(text: str) -> list[str]:
    """The names of its gaps, in the order of their first place."""
    return list(dict.fromkeys(GAP.findall(text)))


def gaps_of(texts: Mapping[str, tuple[str, str]]) -> list[str]:
    """The gaps of all languages, those of Japanese first."""
    ordered = sorted(texts, key=lambda language: language != "ja")
    return gap_names("\n".join(part for language in ordered for part in texts[language]))


def broken_gap(text: str) -> str:
    """The first pair of braces that makes no gap, "" when there is none."""
    found = BRACES.search(GAP.sub("", text))
    return found[0] if found else ""


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with the gaps that have a value filled; the others stay."""
    return GAP.sub(lambda gap: values.get(gap[1]) or gap[0], text)


def fill_all(
    texts: Mapping[str, tuple[str, str]],
    values: Mapping[str, str],
    own: Mapping[str, Mapping[str, str]] | None = None,
) -> dict[str, tuple[str, str]]:
    """Every language with the same values; `own` are those that a language has in its own words."""
    found = {}
    for language, (title, body) in texts.items():
        mine = {**values, **{name: value for name, value in (own or {}).get(language, {}).items() if value}}
        found[language] = (fill(title, mine), fill(body, mine))
    return found
