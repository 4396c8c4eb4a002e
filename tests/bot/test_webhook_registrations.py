"""A partner's webhook on the command line: its secret changes, it ends and is erased, and stays one registration."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from content.register.subscribers_csv import COLUMNS

Run = Callable[..., Result]
URL = "https://bus.example.jp/hook"
OLD, NEW = "whsec_" + "A" * 32, "whsec_" + "B" * 32


@pytest.fixture
def bring_in(command_line: Run, tmp_path: Path) -> Run:
    """Import one webhook with these secrets, and choices."""

    def run(secrets: str, categories: str = "saigai") -> Result:
        row = dict.fromkeys(COLUMNS, "") | {
            COLUMNS[0]: "webhook",
            COLUMNS[1]: f"{URL} {secrets}",
            "categories": categories,
            "registered_at": "2026-04-01",
        }
        file = tmp_path / "register.csv"
        file.write_text(",".join(COLUMNS) + "\n" + ",".join(row.values()) + "\n", encoding="utf-8")
        done = command_line("subscribers", "import", str(file))
        assert done.exit_code == 0, done.stderr
        return done

    return run


def addresses_of(command_line: Run) -> list[str]:
    exported = command_line("subscribers", "export").stdout
    rows = csv.DictReader(io.StringIO(exported, newline=""))
    return [row["address"] for row in rows if row["state"] == "active"]


def asked(folder: Path, question: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "town.db") as database:
        return database.execute(question).fetchall()


def test_a_secret_changes_by_importing_the_url_again_and_the_registration_stays_one(
    bring_in: Run, command_line: Run, tmp_path: Path
) -> None:
    bring_in(OLD)
    for secrets in (f"{NEW} {OLD}", NEW):
        done = bring_in(secrets, categories="gomi")
        assert "秘密を替えたWebhook: 1件" in done.stderr
        assert addresses_of(command_line) == [f"{URL} {secrets}"]
        assert NEW not in done.stderr + done.stdout
    assert "秘密" not in bring_in(NEW).stderr
    assert asked(tmp_path, "SELECT id, state FROM subscriber") == [(1, "active")]
    assert asked(tmp_path, "SELECT value FROM preference") == [("saigai",)]
    trail = "SELECT count(*) FROM audit_entry WHERE action = 'subscribers.secrets_changed'"
    assert asked(tmp_path, trail) == [(2,)]
    assert "whsec" not in str(asked(tmp_path, "SELECT * FROM audit_entry"))


@pytest.mark.parametrize("named", ["number", "url", "url and secret", "url and another secret"])
def test_a_webhook_is_ended_and_erased_by_number_or_address(
    bring_in: Run, command_line: Run, tmp_path: Path, named: str
) -> None:
    bring_in(OLD)
    typed = {"url": URL, "url and secret": f"{URL} {OLD}", "url and another secret": f"{URL} {NEW}"}.get(
        named
    )
    number = ["1"] if typed is None else []
    ended = command_line("subscribers", "end", *number, typed=typed)
    assert ended.exit_code == 0, ended.stderr
    assert asked(tmp_path, "SELECT state FROM subscriber") == [("left",)]
    erased = command_line("subscribers", "erase", "--yes", *number, typed=typed)
    assert erased.exit_code == 0, erased.stderr
    assert asked(tmp_path, "SELECT state FROM subscriber") == [("erased",)]
    for table in ("address", "preference"):
        assert asked(tmp_path, f"SELECT * FROM {table}") == []


def test_a_webhook_that_ended_is_not_revived_by_a_file_but_after_erasing_it_is_new(
    bring_in: Run, command_line: Run, tmp_path: Path
) -> None:
    bring_in(OLD)
    command_line("subscribers", "end", "1")
    bring_in(NEW)
    assert addresses_of(command_line) == []
    command_line("subscribers", "erase", "--yes", "1")
    bring_in(NEW)
    assert addresses_of(command_line) == [f"{URL} {NEW}"]
    assert asked(tmp_path, "SELECT id, state FROM subscriber ORDER BY joined_at, id")[-1][1] == "active"
