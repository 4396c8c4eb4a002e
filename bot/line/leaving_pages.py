"""The cards for less: the four ways in the order of what they keep, and one's own data."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from bot.line import bubbles
from bot.line.bubbles import FlexElement, Message
from bot.line.leaving_words import leaving_words
from bot.line.moments import day_words
from bot.line.postbacks import data
from content.register.children import Child
from content.register.states import Pace
from content.register.subscribers import UNTIL_CHANGED, Preferences

PAUSES = (7, 30, 90)


def stopping(preferences: Preferences, today: date) -> Message:
    """Less than everything first; what stopping everything means stands before the button for it."""
    speech = leaving_words(preferences.language)
    resume = [_button(speech.resume, "stop", "resume")] if preferences.is_paused(today) else []
    return bubbles.bubble(
        speech.title,
        [
            *resume,
            bubbles.button(speech.fewer, bubbles.postback(speech.fewer, data("show", "categories"))),
            _button(speech.only, "stop", "only"),
            _button(speech.at_once, "stop", "pace", Pace.AT_ONCE)
            if preferences.pace == Pace.MORNING
            else _button(speech.morning, "stop", "pace", Pace.MORNING),
            _button(speech.pause, "stop", "pause"),
            _button(speech.stop, "stop", "all"),
            _button(speech.mine, "stop", "mine"),
            bubbles.note(speech.block),
        ],
        [],
    )


def ask_pause(preferences: Preferences) -> list[Message]:
    speech = leaving_words(preferences.language)
    actions = [
        bubbles.postback(speech.days.format(number=days), data("stop", "pause", days)) for days in PAUSES
    ]
    return bubbles.with_quick_replies([bubbles.text_message(speech.pause_ask)], actions)


def ask_stop(preferences: Preferences) -> Message:
    speech = leaving_words(preferences.language)
    return _ask(preferences, speech.stop, speech.stop_warning, speech.stop_yes, "all_yes")


def ask_erase(preferences: Preferences) -> Message:
    speech = leaving_words(preferences.language)
    return _ask(preferences, speech.erase, speech.erase_warning, speech.erase_yes, "erase_yes")


def mine(preferences: Preferences) -> Message:
    speech = leaving_words(preferences.language)
    return bubbles.bubble(
        speech.mine,
        [bubbles.paragraph(speech.mine_hint)],
        [_button(speech.export, "stop", "export"), _button(speech.erase, "stop", "erase")],
    )


def stopped(preferences: Preferences, said: str) -> list[Message]:
    """That nothing comes any more, with the way back."""
    speech = leaving_words(preferences.language)
    undo = bubbles.postback(speech.undo, data("stop", "undo"))
    return bubbles.with_quick_replies([bubbles.text_message(said)], [undo])


def paused(preferences: Preferences) -> list[Message]:
    """Until when only what is life-critical comes, or that everything comes again."""
    speech, until = leaving_words(preferences.language), preferences.paused_until
    if until is None:
        return [bubbles.text_message(speech.resumed)]
    said = (
        speech.paused_open
        if until == UNTIL_CHANGED
        else speech.paused.format(day=day_words(preferences.language, until.isoformat()))
    )
    resume = bubbles.postback(speech.resume, data("stop", "resume"))
    return bubbles.with_quick_replies([bubbles.text_message(said)], [resume])


def child_lines(language: str, children: Sequence[Child], months: Sequence[str]) -> list[str]:
    """Each child with what she calls it."""
    speech = leaving_words(language)
    return [
        f"{speech.child.format(number=child.number)} {month} {child.word}".strip()
        for child, month in zip(children, months, strict=True)
    ]


def _ask(preferences: Preferences, title: str, warning: str, yes: str, verb: str) -> Message:
    speech = leaving_words(preferences.language)
    keep = bubbles.button(speech.keep, bubbles.postback(speech.keep, data("ask", "stop")), strong=True)
    return bubbles.bubble(title, [bubbles.strong(warning)], bubbles.grid([keep, _button(yes, "stop", verb)]))


def _button(label: str, *values: str) -> FlexElement:
    return bubbles.button(label, bubbles.postback(label, data(*values)))
