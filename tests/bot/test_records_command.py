"""`kairanban records`: segments, templates and calendars go out as a file and come in again elsewhere."""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Run = Callable[..., Result]
OWN = """
[[segments]]
key = "hill"
names = { ja = "丘の上" }
rules = [{ field = "area", any_of = ["shibata"] }]
"""


def test_what_goes_out_comes_in_again_unchanged(command_line: Run, tmp_path: Path) -> None:
    exported = command_line("records", "export")
    assert exported.exit_code == 0, exported.output
    sections = tomllib.loads(exported.stdout)
    assert {item["key"] for item in sections["segments"]} >= {"abukuma", "babies"}
    assert {item["key"] for item in sections["templates"]} >= {"evacuation4"}
    file = tmp_path / "records.toml"
    file.write_text(exported.stdout, encoding="utf-8")
    again = command_line("records", "import", str(file))
    assert again.exit_code == 0
    assert (
        "追加" not in again.output and "変更" not in again.output and "同じ: segment babies" in again.output
    )
    assert command_line("records", "export").stdout == exported.stdout


def test_a_dry_run_says_what_would_change_and_changes_nothing(command_line: Run, tmp_path: Path) -> None:
    file = tmp_path / "own.toml"
    changed = OWN + '[[segments]]\nkey = "babies"\nnames = { ja = "赤ちゃん" }\n'
    file.write_text(changed, encoding="utf-8")
    before = command_line("records", "export").stdout
    dry = command_line("records", "import", str(file), "--dry-run")
    assert dry.exit_code == 0
    assert "追加: segment hill" in dry.output and "変更: segment babies (names, rules)" in dry.output
    assert command_line("records", "export").stdout == before
    assert command_line("records", "import", str(file)).exit_code == 0
    assert "丘の上" in command_line("records", "export").stdout


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("[[segments]\n", "is not TOML"),
        ("[[wishes]]\n", "no section wishes"),
        (OWN + "[[segments]]\nkey = 'x y'\nnames = { ja = 'a' }\n", "segments no. 2: key"),
        (OWN + OWN, "key hill stands twice"),
        (
            '[[templates]]\nkey = "t"\nname = "t"\ncategory = "saigai"\n'
            'texts = { ja = { title = "a", body = "b" }, en = { title = "{{place}}", body = "b" } }\n',
            "{{place}} does not stand in the Japanese text",
        ),
    ],
)
def test_a_file_that_cannot_be_used_is_named_and_changes_nothing(
    command_line: Run, tmp_path: Path, content: str, told: str
) -> None:
    file = tmp_path / "bad.toml"
    file.write_text(content, encoding="utf-8")
    refused = command_line("records", "import", str(file))
    assert refused.exit_code == 2 and told in refused.output
    assert "丘の上" not in command_line("records", "export").stdout


def test_a_calendar_comes_from_a_spreadsheet(command_line: Run, tmp_path: Path) -> None:
    file = tmp_path / "doctor.csv"
    file.write_bytes("日付,病院\r\n2026-12-31,船岡医院\r\n".encode("cp932"))
    made = command_line("records", "calendar", str(file), "--key", "doctor", "--name", "当番医")
    assert made.exit_code == 0 and "追加: calendar doctor" in made.output
    (calendar,) = tomllib.loads(command_line("records", "export").stdout)["calendars"]
    assert calendar["days"] == {"2026-12-31": {"病院": "船岡医院"}}
    file.write_bytes("日付,病院\r\n2026-12-31,あ\r\n2026-12-31,い\r\n".encode("cp932"))
    wrong = command_line("records", "calendar", str(file), "--key", "doctor", "--name", "当番医")
    assert wrong.exit_code == 2 and "3行目の日付 2026-12-31" in wrong.output


def test_a_department_comes_by_its_key_and_one_that_there_is_not_is_refused(
    command_line: Run, tmp_path: Path
) -> None:
    file = tmp_path / "own.toml"
    template = (
        '[[templates]]\nkey = "water"\nname = "断水"\ncategory = "kurashi"\ndepartment = "{}"\n'
        'texts = {{ ja = {{ title = "断水", body = "断水します。" }} }}\n'
    )
    before = command_line("records", "export").stdout
    file.write_text(OWN + template.format("suido"), encoding="utf-8")
    refused = command_line("records", "import", str(file))
    assert refused.exit_code == 2 and "課「suido」は登録されていません" in refused.output
    assert "office(" in refused.output and command_line("records", "export").stdout == before
    file.write_text(OWN + template.format("office"), encoding="utf-8")
    assert command_line("records", "import", str(file)).exit_code == 0
    assert 'department = "office"' in command_line("records", "export").stdout
    trail = command_line("audit", "show", "--json").stdout
    assert '"template.added"' in trail and ".imported" not in trail.replace("subscribers.imported", "")


def test_a_file_of_evacuation_sites_comes_in_and_goes_on_with_the_records(
    command_line: Run, tmp_path: Path
) -> None:
    from tests.content.test_shelters import OLD

    file = tmp_path / "sites.csv"
    file.write_bytes(OLD.encode("cp932"))
    looked = command_line("shelters", "import", str(file), "--dry-run")
    assert looked.exit_code == 0 and "追加 2" in looked.output and "何も変えていません" in looked.output
    assert command_line("shelters", "import", str(file)).exit_code == 0
    assert "同じ 2" in command_line("shelters", "import", str(file)).output
    sections = tomllib.loads(command_line("records", "export").stdout)
    assert {item["names"]["ja"] for item in sections["shelters"]} == {"船岡小学校", "東船岡公園"}
    file.write_text("名称,住所\nA,B\n", encoding="utf-8")
    refused = command_line("shelters", "import", str(file))
    assert refused.exit_code == 2 and "「緯度」の列がありません" in refused.output
