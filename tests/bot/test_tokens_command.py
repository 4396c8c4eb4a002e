"""Keys of machines on the command line."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result


def test_a_key_is_printed_once_listed_without_itself_and_ended(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    assert json.loads(command_line("token", "list", "--json").stdout) == []
    made = command_line("token", "add", "水位計", "--permission", "write", "--category", "saigai")
    assert made.exit_code == 0, made.stderr
    token = made.stdout.strip()
    assert token.startswith("kairan_")
    (listed,) = json.loads(command_line("token", "list", "--json").stdout)
    assert (listed["name"], listed["permissions"], listed["categories"], listed["good"]) == (
        "水位計",
        ["write"],
        ["saigai"],
        True,
    )
    assert "水位計" in command_line("token", "list").stdout
    assert token.encode() not in (tmp_path / "town.db").read_bytes()
    assert command_line("token", "end", "水位計").exit_code == 0
    assert command_line("token", "end", "水位計").exit_code == 1
    assert command_line("token", "end", "雨量計").exit_code == 1
    assert [item["good"] for item in json.loads(command_line("token", "list", "--json").stdout)] == [False]
    with sqlite3.connect(tmp_path / "town.db") as database:
        acts = [row[0] for row in database.execute("SELECT action FROM audit_entry ORDER BY id")]
    assert acts[-2:] == ["machine.added", "machine.ended"]


@pytest.mark.parametrize(
    "words",
    [
        ("",),
        ("a\u200bb",),
        ("水位計", "--department", "nothing"),
        ("水位計", "--permission", "administer"),
        ("水位計", "--category", "nothing"),
        ("水位計", "--network", "here"),
        ("水位計", "--per-hour", "0"),
        ("水位計", "--days", "0"),
    ],
)
def test_what_cannot_be_given_is_refused_by_its_name(
    command_line: Callable[..., Result], words: tuple[str, ...]
) -> None:
    done = command_line("token", "add", *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert ":" in done.stderr
    assert json.loads(command_line("token", "list", "--json").stdout) == []
