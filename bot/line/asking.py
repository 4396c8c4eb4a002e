"""From what somebody asks for to the messages that answer it. Changes nothing."""

from __future__ import annotations

from collections.abc import Sequence

from bot.line import answer_cards, leaving_pages, pages, town_cards
from bot.line.bubbles import Message
from bot.line.knowledge import TownKnowledge
from bot.line.typed import Asked
from bot.line.wishes import Wish
from content.clock import today_jst
from content.register.subscribers import Preferences
from content.town import Town


def answer_asked(
    town: Town, preferences: Preferences, knowledge: TownKnowledge, asked: Asked, detail: str = ""
) -> list[Message]:
    """`detail` is what a button adds to a wish: the district of the sites, the page of a list."""
    if asked.question:
        return _question(town, preferences.language, knowledge, asked.question)
    if asked.topic:
        return answer_cards.topic(town, preferences, knowledge, asked.topic)
    return _wish(town, preferences, knowledge, asked.wish or Wish.MENU, detail)


def read_wish(values: Sequence[str]) -> tuple[Asked, str] | None:
    """What the data of a button asks for, None for a wish that there is no more."""
    wish, detail = values[0], values[1] if len(values) > 1 else ""
    if wish not in set(Wish):
        return None
    if wish == Wish.FAQ and detail:
        return Asked(question=detail), ""
    return Asked(wish=Wish(wish)), detail


def _wish(
    town: Town, preferences: Preferences, knowledge: TownKnowledge, wish: Wish, detail: str
) -> list[Message]:
    language = preferences.language
    match wish:
        case Wish.CATEGORIES | Wish.SUMMARY | Wish.LANGUAGE:
            return [pages.page(wish, town, preferences, today_jst())]
        case Wish.SHELTERS if detail:
            return town_cards.sites_of_area(town, language, knowledge, detail)
        case Wish.SHELTERS:
            return town_cards.where_to(town, language, knowledge)
        case Wish.DOCTOR:
            return town_cards.doctors(town, language, knowledge)
        case Wish.RECENT:
            return town_cards.latest_notices(town, language, knowledge, _number(detail))
        case Wish.FAQ:
            return answer_cards.questions(town, language, knowledge)
        case Wish.SHARE:
            return answer_cards.share(town, language, knowledge)
        case Wish.STOP:
            return [leaving_pages.stopping(preferences, today_jst())]
        case Wish.CONTACT:
            return [answer_cards.contact(town, language)]
        case Wish.GREETING:
            return answer_cards.greeting(town, language)
    return [answer_cards.menu(town, language, knowledge.settings_link)]


def _question(town: Town, language: str, knowledge: TownKnowledge, key: str) -> list[Message]:
    found = next((item for item in knowledge.questions if item.key == key), None)
    if found is None:
        return answer_cards.questions(town, language, knowledge)
    return answer_cards.answer(town, language, found)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 4 else 0
