"""key list, add, retire, rotate on the command line, with nobody serving."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from bot.commands import keys as key_commands
from content.key_file import read_roots, replace_roots
from content.keys import Keys
from content.register.subscribers import seal_place

NOTICE = ("subscribers", "show", "mail", "parent@example.jp")
CSV = "channel,address,categories\nmail,parent@example.jp,saigai\n"


@pytest.fixture(autouse=True)
def settled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody serves, so there is nobody to wait for."""
    monkeypatch.setattr(key_commands, "SETTLES", 0)


def listed(command_line: Callable[..., Result]) -> dict[int, tuple[str, int]]:
    shown = json.loads(command_line("key", "list", "--json").stdout)
    return {item["number"]: (item["state"], item["seals"]) for item in shown["keys"]}


def registered(command_line: Callable[..., Result], folder: Path) -> None:
    (folder / "list.csv").write_text(CSV)
    done = command_line("subscribers", "import", str(folder / "list.csv"))
    assert done.exit_code == 0, done.stderr


def test_a_leaked_key_is_replaced_and_gone_from_the_file(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    registered(command_line, tmp_path)
    assert listed(command_line) == {1: ("in_force", 1)}
    first = read_roots(tmp_path / "secret.key")[1]

    added = command_line("key", "add")
    assert added.exit_code == 0, added.stderr
    assert "2番の鍵を使い始めました" in added.stderr and "key retire" in added.stderr
    assert listed(command_line) == {1: ("older", 1), 2: ("in_force", 0)}

    done = command_line("key", "retire", "1")
    assert done.exit_code == 0, done.stderr
    assert set(read_roots(tmp_path / "secret.key")) == {2}
    assert (tmp_path / "secret.key").stat().st_mode & 0o077 == 0
    assert first not in (tmp_path / "secret.key").read_bytes()
    shown = listed(command_line)
    assert shown[1] == ("retired", 0)
    assert shown[2][0] == "in_force"
    exported = command_line("subscribers", "export")
    assert "parent@example.jp" in exported.stdout
    again = command_line("subscribers", "import", str(tmp_path / "list.csv"))
    assert "0件を登録しました" in again.stderr
    assert command_line("audit", "verify").exit_code == 0
    assert "退いた" in command_line("key", "list").stdout


def test_the_acts_are_in_the_trail_and_no_key_is_in_any_output(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    outputs = [
        command_line("key", *words)
        for words in (("add",), ("retire", "1"), ("rotate", "sessions"), ("list",))
    ]
    assert [done.exit_code for done in outputs] == [0, 0, 0, 0]
    with sqlite3.connect(tmp_path / "town.db") as database:
        acts = [row[0] for row in database.execute("SELECT action FROM audit_entry ORDER BY id")]
    assert [act for act in acts if act.startswith("key.")] == [
        "key.added",
        "key.in_force",
        *["key.rotated"] * 4,
        "key.retired",
        "key.rotated",
    ]
    key_file = (tmp_path / "secret.key").read_text().split()[1]
    assert not any(key_file in done.output for done in outputs)


def test_retiring_again_and_what_there_is_not_says_why(command_line: Callable[..., Result]) -> None:
    refused = command_line("key", "retire", "1")
    assert refused.exit_code == 1 and "kairanban key add" in refused.stderr
    assert command_line("key", "add").exit_code == 0
    assert "in force" in command_line("key", "retire", "2").stderr
    assert command_line("key", "retire", "9").exit_code == 1
    assert command_line("key", "retire", "1").exit_code == 0
    assert command_line("key", "retire", "1").exit_code == 1
    assert command_line("key", "rotate", "mails").exit_code == 2


def test_a_number_is_never_given_twice(command_line: Callable[..., Result], tmp_path: Path) -> None:
    for gone in (1, 2):
        assert command_line("key", "add").exit_code == 0
        assert command_line("key", "retire", str(gone)).exit_code == 0
    assert set(read_roots(tmp_path / "secret.key")) == {3}


def test_an_import_waits_until_the_old_key_is_retired(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    assert command_line("key", "add").exit_code == 0
    (tmp_path / "list.csv").write_text(CSV)
    refused = command_line("subscribers", "import", str(tmp_path / "list.csv"))
    assert refused.exit_code == 1 and "key retire" in refused.stderr
    assert command_line("key", "retire", "1").exit_code == 0
    registered(command_line, tmp_path)


def test_with_the_file_of_before_nothing_opens_and_the_remedy_is_named(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    registered(command_line, tmp_path)
    before = (tmp_path / "secret.key").read_text()
    command_line("key", "add")
    (tmp_path / "secret.key").write_text(before)
    refused = command_line("subscribers", "export")
    assert refused.exit_code == 2
    assert "KAIRANBAN_SECRET_KEY_FILE" in refused.stderr


def test_a_command_that_was_cut_off_goes_on_with_the_key_that_it_made(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    roots = read_roots(tmp_path / "secret.key")
    replace_roots(tmp_path / "secret.key", {**roots, 2: b"n" * 32})
    assert command_line("key", "add").exit_code == 0
    assert read_roots(tmp_path / "secret.key") == {**roots, 2: b"n" * 32}
    assert listed(command_line)[2][0] == "in_force"


def test_a_key_that_was_added_by_hand_to_an_earlier_version_is_retired_like_the_first(
    command_line: Callable[..., Result], tmp_path: Path
) -> None:
    registered(command_line, tmp_path)
    roots = {**read_roots(tmp_path / "secret.key"), 2: b"n" * 32}
    replace_roots(tmp_path / "secret.key", roots)
    with sqlite3.connect(tmp_path / "town.db") as database:
        (identity,) = database.execute("SELECT identity FROM database_identity").fetchone()
        number, account = database.execute("SELECT subscriber_id, account FROM address").fetchone()
        # The look-up of the first key and a seal of the newest: so earlier versions wrote it.
        by_hand = Keys({2: b"n" * 32}, identity)
        sealed = by_hand.seal("parent@example.jp", seal_place(number, account))
        database.execute("UPDATE address SET sealed = ?", (sealed,))
    assert command_line("key", "add").exit_code == 0
    for gone in ("1", "2"):
        done = command_line("key", "retire", gone)
        assert done.exit_code == 0, done.stderr
    assert set(read_roots(tmp_path / "secret.key")) == {3}
    again = command_line("subscribers", "import", str(tmp_path / "list.csv"))
    assert "0件を登録しました" in again.stderr


def test_the_doctor_reminds_of_an_exchange_that_was_not_ended(command_line: Callable[..., Result]) -> None:
    reminder = "kairanban key retire 1"
    assert reminder not in command_line("doctor").output
    assert command_line("key", "add").exit_code == 0
    assert reminder in command_line("doctor").output
    assert command_line("key", "retire", "1").exit_code == 0
    assert reminder not in command_line("doctor").output


def test_a_copy_from_after_an_exchange_is_proved(command_line: Callable[..., Result], tmp_path: Path) -> None:
    registered(command_line, tmp_path)
    for words in (("key", "rotate", "audit"), ("key", "add"), ("key", "retire", "1"), ("key", "list")):
        # What links the trail, as a service that runs does at once.
        assert command_line("audit", "verify").exit_code == 0
        assert command_line(*words).exit_code == 0
    done = command_line("backup", str(tmp_path / "copy.db"), "--prove")
    assert done.exit_code == 0, done.stderr
    assert "戻せることを確かめました" in done.stderr
