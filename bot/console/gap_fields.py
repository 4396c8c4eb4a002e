"""The gaps of a template as fields: each is asked once, and filled into every language."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from content.gaps import fill_all, gap_names, gaps_of
from content.town import Town
from scheduler.checks import Problem

# This gap fills itself with the districts that were chosen, in each language's own words.
DISTRICTS = "地区"
Texts = Mapping[str, tuple[str, str]]
# (language, name of the gap) → what was typed
Typed = Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True)
class Gap:
    """One gap to ask: what was typed, and the other languages in which it may be said in other words."""

    name: str
    typed: str
    itself: str
    others: tuple[tuple[str, str], ...]


def gaps_to_ask(town: Town, texts: Texts, typed: Typed, areas: Sequence[str]) -> list[Gap]:
    """The gaps that still stand in the texts, in reading order."""
    return [
        Gap(
            name,
            typed.get(("ja", name), ""),
            _districts(town, areas, "ja") if name == DISTRICTS else "",
            tuple(
                (language, typed.get((language, name), ""))
                for language in town.languages
                if language != "ja" and name in gap_names("\n".join(texts.get(language, ("", ""))))
            ),
        )
        for name in gaps_of(texts)
    ]


def filled(town: Town, texts: Texts, typed: Typed, areas: Sequence[str]) -> dict[str, tuple[str, str]]:
    """The texts with what was typed; a gap without words stays."""
    common = {name: words for (language, name), words in typed.items() if language == "ja" and words}
    own: dict[str, dict[str, str]] = {language: {} for language in texts}
    for (language, name), words in typed.items():
        if language in own and words:
            own[language][name] = words
    if areas and DISTRICTS not in common:
        for language, words_of in own.items():
            words_of.setdefault(DISTRICTS, _districts(town, areas, language))
    return fill_all(texts, common, own)


def gap_problems(texts: Texts, calendar_columns: Sequence[str]) -> list[Problem]:
    """The gaps that stand in filled texts, but for those that a calendar fills."""
    return [
        Problem(f"gap.ja.{name}", f"「{name}」を入れてください。文の中の {{{{{name}}}}} に入ります。")
        for name in gaps_of(texts)
        if name not in calendar_columns
    ]


def _districts(town: Town, areas: Sequence[str], language: str) -> str:
    names = [town.area[key].name(language) for key in areas if key in town.area]
    return ("・" if language.startswith("ja") else ", ").join(names)
