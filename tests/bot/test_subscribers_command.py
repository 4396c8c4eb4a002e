"""`kairanban subscribers`: one registration is shown, ended and erased, and its address named nowhere."""

from __future__ import annotations

import csv
import io
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from bot.cli import app
from content.register.subscribers_csv import COLUMNS
from tests.factories import NEWCOMER, PARENT

Run = Callable[..., Result]
ODD = "=cmd+1@example.jp"
ROWS = (
    f"line,{PARENT.address},kosodate,funaoka,ja,2025-11,,2026-04-01",
    f"mail,{NEWCOMER.address},event,,en,,,2026-04-02",
    f"mail,'{ODD},,,,,,2026-04-03",
)


@pytest.fixture
def register(command_line: Run, tmp_path: Path) -> Run:
    """Three registrations with the numbers 1 to 3."""
    file = tmp_path / "register.csv"
    file.write_text("\n".join((",".join(COLUMNS), *ROWS)) + "\n", encoding="utf-8")
    done = command_line("subscribers", "import", str(file))
    assert done.exit_code == 0, done.stderr
    return command_line


def asked(folder: Path, question: str) -> list[tuple[object, ...]]:
    with sqlite3.connect(folder / "town.db") as database:
        return database.execute(question).fetchall()


def actions(folder: Path) -> list[tuple[object, ...]]:
    return asked(
        folder, "SELECT action, subject FROM audit_entry WHERE subject LIKE 'subscriber %' ORDER BY id"
    )


def test_a_registration_is_shown_by_number_or_by_address_and_its_address_is_not(
    register: Run, tmp_path: Path
) -> None:
    for shown in (
        register("subscribers", "show", "1"),
        register("subscribers", "show", typed=f"{PARENT.address}\n"),
    ):
        assert shown.exit_code == 0, shown.stderr
        assert "登録 1" in shown.stdout and "funaoka" in shown.stdout and "有効" in shown.stdout
        assert PARENT.address not in shown.stdout + shown.stderr
    assert actions(tmp_path) == [("subscriber.shown", "subscriber 1")] * 2


