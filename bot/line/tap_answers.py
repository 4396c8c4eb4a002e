"""What is answered to a tap that changed a choice, or asked for a page."""

from __future__ import annotations

from bot.line import bubbles, choices, greetings, leaving_pages, pages
from bot.line.bubbles import Message
from bot.line.postbacks import Command
from bot.line.words import words
from content.clock import today_jst
from content.register.subscribers import Preferences
from content.town import Town


def answer(town: Town, command: Command, preferences: Preferences) -> list[Message]:
    """For a choice one line that says what is now so; for a page button, that page."""
    today = today_jst()
    match command.verb, command.values:
        case "show", (step, *number):
            return [pages.page(step, town, preferences, today, _number(number))]
        case "category", (_, key) if town.category[key].always or town.category[key].closed:
            return [pages.categories(town, preferences)]
        case "area", (_, key) if town.area[key].closed:
            return [pages.areas(town, preferences)]
        case (("area" | "category"), (_, key)):
            return pages.changed(town, preferences, command.verb, key)
        case "birth", ("add",) if choices.needs_confirming(command, today):
            return [pages.ask_birth(preferences, command.date[:7])]
        case "stop", _:
            return [leaving_pages.stopping(preferences, today)]
        case "birth", _:
            return [pages.page("birth", town, preferences, today)]
        case "language", _:
            # Whoever could not read the greeting can read it now.
            about = bubbles.text_message(greetings.about(town, preferences))
            return [about, pages.summary(town, preferences)]
    return outdated(town, preferences)


def outdated(town: Town, preferences: Preferences) -> list[Message]:
    note = bubbles.text_message(words(preferences.language).outdated)
    return [note, pages.categories(town, preferences)]


def _number(values: list[str]) -> int:
    return int(values[0]) if values and values[0].isascii() and values[0].isdigit() else 0
