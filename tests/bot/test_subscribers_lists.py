"""A list that changes or ends registrations: those that it names and nobody else, cell by cell, with events of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.bot.test_subscribers_command import Run, asked, register
from tests.factories import NEWCOMER, PARENT

__all__ = ["register"]
CHANGES = f"""配信手段,宛先,地区,お知らせの種類,ことば
LINE,{PARENT.address},なし,,英語
メール,{NEWCOMER.address},,イベント,
メール,nobody@example.jp,船岡,,
"""


def chosen(folder: Path, number: int) -> set[str]:
    rows = asked(folder, f"SELECT kind, value FROM preference WHERE subscriber_id = {number}")
    return {f"{field}:{value}" for field, value in rows}


def events(folder: Path) -> list[tuple[object, ...]]:
    return asked(
        folder,
        "SELECT subscriber_id, kind, reason, route FROM registration_event WHERE kind != 'joined' ORDER BY id",
    )


def write(folder: Path, text: str) -> str:
    file = folder / "list.csv"
    file.write_bytes(text.encode("cp932"))
    return str(file)


def test_a_list_changes_what_it_says_and_leaves_what_it_does_not(register: Run, tmp_path: Path) -> None:
    file = write(tmp_path, CHANGES)
    before = chosen(tmp_path, 1)
    assert "area:funaoka" in before
    tried = register("subscribers", "import", file, "--mode", "update", "--dry-run")
    assert tried.exit_code == 0 and "何も変えていません。設定を変えた登録 1件" in tried.stderr.replace(
        "\n", ""
    )
    assert chosen(tmp_path, 1) == before and events(tmp_path) == []

    done = register("subscribers", "import", file, "--mode", "update")
    assert done.exit_code == 0, done.stderr
    said = done.stderr.replace("\n", "")
    assert "設定を変えた登録 1件、すでにその設定の登録 1件、前に終了した登録 0件、登録のない宛先 1件" in said
    assert chosen(tmp_path, 1) == before - {"area:funaoka"}
    assert asked(tmp_path, "SELECT language FROM subscriber WHERE id = 1") == [("en",)]
    assert asked(tmp_path, "SELECT count(*) FROM subscriber") == [(3,)]
    assert events(tmp_path) == [(1, "changed", "import", "import")]
    register("subscribers", "import", file, "--mode", "update")
    assert len(events(tmp_path)) == 1, "the same list once more changes nothing"


def test_a_list_ends_those_whom_it_names_after_asking(register: Run, tmp_path: Path) -> None:
    file = write(tmp_path, f"メールアドレス\n{NEWCOMER.address}\nnobody@example.jp\n")
    refused = register("subscribers", "import", file, "--mode", "end", typed="n\n")
    assert refused.exit_code == 2 and "避難のお知らせも届かなくなります" in refused.output
    assert events(tmp_path) == []
    done = register("subscribers", "import", file, "--mode", "end", typed="y\n")
    assert done.exit_code == 0 and "終了した登録 1件" in done.stderr
    assert events(tmp_path) == [(2, "left", "list_ended", "import")]
    again = register("subscribers", "import", file, "--mode", "end", "--yes")
    assert "終了した登録 0件、前に終了した登録 1件" in again.stderr.replace("\n", "")
    assert (
        asked(tmp_path, "SELECT action FROM audit_entry WHERE action LIKE '%by_list'")
        == [("subscribers.ended_by_list",)] * 2
    )


@pytest.mark.parametrize(
    ("mode", "text", "told"),
    [
        ("update", "メールアドレス\na@example.jp\n", "変える列がありません"),
        ("update", "メールアドレス,グループ\na@example.jp,\n", "groups import"),
        ("end", "channel,address,number,state,events\nmail,a@example.jp,,,\n", "書き出したファイルのまま"),
        ("update", "メールアドレス,地区\na@example.jp,アトランティス\n", "「アトランティス」はありません"),
    ],
)
def test_a_list_that_cannot_be_meant_is_refused_with_the_remedy(
    register: Run, tmp_path: Path, mode: str, text: str, told: str
) -> None:
    refused = register("subscribers", "import", write(tmp_path, text), "--mode", mode, "--yes")
    assert refused.exit_code in (1, 2) and told in refused.stderr.replace("\n", "")
    assert events(tmp_path) == []
