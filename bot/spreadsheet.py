"""Rows as an Excel file. A cell that begins like a formula stays a text."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
WIDEST = 60


def to_xlsx(
    rows: Sequence[Mapping[str, Any]], headings: Mapping[str, str], about: Sequence[tuple[str, str]]
) -> bytes:
    """Two sheets: the rows under their headings, and what must be known to read them."""
    # Here: most processes never make one.
    import xlsxwriter

    file = io.BytesIO()
    options = {"strings_to_formulas": False, "strings_to_urls": False, "in_memory": True}
    with xlsxwriter.Workbook(file, options) as book:
        bold = book.add_format({"bold": True, "text_wrap": True, "valign": "top"})
        wrapped = book.add_format({"text_wrap": True, "valign": "top"})
        sheet = book.add_worksheet("数")
        columns = list(rows[0]) if rows else []
        for number, column in enumerate(columns):
            sheet.write(0, number, headings.get(column, column), bold)
            for line, row in enumerate(rows, 1):
                if row[column] is not None:
                    sheet.write(line, number, row[column])
            longest = max((_width(row[column]) for row in rows), default=0)
            sheet.set_column(number, number, min(max(longest, 8) + 2, WIDEST))
        sheet.freeze_panes(1, 0)
        sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        notes = book.add_worksheet("説明")
        for line, (name, words) in enumerate(about):
            notes.write(line, 0, name, bold)
            notes.write(line, 1, words, wrapped)
        notes.set_column(0, 0, 16)
        notes.set_column(1, 1, 80)
    return file.getvalue()


def _width(value: Any) -> int:
    """In half-width characters, as Excel counts."""
    return sum(2 if ord(character) > 0x7F else 1 for character in str(value if value is not None else ""))
