"""`kairanban staff rights`: one right more or less, in the words of the screens, on record."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from content.database import Database
from content.staff import rights
from tests.bot.test_staff_commands import Run, folder, kairanban, staffed

__all__ = ["folder", "kairanban", "staffed"]


def held(run: Run, login: str) -> set[tuple[str, str, str]]:
    shown = run("staff", "rights", "show", login, "--json")
    assert shown.exit_code == 0, shown.output
    return {(item["permission"], item["department"], item["category"]) for item in json.loads(shown.stdout)}


def add_department(folder: Path) -> None:
    async def write() -> None:
        database = Database(f"sqlite:///{folder / 'town.db'}")
        async with database.write() as connection:
            await rights.add_department(connection, "kodomo", "こども課", ["kosodate"], at=1)
        await database.close()

    asyncio.run(write())


def rights_on_record(folder: Path) -> list[list[str]]:
    with closing(sqlite3.connect(folder / "town.db")) as file:
        rows = file.execute(
            "SELECT detail FROM audit_entry WHERE action = 'staff.rights_changed' ORDER BY id"
        ).fetchall()
    return [json.loads(detail)["rights"] for (detail,) in rows]


def test_a_right_is_given_and_taken_by_department_and_category(staffed: Run, folder: Path) -> None:
    add_department(folder)
    before = held(staffed, "tanaka")
    one = ("approve", "kodomo", "kosodate")
    words = ("tanaka", "approve", "--department", "kodomo", "--category", "kosodate")
    given = staffed("staff", "rights", "grant", *words)
    assert given.exit_code == 0 and "こども課の「承認・配信」(子育て)を与えました" in given.output
    assert held(staffed, "tanaka") == before | {one}
    again = staffed("staff", "rights", "grant", *words)
    assert again.exit_code == 0 and "もうあります" in again.output
    shown = staffed("staff", "rights", "show", "tanaka")
    assert "こども課" in shown.output and "承認・配信" in shown.output and "すべての分野" in shown.output
    taken = staffed("staff", "rights", "revoke", *words)
    assert taken.exit_code == 0 and "を外しました" in taken.output
    assert held(staffed, "tanaka") == before
    assert "がありません" in staffed("staff", "rights", "revoke", *words).output
    assert ["approve:kodomo:kosodate" in entry for entry in rights_on_record(folder)] == [True, False]


def test_the_last_administrator_keeps_the_right(staffed: Run, folder: Path) -> None:
    before = held(staffed, "suzuki")
    refused = staffed("staff", "rights", "revoke", "suzuki", "administer")
    assert refused.exit_code == 2 and "最後の管理者" in refused.output
    assert held(staffed, "suzuki") == before and rights_on_record(folder) == []
    assert staffed("staff", "rights", "grant", "tanaka", "administer").exit_code == 0
    assert staffed("staff", "rights", "revoke", "suzuki", "administer").exit_code == 0
    assert ("administer", "office", "") not in held(staffed, "suzuki")


@pytest.mark.parametrize(
    ("words", "named"),
    [
        (("tanaka", "fly"), "緊急発信"),
        (("tanaka", "write", "--department", "nowhere"), "--department"),
        (("tanaka", "write", "--category", "nothing"), "--category"),
        (("tanaka", "administer", "--department", "kodomo"), "全庁で"),
        (("tanaka", "open_address", "--category", "kosodate"), "全庁で"),
    ],
)
def test_what_there_is_not_is_named_and_changes_nothing(
    staffed: Run, folder: Path, words: tuple[str, ...], named: str
) -> None:
    add_department(folder)
    before = held(staffed, "tanaka")
    refused = staffed("staff", "rights", "grant", *words)
    assert refused.exit_code == 2 and named in refused.output
    assert held(staffed, "tanaka") == before and rights_on_record(folder) == []


def test_a_login_that_nobody_has_is_said(staffed: Run) -> None:
    for words in (("show", "sato"), ("grant", "sato", "see"), ("revoke", "sato", "see")):
        refused = staffed("staff", "rights", *words)
        assert refused.exit_code == 1 and "「sato」は登録されていません" in refused.output
