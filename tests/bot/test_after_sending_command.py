"""`notice correct`, `withdraw` and `stop`."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from content.register.subscribers_csv import COLUMNS
from tests.factories import PARENT

Run = Callable[..., Result]


@pytest.mark.parametrize(
    "words",
    [
        ("correct", "99", "--title", "題", "--body", "本文"),
        ("withdraw", "99"),
        ("stop", "99"),
        ("refusals", "99"),
    ],
)
def test_a_notice_that_there_is_not_is_named(command_line: Run, words: tuple[str, ...]) -> None:
    result = command_line("notice", *words)
    assert result.exit_code == 1 and "99" in result.output


def test_refusals_are_told_by_reason_and_as_numbers(command_line: Run, tmp_path: Path) -> None:
    register = tmp_path / "people.csv"
    row = f"line,{PARENT.address},kosodate,,ja,,,"
    register.write_text(",".join(COLUMNS) + f"\n{row}\n", encoding="utf-8")
    assert command_line("subscribers", "import", str(register)).exit_code == 0
    posted = command_line(
        "notice", "post", "--category", "kosodate", "--title", "健診", "--body", "健診を行います。", "--json"
    )
    assert posted.exit_code == 0, posted.output
    number = str(json.loads(posted.stdout)["id"])
    empty = command_line("notice", "refusals", number, "--json")
    assert json.loads(empty.stdout) == {"registrations_known": True, "reasons": []}
    file = command_line("notice", "refusals", number, "--csv")
    assert file.stdout.splitlines() == ["\ufeff登録番号,配信手段,結果,理由,日時"]
    unknown = command_line("notice", "refusals", number, "--reason", "nonsense")
    assert unknown.exit_code == 2 and "--reason" in unknown.output
    assert command_line("notice", "refusals", number, "--csv", "--json").exit_code == 2
