"""A further language is one file: whole, it speaks in chat, cards, mails and pages; what is wrong in it is named."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.line import answer_cards, greetings, pages
from bot.line.choices import first_preferences
from bot.resident.settings_words import words_for
from bot.translations import TABLES, BadTranslation, take_in, template
from channels.rendering import sender_line
from tests.bot.line.village import words_of
from tests.channels.announcements import notice
from tests.factories import create_town

TAG = "eo"


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path
    for table in TABLES.values():
        table.pop(TAG, None)


def write(folder: Path, text: str) -> None:
    (folder / f"{TAG}.toml").write_text(text, encoding="utf-8")


def test_one_file_speaks_everywhere(folder: Path) -> None:
    write(folder, template().replace('= "', '= "¡'))
    assert take_in(folder) == [TAG]
    town = create_town()
    said = [
        *greetings.greeting(town, first_preferences(town, TAG)),
        answer_cards.menu(town, TAG),
        pages.categories(town, first_preferences(town, TAG)),
    ]
    assert all("¡" in words_of(message) for message in said)
    assert sender_line(notice(), TAG).startswith("¡")
    assert words_for(TAG).title == "¡Your notice settings"
    assert all(table[TAG] != table["en"] for table in TABLES.values())


@pytest.mark.parametrize(
    ("wrong", "right", "said"),
    [
        ("", 'settings_page = "Open the settings page"\n', r"eo.toml: chat: missing: settings_page"),
        (
            'start = "Start settings"\nmore = "x"\n',
            'start = "Start settings"\n',
            r"chat: missing: -; not known: more",
        ),
        ("{nomo}", "{town} sends its notices on LINE", r"answers: share_text: text with \{town\} \{link\}"),
        ("= 5", '= "Start settings"', r"chat: start: text without slots"),
        ("[chat", "[chat]", r"eo.toml: "),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_taken_in(
    folder: Path, wrong: str, right: str, said: str
) -> None:
    assert right in template()
    write(folder, template().replace(right, wrong, 1))
    with pytest.raises(BadTranslation, match=said):
        take_in(folder)
    assert not any(TAG in table for table in TABLES.values())
