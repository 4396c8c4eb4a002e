"""Cells that a spreadsheet would take for a formula: made harmless on the way out, read back on the way in.

What begins with one of these signs is run by spreadsheet programs when the file is opened. One apostrophe
before it makes it a text; cells that bear apostrophes before such a sign already get one more, so that each
cell comes back as it was.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

FORMULA = re.compile(r"'*[=+\-@\t\r]")


def harmless(cell: str) -> str:
    return f"'{cell}" if FORMULA.match(cell) else cell


def original(cell: str) -> str:
    """The cell that `harmless` was given."""
    return cell[1:] if cell.startswith("'") and FORMULA.match(cell) else cell


def without_mark(file: Iterable[str]) -> Iterator[str]:
    """Its lines, without the byte order mark that spreadsheets put in front."""
    for number, line in enumerate(file):
        yield line.removeprefix("\ufeff") if number == 0 else line