def test_a_file_that_the_shell_opened_for_everybody_is_closed_before_an_address_is_in_it(
    register: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "exported.csv"
    file.touch(0o644)
    file.chmod(0o644)
    with file.open("w", encoding="utf-8") as output, monkeypatch.context() as patched:
        patched.setattr("sys.stdout", output)
        app(["subscribers", "export"], standalone_mode=False)
    assert PARENT.address in file.read_text(encoding="utf-8")
    assert file.stat().st_mode & 0o777 == 0o600


def test_an_address_is_told_only_when_asked_for_and_the_trail_says_so(register: Run, tmp_path: Path) -> None:
    shown = register("subscribers", "show", "2", "--with-address")
    assert NEWCOMER.address in shown.stdout
    assert actions(tmp_path) == [("subscriber.address_shown", "subscriber 2")]
    assert NEWCOMER.address not in str(asked(tmp_path, "SELECT * FROM audit_entry"))


def test_a_registration_is_ended_once_and_keeps_its_choices(register: Run, tmp_path: Path) -> None:
    for _ in range(2):
        ended = register(
            "subscribers", "end", typed=f" {NEWCOMER.address.upper().replace('NEWCOMER', 'newcomer')}\n"
        )
        assert ended.exit_code == 0, ended.stderr
    assert asked(tmp_path, "SELECT state FROM subscriber WHERE id = 2") == [("left",)]
    assert asked(
        tmp_path, "SELECT kind, reason FROM registration_event WHERE subscriber_id = 2 ORDER BY id"
    ) == [
        ("joined", "import"),
        ("left", "staff"),
    ]
    assert actions(tmp_path) == [("subscriber.ended", "subscriber 2")]
    assert "終了" in register("subscribers", "show", "2").stdout


def test_a_registration_is_erased_for_good_when_that_is_said(register: Run, tmp_path: Path) -> None:
    refused = register("subscribers", "erase", "1")
    assert refused.exit_code == 2 and "元に戻せません" in refused.stderr
    assert actions(tmp_path) == []
    erased = register("subscribers", "erase", "--yes", typed=PARENT.address)
    assert erased.exit_code == 0, erased.stderr
    assert asked(tmp_path, "SELECT state FROM subscriber WHERE id = 1") == [("erased",)]
    for table in ("address", "preference"):
        assert asked(tmp_path, f"SELECT * FROM {table} WHERE subscriber_id = 1") == []
    assert actions(tmp_path) == [("subscriber.erased", "subscriber 1")]
    assert register("subscribers", "show", typed=PARENT.address).exit_code == 1
    assert "消去済み" in register("subscribers", "show", "1", "--with-address").stdout


@pytest.mark.parametrize("typed", ["nobody@example.jp", "U" + "0" * 32, "", "山田太郎"])
def test_an_address_that_nobody_has_is_not_repeated(register: Run, typed: str) -> None:
    for command in (("show",), ("end",), ("erase", "--yes")):
        refused = register("subscribers", *command, typed=f"{typed}\n")
        assert refused.exit_code == 1
        assert "その登録はありません" in refused.stderr
        assert not typed or typed not in refused.stderr + refused.stdout


def test_an_address_that_a_spreadsheet_would_run_is_exported_harmless_and_comes_back(register: Run) -> None:
    exported = register("subscribers", "export").stdout
    addresses = [row[1] for row in csv.reader(io.StringIO(exported, newline=""))]
    assert f"'{ODD}" in addresses and ODD not in addresses
    assert "登録 3" in register("subscribers", "show", typed=ODD).stdout


LIST = "メールアドレス,地区\na@example.jp,\nnobody,\nb@example.jp,アトランティス\n"


def test_bad_rows_refuse_the_whole_file_unless_they_are_set_aside_to_be_mended(
    register: Run, tmp_path: Path
) -> None:
    file, bad = tmp_path / "list.csv", tmp_path / "bad.csv"
    file.write_bytes(LIST.encode("cp932"))
    refused = register("subscribers", "import", str(file))
    assert refused.exit_code == 1
    assert "何も取り込んでいません" in refused.stderr and "3行目「宛先」" in refused.stderr
    assert "--skip-bad" in refused.stderr
    assert asked(tmp_path, "SELECT count(*) FROM subscriber") == [(3,)]

    tried = register("subscribers", "import", str(file), "--dry-run", "--skip-bad", str(bad))
    assert tried.exit_code == 0 and "新しい登録 1件、登録済み 0件、問題のある行 2行" in tried.stderr
    assert not bad.exists() and asked(tmp_path, "SELECT count(*) FROM subscriber") == [(3,)]

    done = register("subscribers", "import", str(file), "--skip-bad", str(bad))
    assert done.exit_code == 0 and "1件を登録しました" in done.stderr and "2行" in done.stderr
    assert bad.stat().st_mode & 0o777 == 0o600
    rows = list(csv.reader(bad.read_text(encoding="utf-8-sig").splitlines()))
    assert rows[0] == ["メールアドレス", "地区", "理由"]
    assert [row[0] for row in rows[1:]] == ["nobody", "b@example.jp"]
    assert "3行目「宛先」" in rows[1][2] and "「アトランティス」" in rows[2][2]
    # Mended, it comes in with its reasons still beside the rows.
    mended = (
        bad.read_text(encoding="utf-8-sig").replace("nobody", "c@example.jp").replace("アトランティス", "")
    )
    (tmp_path / "mended.csv").write_text(mended, encoding="utf-8-sig")
    again = register("subscribers", "import", str(tmp_path / "mended.csv"))
    assert again.exit_code == 0 and "2件を登録しました" in again.stderr
    other = register("subscribers", "import", str(file), "--skip-bad", str(bad))
    assert other.exit_code == 2 and "すでにあります" in other.stderr
    known = register("subscribers", "import", str(tmp_path / "mended.csv"), "--dry-run")
    assert "新しい登録 0件、登録済み 2件" in known.stderr
