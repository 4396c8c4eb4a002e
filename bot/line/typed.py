"""What a typed text asks for: the words of the house first, then the questions that staff keep, then a guess."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.line.answer_words import ANSWER_WORDS
from bot.line.wishes import Wish, misspelt_wish, plain, topic_for, wish_for, wish_within
from bot.line.words import WORDS
from content.notices.faq import FaqEntry
from content.town import Town

# One letter says nothing, one kanji a whole word: 犬.
SHORTEST_KEYWORD = 2
FIRST_KANJI = "\u4e00"


@dataclass(frozen=True, slots=True)
class Asked:
    """A wish, or a question of the staff's list by its key, or a topic of the town by its key."""

    wish: Wish | None = None
    question: str = ""
    topic: str = ""


def understand(text: str, town: Town, questions: Sequence[FaqEntry]) -> Asked | None:
    """None when there is no telling."""
    if wish := wish_for(text):
        return Asked(wish=wish)
    if question := _question(text, questions):
        return Asked(question=question)
    if wish := wish_within(text):
        return Asked(wish=wish)
    if topic := topic_for(text, town):
        return Asked(topic=topic)
    if wish := misspelt_wish(text):
        return Asked(wish=wish)
    return None


def is_our_own(text: str) -> bool:
    """Whether a machine on the other side sends back what we have said: an answer would come back for ever."""
    return plain(text) in _OUR_OWN


def _question(text: str, questions: Sequence[FaqEntry]) -> str:
    """The entry of which the text holds the longest keyword, or which it repeats; "" for none."""
    typed = plain(text)
    found = [
        (len(word), -index, entry.key)
        for index, entry in enumerate(questions)
        for word in _words(entry)
        if word in typed and (len(word) >= SHORTEST_KEYWORD or word >= FIRST_KANJI)
    ]
    return max(found)[2] if found else ""


def _words(entry: FaqEntry) -> list[str]:
    return [
        *(plain(word) for word in entry.keywords),
        *(plain(words.question) for words in entry.texts.values()),
    ]


_OUR_OWN = frozenset(
    plain(text)
    for text in (
        *(speech.outdated for speech in WORDS.values()),
        *(speech.emergency for speech in WORDS.values()),
        *(speech.not_understood for speech in ANSWER_WORDS.values()),
        *(speech.cannot_see for speech in ANSWER_WORDS.values()),
        *(speech.greeting for speech in ANSWER_WORDS.values()),
        *(speech.where for speech in ANSWER_WORDS.values()),
        *(speech.designated for speech in ANSWER_WORDS.values()),
    )
)
