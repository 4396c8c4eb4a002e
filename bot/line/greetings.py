"""What a resident reads on coming and on coming back: who writes, what comes, whom to call, and the next step."""

from __future__ import annotations

from bot.line import bubbles, pages
from bot.line.bubbles import Message
from bot.line.postbacks import data
from bot.line.words import LANGUAGE_TITLE, office_name, words
from content.register.subscribers import Preferences
from content.town import Town


def greeting(town: Town, preferences: Preferences) -> list[Message]:
    """For somebody new: who writes, what comes, whom to call, and the next step."""
    speech = words(preferences.language)
    return [bubbles.text_message(speech.thanks + "\n" + about(town, preferences)), start(preferences)]


def about(town: Town, preferences: Preferences) -> str:
    """Who writes, what comes, whom to call."""
    speech, language = words(preferences.language), preferences.language
    always = speech.join.join(town.category[key].name(language) for key in town.always_categories)
    parts = [
        speech.about.format(office=office_name(town, language), town=town.name_in(language)),
        *([speech.always_come.format(always=always)] if always else []),
        speech.choose_rest,
        "",
        _enquiries(town, language),
        speech.emergency,
    ]
    if language != "en" and "en" in town.languages:
        parts += ["", f"For English, tap “{LANGUAGE_TITLE}”."]
    return "\n".join(parts)


def start(preferences: Preferences) -> Message:
    """The first step and the language, to press."""
    speech = words(preferences.language)
    return bubbles.bubble(
        speech.start_title,
        [
            bubbles.button(
                speech.start, bubbles.postback(speech.start, data("show", "categories")), strong=True
            ),
            pages.language_button(),
        ],
        [],
    )


def welcome_back(town: Town, preferences: Preferences) -> list[Message]:
    speech = words(preferences.language)
    return [bubbles.text_message(speech.welcome_back), pages.summary(town, preferences)]


def _enquiries(town: Town, language: str) -> str:
    return words(language).no_enquiries.format(office=office_name(town, language), phone=town.phone)
