"""Every command that a page tells somebody to type is there, with its options: a page that leads nowhere is a dead end."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.cli import COMMANDS, load

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("sandbox/*.md"), *ROOT.glob("examples/**/*.md")]
)
FENCE = re.compile(r"^```[a-z]*\n(.*?)^```", re.M | re.S)
# A line of its own, or what stands between two backticks. History may name what is gone.
TYPED = re.compile(r"(?:^|\s)(?:\.venv/bin/)?(kairanban [a-z][^\n|>&;]*)")
INLINE = re.compile(r"`(?:\.venv/bin/)?(kairanban [a-z][^`\n]*)`")


def typed(page: Path) -> Iterator[str]:
    text = page.read_text(encoding="utf-8").replace("\\\n", " ")
    for block in FENCE.findall(text):
        for line in block.splitlines():
            yield from TYPED.findall(line.split(" #")[0])
    yield from INLINE.findall(FENCE.sub("", text))


FOUND = [(page.name, words) for page in PAGES if page.name != "CHANGELOG.md" for words in typed(page)]


def unknown(words: str) -> str:
    """What of it is not there; "" when all is."""
    name, *tokens = shlex.split(words)[1:]
    if name not in COMMANDS:
        return name
    command = load(name)
    while hasattr(command, "commands") and tokens and re.fullmatch(r"[a-z][a-z-]*", tokens[0]):
        name = tokens.pop(0)
        if name not in command.commands:
            return name
        command = command.commands[name]
    options = {opt for param in command.params for opt in (*param.opts, *param.secondary_opts)} | {"--help"}
    return " ".join(word for word in tokens if word.startswith("--") and word.split("=")[0] not in options)


def test_pages_tell_of_commands() -> None:
    assert len(FOUND) > 100
    assert unknown("kairanban notice nothing 5") == "nothing"
    assert unknown("kairanban key retire 1 --now") == "--now"


@pytest.mark.parametrize("page", sorted({name for name, _ in FOUND}))
def test_every_command_of_a_page_is_there(page: str) -> None:
    wrong = {words: what for name, words in FOUND if name == page and (what := unknown(words))}
    assert wrong == {}
