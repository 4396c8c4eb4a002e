"""No cell of ours is a formula to a spreadsheet, and each comes back as it was."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.register.csv_cells import harmless, original

CELLS = st.text(st.sampled_from("'=+-@\t\ra1;,\"\n ")) | st.text()


@pytest.mark.parametrize("cell", ["=1+1", "+81", "-1", "@SUM(A1)", "\t=1", "\r=1", "'=1", "''=1"])
def test_what_a_spreadsheet_would_run_becomes_a_text(cell: str) -> None:
    assert harmless(cell) == f"'{cell}"


@pytest.mark.parametrize(
    "cell", ["", "災害", "a@example.jp", "o'hara@example.jp", "'quoted'@example.jp", "2026-04-01"]
)
def test_other_cells_are_left_alone(cell: str) -> None:
    assert harmless(cell) == original(cell) == cell


@given(CELLS)
def test_every_cell_comes_back_and_none_is_a_formula(cell: str) -> None:
    assert original(harmless(cell)) == cell
    assert not harmless(cell).startswith(("=", "+", "-", "@", "\t", "\r"))


@given(st.lists(st.lists(CELLS.filter(lambda cell: "\x00" not in cell), min_size=1, max_size=4)))
def test_rows_come_back_through_a_file(rows: list[list[str]]) -> None:
    out = io.StringIO(newline="")
    csv.writer(out).writerows([harmless(cell) for cell in row] for row in rows)
    read = csv.reader(io.StringIO(out.getvalue(), newline=""))
    assert [[original(cell) for cell in row] for row in read] == rows
