"""Every decision has a number, a date, a status, and the options that were turned down."""

import re
from pathlib import Path

import pytest

RECORDS = sorted((Path(__file__).parents[2] / "docs" / "decisions").glob("*.md"))
# What a record looks like; CONTRIBUTING.md says how to write one.
HEAD = re.compile(
    r"# (?P<number>\d{3}) \S.*\n\nDate: \d{4}-\d{2}-\d{2} · Status: (in force|replaced by (?P<by>\d{3}))\n"
)
PARTS = ["Context", "Decision", "Turned down", "Consequences"]


def test_records_are_numbered_without_a_gap():
    assert [path.name[:3] for path in RECORDS] == [f"{n + 1:03d}" for n in range(len(RECORDS))]


@pytest.mark.parametrize("path", RECORDS, ids=lambda path: path.name)
def test_a_record_says_when_and_whether_it_holds_and_what_was_turned_down(path):
    text = path.read_text(encoding="utf-8")
    head = HEAD.match(text)
    assert head, "begin with '# NNN Title', an empty line and 'Date: YYYY-MM-DD · Status: in force'"
    assert head["number"] == path.name[:3]
    assert head["by"] is None or any(other.name.startswith(head["by"]) for other in RECORDS)
    assert re.findall(r"^\*\*(.+?)\.\*\*", text, re.MULTILINE) == PARTS
