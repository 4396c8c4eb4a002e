"""`kairanban staff …` and `kairanban audit …`: whoever goes is out, and all of it is on record."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.audit_words import WORDS
from bot.cli import app
from content.clock import now_ms, today_jst
from content.database import Database
from content.key_file import create_key_file
from content.staff import audit, passwords
from content.staff.audit import SOURCES_KEPT

Run = Callable[..., Result]
ROOT = Path(__file__).parents[2]


@pytest.fixture
def folder(tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copyfile(sqlite_template, tmp_path / "town.db")
    create_key_file(tmp_path / "secret.key")
    monkeypatch.setenv("KAIRANBAN_DATABASE_URL", f"sqlite:///{tmp_path / 'town.db'}")
    monkeypatch.setenv("KAIRANBAN_SECRET_KEY_FILE", str(tmp_path / "secret.key"))
    monkeypatch.setenv("KAIRANBAN_TOWN", str(ROOT / "examples" / "shibata.toml"))
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text("himitsu-no-kotoba\n")
    return tmp_path


@pytest.fixture
def kairanban(folder: Path) -> Run:
    """Runs the command on a database of its own; words as on a command line."""

    def run(*words: str, typed: str | None = None) -> Result:
        return CliRunner().invoke(app, list(words), input=typed)

    return run


@pytest.fixture
def staffed(kairanban: Run) -> Run:
    """With suzuki, the only administrator, and tanaka, an editor."""
    for login, role in (("suzuki", "administrator"), ("tanaka", "editor")):
        done = kairanban("staff", "add", login, "--role", role, "--password-file", "password")
        assert done.exit_code == 0, done.output
    return kairanban


def listed(run: Run) -> dict[str, dict[str, Any]]:
    return {row["login"]: row for row in json.loads(run("staff", "list", "--json").stdout)}


def ask(folder: Path, question: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(folder / "town.db")) as file:
        return file.execute(question).fetchall()


def trail(run: Run, *options: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("audit", "show", "--json", *options).stdout)
    return found


def test_who_is_there_is_listed_with_role_and_state(staffed: Run) -> None:
    found = listed(staffed)
    assert {login: row["role"] for login, row in found.items()} == {
        "suzuki": "administrator",
        "tanaka": "editor",
    }
    assert found["tanaka"]["disabled_at"] is None and found["tanaka"]["last_login_at"] is None
    shown = staffed("staff", "list").stdout
    assert "管理者" in shown and "作成・配信" in shown and "有効" in shown


def test_whoever_goes_is_disabled_and_may_come_back(staffed: Run, folder: Path) -> None:
    done = staffed("staff", "disable", "tanaka")
    assert done.exit_code == 0 and "次の操作から使えません" in done.stderr
    assert listed(staffed)["tanaka"]["disabled_at"]
    assert ask(folder, "SELECT session_number FROM staff_member WHERE login = 'tanaka'") == [(2,)]
    again = staffed("staff", "disable", "tanaka")
    assert again.exit_code == 0 and "既に無効です" in again.stderr
    assert staffed("staff", "enable", "tanaka").exit_code == 0
    assert listed(staffed)["tanaka"]["disabled_at"] is None
    assert [entry["action"] for entry in trail(staffed)][:2] == ["staff.enabled", "staff.disabled"]


def test_a_forgotten_password_is_reset_from_a_file_or_by_asking(staffed: Run, folder: Path) -> None:
    def stored() -> str:
        ((found,),) = ask(folder, "SELECT password_hash FROM staff_member WHERE login = 'tanaka'")
        return str(found)

    (folder / "new").write_text("atarashii-kotoba\n")
    assert staffed("staff", "reset", "tanaka", "--password-file", "new").exit_code == 0
    assert passwords.fits(stored(), "atarashii-kotoba")
    asked = staffed("staff", "reset", "tanaka", typed="mou-hitotsu-no\nmou-hitotsu-no\n")
    assert asked.exit_code == 0
    assert passwords.fits(stored(), "mou-hitotsu-no")
    assert ask(folder, "SELECT session_number FROM staff_member WHERE login = 'tanaka'") == [(3,)]
    newest = trail(staffed)[0]
    assert (newest["action"], newest["detail"]) == ("staff.password_reset", {"login": "tanaka"})
    assert newest["actor"].startswith("cli:")


def test_a_password_that_is_short_or_common_changes_nothing(staffed: Run, folder: Path) -> None:
    for word, said in (
        ("short", "10文字以上"),
        ("password123", "推測されやすい"),
        ("tanaka2026", "推測され"),
    ):
        (folder / "new").write_text(word)
        done = staffed("staff", "reset", "tanaka", "--password-file", "new")
        assert done.exit_code == 2 and said in done.stderr
    assert len(trail(staffed)) == 2


def test_a_role_is_changed_and_the_last_administrator_stays(staffed: Run) -> None:
    for words in (("disable", "suzuki"), ("role", "suzuki", "editor")):
        refused = staffed("staff", *words)
        assert refused.exit_code == 2
        assert "最後の管理者です。先に、ほかの職員を管理者にしてください" in refused.stderr
    done = staffed("staff", "role", "tanaka", "administrator")
    assert done.exit_code == 0 and "「作成・配信」から「管理者」" in done.stderr
    assert "既に「管理者」です" in staffed("staff", "role", "tanaka", "administrator").stderr
    assert staffed("staff", "disable", "suzuki").exit_code == 0
    assert [entry["action"] for entry in trail(staffed, "--limit", "2")] == [
        "staff.disabled",
        "staff.role_changed",
    ]


@pytest.mark.parametrize("words", [("disable",), ("enable",), ("reset",), ("role", "editor")])
def test_a_login_that_nobody_has_is_said_before_anything_is_asked(
    staffed: Run, words: tuple[str, ...]
) -> None:
    done = staffed("staff", words[0], "tanakka", *words[1:])
    assert done.exit_code == 1
    assert "職員「tanakka」は登録されていません。" in done.stderr and "パスワード" not in done.output


def test_roles_and_logins_that_there_are_not_are_usage(staffed: Run) -> None:
    for words in (
        ("role", "tanaka", "mayor"),
        ("add", "sato", "--role", "mayor"),
        ("add", "sa to", "--password-file", "password"),
        ("add", "sato", "--password-file", "missing"),
    ):
        assert staffed("staff", *words).exit_code == 2
    twice = staffed("staff", "add", "tanaka", "--password-file", "password")
    assert twice.exit_code == 1 and "既に登録されています" in twice.stderr
    assert set(listed(staffed)) == {"suzuki", "tanaka"}


def test_no_password_is_taken_from_the_command_line(staffed: Run) -> None:
    assert staffed("staff", "reset", "tanaka", "himitsu-no-kotoba").exit_code == 2
    assert staffed("staff", "add", "sato", "himitsu-no-kotoba").exit_code == 2


def test_init_leaves_an_administrator_who_was_disabled_alone(staffed: Run) -> None:
    staffed("staff", "role", "tanaka", "administrator")
    staffed("staff", "disable", "suzuki")
    done = staffed("init", "--login", "suzuki", "--password-file", "password")
    assert done.exit_code == 0, done.output
    assert listed(staffed)["suzuki"]["disabled_at"]


def test_the_trail_is_shown_by_actor_subject_and_day(staffed: Run) -> None:
    today = today_jst().isoformat()
    assert len(trail(staffed, "--from", today, "--to", today)) == 2
    assert trail(staffed, "--to", "2020-01-01") == []
    assert len(trail(staffed, "--subject", "staff 2")) == 1
    assert trail(staffed, "--actor", "tanaka") == []
    lines = staffed("audit", "show").stdout.splitlines()
    assert len(lines) == 2 and "職員を登録した" in lines[0] and "staff 2" in lines[0]
    assert "当てはまる記録はありません" in staffed("audit", "show", "--actor", "nobody").stderr


def test_whoever_looks_at_network_addresses_is_on_record(staffed: Run, folder: Path) -> None:
    async def sign_in() -> None:
        database = Database(f"sqlite:///{folder / 'town.db'}")
        async with database.write() as connection:
            for at in (now_ms() - SOURCES_KEPT - 1, now_ms()):
                await audit.record(
                    connection, at=at, actor="tanaka", action="staff.logged_in", source="192.0.2.5"
                )
            await audit.forget_sources(connection, now_ms())
        await database.close()

    asyncio.run(sign_in())
    assert "source" not in trail(staffed)[0] and "192.0.2.5" not in staffed("audit", "show").stdout
    shown = trail(staffed, "--sources", "--actor", "tanaka")
    assert [entry["source"] for entry in shown] == ["192.0.2.5", None]
    newest = trail(staffed)[0]
    assert (newest["action"], newest["detail"]) == ("audit.sources_viewed", {"entries": 2})


def test_a_trail_that_was_changed_is_found_out(staffed: Run, folder: Path) -> None:
    whole = staffed("audit", "verify")
    assert whole.exit_code == 0 and "2件の記録は、書かれたときのままです" in whole.stderr
    head = whole.stdout.strip()
    assert json.loads(staffed("audit", "verify", "--noted", head, "--json").stdout) == {
        "whole": True,
        "entries": 2,
        "head": head,
    }
    with closing(sqlite3.connect(folder / "town.db")) as file:
        file.execute("DROP TRIGGER audit_entry_no_update")
        file.execute("UPDATE audit_entry SET actor = 'sato' WHERE id = 2")
        file.commit()
    broken = staffed("audit", "verify")
    assert broken.exit_code == 1
    assert "2番目の記録" in broken.stderr and "書かれたときと違います" in broken.stderr
    assert json.loads(staffed("audit", "verify", "--json").stdout)["why"] == "changed"
    assert staffed("audit", "verify", "--noted", "hello").exit_code == 2


def test_every_act_that_has_words_is_one_that_is_recorded() -> None:
    sources = "".join(
        path.read_text("utf-8")
        for room in ("bot", "scheduler", "content")
        for path in (ROOT / room).rglob("*.py")
        if path.name != "audit.py" or "content" in path.parts
    )
    named = set(WORDS) - {"audit.sources_viewed"}
    assert {action for action in named if f'"{action}"' not in sources} == set()
