"""Cutting a text into posts: behind a sentence, else behind a phrase, else between two characters as people see them.

A link is never cut. The parts put together are the text again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import regex

# As the services find them: up to the first character that no address holds, Japanese ones included.
LINK = regex.compile(r"https?://[\x21-\x7e]+")
_SENTENCE = regex.compile(r"(?:[^。!?!?\n]|(?<=[A-Za-z0-9])[!?])*(?:[。!?!?]+[」』)\)]*|\n)\s*|[^。!?!?\n]+")
_PHRASE = regex.compile(r"[^、,\s]*[、,]?\s*")
_GRAPHEME = regex.compile(r"\X")

Fits = Callable[[str], bool]


def graphemes(text: str) -> int:
    """How many characters a person sees."""
    return sum(1 for _ in _GRAPHEME.finditer(text))


def split(text: str, fits: Fits, first_fits: Fits | None = None) -> list[str]:
    """Parts that fit without the white space at their ends, as few as this way of cutting gives.

    `first_fits`: the first part has another room, as when a link has to stand beside it.
    """
    first = first_fits or fits
    parts: list[str] = []
    current = ""
    for atom in _atoms(text, lambda piece: first(piece) and fits(piece)):
        room = fits if parts else first
        if current and not room((current + atom).strip()):
            parts.append(current)
            current = ""
        current += atom
    return [*parts, current] if current else parts


def _atoms(text: str, fits: Fits) -> Iterator[str]:
    for sentence in _pieces(text, _SENTENCE):
        if fits(sentence.strip()):
            yield sentence
            continue
        for phrase in _pieces(sentence, _PHRASE):
            if fits(phrase.strip()):
                yield phrase
            else:
                yield from _smallest(phrase, fits)


def _smallest(phrase: str, fits: Fits) -> Iterator[str]:
    for piece in _between_links(phrase):
        if LINK.fullmatch(piece) and fits(piece):
            yield piece
            continue
        for one in _GRAPHEME.findall(piece):
            # Somebody can pile up more signs on one letter than a service takes.
            yield from [one] if fits(one.strip()) else one


def _pieces(text: str, pattern: regex.Pattern[str]) -> Iterator[str]:
    """The matches of a pattern that cover the text, joined where one would end inside a link."""
    inside = [found.span() for found in LINK.finditer(text)]
    start = 0
    for found in pattern.finditer(text):
        end = found.end()
        if end > start and not any(first < end < last for first, last in inside):
            yield text[start:end]
            start = end
    if start < len(text):
        yield text[start:]


def _between_links(text: str) -> Iterator[str]:
    start = 0
    for found in LINK.finditer(text):
        if found.start() > start:
            yield text[start : found.start()]
        yield found.group()
        start = found.end()
    if start < len(text):
        yield text[start:]
