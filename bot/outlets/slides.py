"""What a display shows: which notices, in which languages, cut into screens that can be read from a few metres away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import regex
from markupsafe import Markup

from bot.outlets.cap import LASTS
from bot.outlets.current import Current, areas_of
from bot.phrases import phrases
from bot.qr_codes import qr_code
from channels import rendering
from content.clock import DAY, HOUR, today_jst
from content.notices.displays import Display, DisplayAudience
from content.notices.states import NoticeKind
from content.town import Town, Urgency

MOST_NOTICES = 10
# Screens of one notice in one language; the rest is behind its QR code.
MOST_SCREENS = 5
ROUTINE_LASTS = 14 * DAY
# That an alarm is over has to be said, but not all day.
WITHDRAWAL_LASTS = HOUR
# Characters on one screen: of Japanese, and of a script of letters.
CHARACTERS, LETTERS = 84, 200
LONG_TITLE = 26
SENTENCE = regex.compile(r"[^。！？\n]*[。！？]+|[^。！？\n]+|\n")


@dataclass(frozen=True, slots=True)
class Slide:
    """One screen. Titles and lines are phrases that are not broken inside. `ends_in`: seconds until the notice ends."""

    language: str
    category: str
    title: tuple[str, ...]
    lines: tuple[tuple[str, ...], ...]
    sent: int
    turn: str
    urgent: bool
    is_long: bool
    ends_in: int | None
    goes_on: bool
    code: Markup


def fitting(town: Town, display: Display, found: Iterable[Current], now: int) -> list[Current]:
    """What this display shows now: what is urgent alone, if anything is; else the newest of the rest."""
    here = [item for item in found if item.since is None and _is_for(town, display, item)]
    urgent = [item for item in here if _is_urgent(item) and now < _until(item)]
    routine = [item for item in here if not _is_urgent(item) and now < _until(item)]
    return urgent or routine[:MOST_NOTICES]


def slides(display: Display, found: Sequence[Current], now: int) -> list[Slide]:
    return [
        slide
        for item in found
        for language in _languages(display, item)
        for slide in _screens(item, language, now)
    ]


def deck_name(shown: Sequence[Slide]) -> str:
    """Another one whenever something else is shown."""
    said = [(item.language, item.title, item.lines, item.urgent) for item in shown]
    return hashlib.sha256(repr(said).encode("utf-8", "replace")).hexdigest()[:16]


def screens(body: str, language: str) -> list[str]:
    """The body in parts of one screen each: at the ends of sentences, where these are short enough."""
    most = CHARACTERS if language.startswith("ja") else LETTERS
    parts = [""]
    for sentence in SENTENCE.findall(body):
        for piece in _pieces(sentence, language, most):
            if parts[-1].strip() and len(parts[-1]) + len(piece) > most:
                parts.append("")
            parts[-1] += piece
    return [part.strip() for part in parts if part.strip()]


def _pieces(sentence: str, language: str, most: int) -> Iterable[str]:
    """A sentence that fits, or its parts: by phrases, and where one of them is too long by what a person sees as a character."""
    if len(sentence) <= most:
        yield sentence
        return
    for phrase in phrases(sentence, language):
        if len(phrase) <= most:
            yield phrase
        else:
            yield from regex.findall(r"\X", phrase)


def _screens(item: Current, language: str, now: int) -> Iterable[Slide]:
    title = rendering.heading(item.announced, language)
    parts = screens(rendering.body(item.announced, language), language) or [""]
    shown = parts[:MOST_SCREENS]
    expires = item.notice.spec.expires
    code = qr_code(item.url)
    for number, part in enumerate(shown, 1):
        yield Slide(
            language=language,
            category=rendering.category_name(item.announced, language),
            title=phrases(title, language),
            lines=tuple(phrases(line, language) for line in part.splitlines() if line.strip()),
            sent=item.sent,
            turn=f"{number}/{len(shown)}" if len(shown) > 1 else "",
            urgent=_is_urgent(item),
            is_long=len(title) > LONG_TITLE,
            ends_in=None if expires is None else max(0, (expires - now) // 1000),
            goes_on=number == MOST_SCREENS < len(parts),
            code=code,
        )


def _languages(display: Display, item: Current) -> list[str]:
    """Every language when there is danger, Japanese for citizens, and what visitors can read for visitors."""
    there = [text.language for text in item.announced.texts]
    if _is_urgent(item):
        return there
    if display.audience == DisplayAudience.CITIZENS:
        return ["ja"]
    return [language for language in there if language != "ja-easy"]


def _meets(town: Town, place: str, areas: list[str]) -> bool:
    today = today_jst()
    return any(place in town.reach("area", key, today) for key in areas)


def _is_for(town: Town, display: Display, item: Current) -> bool:
    areas = areas_of(town, item.notice)
    # A display of a district that was split or merged shows what stands for it.
    if display.place and areas and not _meets(town, display.place, areas):
        return False
    if _is_urgent(item) or display.audience == DisplayAudience.CITIZENS:
        return True
    return any(not text.language.startswith("ja") for text in item.announced.texts)


def _is_urgent(item: Current) -> bool:
    return item.notice.spec.urgency == Urgency.URGENT


def _until(item: Current) -> int:
    spec = item.notice.spec
    if item.notice.kind == NoticeKind.WITHDRAWAL:
        lasts = WITHDRAWAL_LASTS
    else:
        lasts = LASTS if _is_urgent(item) else ROUTINE_LASTS
    ends = [item.sent + lasts] if spec.expires is None or not _is_urgent(item) else []
    event = spec.attached.event
    over = [event.ends or event.starts + DAY] if event else []
    return min(*ends, *over, spec.expires or item.sent + 10 * ROUTINE_LASTS, item.sent + 10 * ROUTINE_LASTS)
