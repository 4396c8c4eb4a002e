"""A sheet as a file: CSV and JSON for machines, Excel as it is printed with the same rows beside."""

from __future__ import annotations

import io
import json
import re
import unicodedata
from typing import Any

import xlsxwriter

from bot.reports import to_csv
from bot.sheets.blocks import Grid, Heading
from bot.sheets.paper import Paper, rows
from content.clock import iso

HEADINGS = {
    "town_code": "団体コード",
    "made_at": "作成",
    "plan": "計画",
    "policy": "施策",
    "part": "区分",
    "item": "項目",
    "year": "年度",
    "value": "値(印刷のとおり)",
    "number": "数値",
    "unit": "単位",
    "as_of": "時点",
    "source": "出典",
    "definition": "定義",
}
WHOLE = re.compile(r"\d{1,3}(,\d{3})*|\d+")
# Columns of a printed Excel sheet, and how many half-width characters fit on a line of all of them.
COLUMNS, FIRST_WIDTH, WIDTH, ACROSS = 6, 34, 15, 105
LINE_HEIGHT = 16


def sheet_csv(found: Paper) -> bytes:
    """For Excel: with a byte order mark, and no cell that is taken for a formula."""
    return to_csv(rows(found), HEADINGS).encode("utf-8-sig")


def sheet_json(found: Paper) -> dict[str, Any]:
    sheet, plan = found.view.sheet, found.view.plan
    return {
        "town_code": found.town_code,
        "town": found.town,
        "made_at": iso(found.made_at),
        "plan": {
            "key": plan.key,
            "name": plan.name,
            "first_year": plan.first_year,
            "last_year": plan.last_year,
            "source": plan.source,
        },
        "fiscal_year": sheet.year,
        "state": sheet.state,
        "confirmed_by": sheet.confirmed_by or None,
        "confirmed_at": iso(sheet.confirmed_at),
        "grades": [
            {
                "scale": item.scale.name,
                "grade": grade.grade,
                "count": grade.count,
                "percent": float(grade.percent) if grade.percent is not None else None,
                "printed_count": grade.printed_count,
                "printed_percent": grade.printed_percent or None,
            }
            for item in found.view.counts
            for grade in item.grades
        ],
        "facts": dict(found.facts),
        "rows": [
            {name: value for name, value in row.items() if name not in ("town_code", "made_at", "plan")}
            for row in rows(found)
        ],
    }


def sheet_json_text(found: Paper) -> str:
    return json.dumps(sheet_json(found), ensure_ascii=False, indent=1)


def sheet_excel(found: Paper) -> bytes:
    """Three worksheets: the sheet as it is printed, its rows as data, and what the file says of itself."""
    out = io.BytesIO()
    book = xlsxwriter.Workbook(
        out, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    )
    book.set_properties(
        {"title": found.title, "company": found.town, "comments": f"団体コード {found.town_code}"}
    )
    _Printed(book, found).write()
    _table(book, "データ", rows(found))
    _table(book, "この資料について", [{"項目": label, "内容": said} for label, said in found.facts])
    book.close()
    return out.getvalue()


class _Printed:
    """The first worksheet, from the top down."""

    def __init__(self, book: Any, found: Paper) -> None:
        self.found, self.row = found, 0
        self.sheet = book.add_worksheet("評価表")
        self.sheet.set_paper(9)  # A4
        self.sheet.fit_to_pages(1, 0)
        self.sheet.set_margins(left=0.5, right=0.5, top=0.6, bottom=0.7)
        self.sheet.set_footer(f"&L{found.town}({found.town_code})&C&P / &N&R{found.title}".replace("\n", " "))
        self.sheet.set_column(0, 0, FIRST_WIDTH)
        self.sheet.set_column(1, COLUMNS, WIDTH)
        wrap = {"text_wrap": True, "valign": "top", "font_name": "游ゴシック", "font_size": 10}
        self.title = book.add_format(wrap | {"bold": True, "font_size": 15})
        self.heads = {
            level: book.add_format(wrap | {"bold": True, "font_size": size})
            for level, size in ((2, 13), (3, 12), (4, 11))
        }
        self.words = book.add_format(wrap)
        self.caption = book.add_format(wrap | {"bold": True})
        self.head = book.add_format(wrap | {"bold": True, "border": 1, "bg_color": "#E8ECF2"})
        self.cell = book.add_format(wrap | {"border": 1})
        self.number = book.add_format(wrap | {"border": 1, "num_format": "#,##0"})

    def write(self) -> None:
        self._across(self.found.title, self.title, 24)
        breaks = []
        for block in self.found.blocks:
            if isinstance(block, Heading):
                if block.page and self.row > 1:
                    breaks.append(self.row)
                self.row += 1
                self._across(block.text, self.heads[block.level], 20)
            elif isinstance(block, Grid):
                self._grid(block)
            elif block.text:
                self._across(f"【{block.label}】\n{block.text}" if block.label else block.text, self.words)
        self.sheet.set_h_pagebreaks(breaks)

    def _across(self, text: str, style: Any, least: int = LINE_HEIGHT) -> None:
        """A merged row, whose height spreadsheets do not find by themselves."""
        lines = sum(max(1, -(-_width(line) // ACROSS)) for line in text.split("\n"))
        self.sheet.set_row(self.row, max(least, lines * LINE_HEIGHT))
        self.sheet.merge_range(self.row, 0, self.row, COLUMNS, "", style)
        self.sheet.write_string(self.row, 0, text, style)
        self.row += 1

    def _grid(self, grid: Grid) -> None:
        self._across(grid.caption, self.caption)
        for column, text in enumerate(grid.header):
            self.sheet.write_string(self.row, column, text, self.head)
        self.row += 1
        for row in grid.rows:
            for column, text in enumerate(row):
                if WHOLE.fullmatch(text) and not grid.plain:
                    self.sheet.write_number(self.row, column, int(text.replace(",", "")), self.number)
                else:
                    self.sheet.write_string(self.row, column, text, self.cell)
            widths = [FIRST_WIDTH, *([WIDTH] * COLUMNS)]
            tall = max(-(-_width(text) // width) for text, width in zip(row, widths, strict=False))
            self.sheet.set_row(self.row, max(1, tall) * LINE_HEIGHT)
            self.row += 1


def _table(book: Any, name: str, data: list[dict[str, Any]]) -> None:
    sheet = book.add_worksheet(name)
    head = book.add_format({"bold": True, "bg_color": "#E8ECF2", "border": 1})
    wrap = book.add_format({"text_wrap": True, "valign": "top"})
    sheet.freeze_panes(1, 0)
    for column, key in enumerate(data[0] if data else ()):
        sheet.write_string(0, column, HEADINGS.get(key, key), head)
        sheet.set_column(column, column, 60 if key in ("内容", "value", "definition") else 18, wrap)
    for line, row in enumerate(data, 1):
        for column, value in enumerate(row.values()):
            if isinstance(value, int | float):
                sheet.write_number(line, column, value)
            elif value is not None:
                sheet.write_string(line, column, value)


def _width(text: str) -> int:
    """In half-width characters."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WFA" else 1 for sign in text)
