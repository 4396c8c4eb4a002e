"""The command starts quickly and imports what it runs."""

from __future__ import annotations

import subprocess
import sys
from importlib.metadata import version

import pytest

from bot.cli import COMMANDS, load

HEAVY = ("sqlalchemy", "aiohttp", "linebot", "alembic", "asyncpg", "holidays", "cryptography")


def imported(*words: str) -> set[str]:
    """Which of the heavy libraries a command has imported when it ends."""
    asked = (
        "import sys\nfrom bot.cli import main\nsys.argv = ['kairanban', *sys.argv[1:]]\n"
        "try:\n    main()\nexcept SystemExit:\n    pass\n"
        "print('imported:', *sys.modules, file=sys.stderr)"
    )
    ended = subprocess.run([sys.executable, "-c", asked, *words], capture_output=True, text=True, check=True)
    return set(HEAVY) & set(ended.stderr.rpartition("imported:")[2].split())


@pytest.mark.parametrize("words", ["--help", "--version"])
def test_what_needs_no_library_imports_none(words: str) -> None:
    assert imported(*words.split()) == set()


def test_looking_at_a_notice_imports_neither_web_nor_line_nor_migrations() -> None:
    assert imported("notice", "show", "--help") <= {"sqlalchemy", "cryptography"}


@pytest.mark.parametrize("name", COMMANDS)
def test_the_help_of_all_is_the_help_of_each(name: str) -> None:
    own = (load(name).help or "").strip().partition("\n\n")[0].replace("\n", " ")
    assert own == COMMANDS[name][2]


def test_the_version_is_that_of_the_package() -> None:
    ended = subprocess.run([sys.executable, "-m", "bot.cli", "--version"], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout) == (0, f"kairanban {version('kairanban')}\n")


def test_an_unknown_command_is_named() -> None:
    ended = subprocess.run([sys.executable, "-m", "bot.cli", "noice"], capture_output=True, text=True)
    assert ended.returncode == 2 and "noice" in ended.stderr
