"""A person at the command line types what things are called: 災害 works as well as saigai."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from typer.testing import Result

from bot.commands.common import NOBODY, USAGE

WORDS = ("--title", "お知らせ", "--body", "本文です。", "--json")


@pytest.mark.parametrize("category", ["saigai", "災害・避難", "災害", " 災害 ", "Disaster"])
def test_a_category_is_its_key_or_its_name(command_line: Callable[..., Result], category: str) -> None:
    done = command_line("notice", "check", "--category", category, *WORDS)
    assert done.exit_code == NOBODY, done.stderr


@pytest.mark.parametrize("category", ["災", "健", "ごみと"])
def test_one_letter_or_another_word_is_not_guessed_at(
    command_line: Callable[..., Result], category: str
) -> None:
    done = command_line("notice", "check", "--category", category, *WORDS)
    assert done.exit_code == USAGE and category in done.output


def test_what_is_neither_is_named_as_it_was_typed(command_line: Callable[..., Result]) -> None:
    done = command_line("notice", "check", "--category", "さいがい", *WORDS)
    assert done.exit_code != 0 and "さいがい" in done.output


def test_rights_and_keys_of_machines_take_names_too(command_line: Callable[..., Result]) -> None:
    made = command_line("token", "add", "水位計", "--category", "災害")
    assert made.exit_code == 0, made.stderr
    (listed,) = json.loads(command_line("token", "list", "--json").stdout)
    assert listed["categories"] == ["saigai"]
