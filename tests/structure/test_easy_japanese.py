"""やさしい日本語 in everything that residents read: short sentences, a reading for every kanji, no passive.

After the guideline of 出入国在留管理庁 and 文化庁 (在留支援のためのやさしい日本語ガイドライン, 2020): one sentence says one thing,
no passive, readings for kanji, blanks between phrases. The length is ours: what fits on two lines of a phone.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from bot import group_joining, reading
from bot.line import answer_words, inviting, leaving_words, moments, words
from bot.resident import settings_words
from channels import attached, rendering

TEMPLATES = Path(__file__).parents[2] / "bot" / "templates" / "resident"
READING = re.compile("[\u3005\u3006\u4e00-\u9fff]+[（(][\u3041-\u3096ー]+[）)]")
KANJI = re.compile("[\u3005\u3006\u4e00-\u9fff]+")
PASSIVE = re.compile("(?:[かがさたなばまらわ]れ|られ)(?:ます|ました|ません|る|た|て|ない)")
SLOT = re.compile(r"\{[^}]*\}")
# Without readings and blanks.
LONGEST = 40


def texts_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, Mapping):
        for part in value.values():
            yield from texts_in(part)
    elif dataclasses.is_dataclass(value):
        for item in dataclasses.fields(value):
            yield from texts_in(getattr(value, item.name))


def spoken() -> list[str]:
    """Whatever stands under やさしい日本語 in the words of chat, pages, notices and mails."""
    tables = (
        words.WORDS,
        answer_words.ANSWER_WORDS,
        leaving_words.LEAVING_WORDS,
        settings_words.WORDS,
        rendering.WORDINGS,
        attached.WORDS,
        group_joining.ANSWERS,
        reading.THANKS,
        reading.NOT_NEEDED,
        inviting.WORDS,
    )
    return sorted({text for table in tables for text in texts_in(table["ja-easy"]) if text.strip()})


def on_pages() -> list[str]:
    """Of the templates: sentences that already bear readings are meant to be easy."""
    found = set()
    for path in TEMPLATES.glob("*.html"):
        plain = re.sub(r"\{%.*?%\}|\{\{.*?\}\}", "{}", path.read_text(encoding="utf-8"))
        found |= {text.strip() for text in re.split(r"<[^>]*>|\n|\"", plain) if READING.search(text)}
    return sorted(found)


def sentences(text: str) -> list[str]:
    return [part for part in re.split(r"[。\n：:]", text) if part.strip()]


def bare(text: str) -> str:
    """As it is read aloud: without readings and blanks; a slot is filled with something of its own."""
    return re.sub(r"\s|　", "", SLOT.sub("", re.sub(r"[（(][\u3041-\u3096ー]+[）)]", "", text)))


def is_passive(text: str) -> bool:
    # To be born is no passive in Japanese.
    return PASSIVE.search(bare(text).replace("生まれ", "")) is not None


ALL = [*spoken(), *on_pages()]


def test_days_are_read_as_people_say_them():
    assert moments.day_words("ja-easy", "2026-12-06") == "12月（がつ）6日（むいか） 日曜日（にちようび）"
    for day in range(1, 32):
        assert not KANJI.search(READING.sub("", moments.day_words("ja-easy", f"2026-12-{day:02}")))


def test_there_are_texts_to_look_at():
    assert len(spoken()) > 150 and len(on_pages()) > 10


def test_every_kanji_has_its_reading():
    assert [
        (item, KANJI.findall(READING.sub("", item))) for item in ALL if KANJI.search(READING.sub("", item))
    ] == []


def test_no_sentence_is_long():
    assert [item for text in ALL for item in sentences(text) if len(bare(item)) > LONGEST] == []


def test_nothing_is_said_in_the_passive():
    assert [text for text in ALL if is_passive(text)] == []


@pytest.mark.parametrize(
    ("text", "passive"),
    [("お知らせが送られます", True), ("名前を入（い）れてください", False), ("忘（わす）れないで", False)],
)
def test_the_passive_is_known_when_it_is_there(text, passive):
    assert is_passive(text) is passive
