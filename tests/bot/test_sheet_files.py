"""Page, Excel, CSV, JSON and PDF of one evaluation sheet: they agree, name themselves, and run no formula."""

from __future__ import annotations

import csv
import io
import json
import re
from datetime import date
from decimal import Decimal

import openpyxl
import pytest
import pytest_asyncio

from bot.pages import environment
from bot.pdf import has_pdf, pdf_of
from bot.reports import indicator_json, indicator_reports
from bot.service import Service
from bot.sheets.blocks import beside_words
from bot.sheets.files import sheet_csv, sheet_excel, sheet_json_text
from bot.sheets.paper import Paper, paper, rows
from bot.sheets.pdf import sheet_pdf
from content.figures.plan_results import Counted, result
from content.figures.sheet_changes import Outcome, write_entry
from content.notices.picture_files import BadPicture, clean_picture
from content.plans.models import PlanIndicator
from content.plans.sheets import Entry
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from tests import picture_files
from tests.bot.sheets_story import bring
from tests.bot.web_visitor import Visitor
from tests.factories import APRIL_TUESDAY, jst, line_id

FORMULA = '=HYPERLINK("http://evil.example","開く")'


@pytest_asyncio.fixture
async def shibata(service: Service) -> Paper:
    """The sheet of 2022, with words that a spreadsheet would take for a formula."""
    await bring(service, "shibata")
    async with service.database.write() as connection:
        done = await write_entry(
            connection,
            "shibata-5",
            2022,
            "shibata-5-1-5",
            Entry(done=FORMULA),
            seen=Entry(),
            staff="tanaka",
            at=APRIL_TUESDAY,
        )
    assert done == Outcome.SAVED
    found = await paper(service, "shibata-5", 2022)
    assert found is not None
    return found


def test_what_is_counted_later_is_told_beside_a_frozen_year_end() -> None:
    held = Counted(
        Decimal(2100), date(2026, 3, 31), False, frozen_at=1, counted_now=Decimal(2101), remarks=("訂正",)
    )
    item = PlanIndicator.model_validate({"key": "i", "name": "指標", "targets": {2025: "3,000"}})
    assert beside_words(result(item, {2025: held}, date(2026, 5, 1)))[:2] == [
        "2025年度 いま数えると 2,101件です(年度末に確定した値は 2,100)",
        "2025年度 年度末の値が確定したあとの注 訂正",
    ]


async def test_excel_csv_and_json_say_the_same_and_name_themselves(shibata: Paper) -> None:
    ours = rows(shibata)
    text = sheet_csv(shibata).decode("utf-8")
    assert text.startswith("\ufeff団体コード,作成,計画,施策,区分,項目,年度")
    read = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))
    from_json = json.loads(sheet_json_text(shibata))
    book = openpyxl.load_workbook(io.BytesIO(sheet_excel(shibata)))
    data = list(book["データ"].iter_rows(min_row=2, values_only=True))
    assert len(read) == len(from_json["rows"]) == len(data) == len(ours) > 60
    for row, csv_row, json_row, excel_row in zip(ours, read, from_json["rows"], data, strict=True):
        assert csv_row["値(印刷のとおり)"].removeprefix("'") == row["value"] == json_row["value"]
        assert excel_row[list(row).index("value")] == (row["value"] or None)
        assert json_row["number"] == row["number"] == excel_row[list(row).index("number")]
        assert csv_row["団体コード"] == "043231" == excel_row[0]
    assert from_json["town_code"] == "043231" and from_json["state"] == "draft"
    about = {row[0] for row in book["この資料について"].iter_rows(values_only=True)}
    assert {"団体コード", "作成", "達成率の定義", "指標の定義 LINE情報配信登録の数"} <= about


async def test_a_cell_that_looks_like_a_formula_stays_words_everywhere(shibata: Paper) -> None:
    assert f"'{FORMULA[0]}" in sheet_csv(shibata).decode()
    book = openpyxl.load_workbook(io.BytesIO(sheet_excel(shibata)))
    cells = [cell for sheet in book for row in sheet.iter_rows() for cell in row if cell.value]
    held = [cell for cell in cells if FORMULA in str(cell.value)]
    assert len(held) == 2 and {cell.data_type for cell in held} == {"s"}
    assert not [cell for cell in cells if cell.hyperlink]


async def test_whole_numbers_are_numbers_in_excel_and_words_are_words(shibata: Paper) -> None:
    sheet = openpyxl.load_workbook(io.BytesIO(sheet_excel(shibata)))["評価表"]
    values = [cell.value for row in sheet.iter_rows() for cell in row if cell.value is not None]
    assert 4500 in values and "約2,800" in values and "–" in values and "AAの維持" in values


async def test_the_terminal_and_the_files_take_the_registrations_for_the_year(
    service: Service, shibata: Paper
) -> None:
    result = shibata.view.results["line_registrations"].of(2022)
    assert result is not None and result.rate == Decimal("62.2")
    assert await paper(service, "shibata-5", 2023) is None
    assert await paper(service, "no-such", 2022) is None


@pytest.mark.skipif(not has_pdf(), reason="the extra [pdf] is not installed")
async def test_a_picture_that_was_cut_off_is_refused_also_after_a_pdf_was_made() -> None:
    await pdf_of("<p>町</p>")
    with pytest.raises(BadPicture):
        clean_picture(picture_files.png()[:300])


@pytest.mark.skipif(not has_pdf(), reason="the extra [pdf] is not installed")
async def test_a_pdf_is_made_of_the_same_page(service: Service, shibata: Paper) -> None:
    made = await sheet_pdf(environment(service), shibata)
    assert made.startswith(b"%PDF-") and len(made) > 50_000


async def test_page_command_and_every_file_give_one_figure_for_what_is_counted(
    service: Service, tanaka: Visitor
) -> None:
    """21 registrations by the end of 2020年度, counted: the same on screen, in JSON, CSV, Excel and the report."""
    await bring(service, "shibata")
    chosen = Preferences(categories=frozenset({"saigai"}))
    people = [Registration("line", "line", line_id(n), chosen, jst(2020, 6, 1)) for n in range(21)]
    async with service.database.write() as connection:
        await register_many(connection, service.keys, people, reason="import")
    found = await paper(service, "shibata-5", 2020)
    assert found is not None
    (report,) = await indicator_reports(service, (2020,), "line_registrations")
    page = await tanaka.get("/console/sheets/shibata-5/2020")
    read = list(csv.DictReader(io.StringIO(sheet_csv(found).decode("utf-8-sig"))))
    book = openpyxl.load_workbook(io.BytesIO(sheet_excel(found)))
    own = ("Ⅰ-1 モバイル端末アプリの活用", "実績", "2020")
    (from_csv,) = [row["数値"] for row in read if (row["施策"], row["区分"], row["年度"]) == own]
    rows_of_json = json.loads(sheet_json_text(found))["rows"]
    (from_json,) = [
        row["number"] for row in rows_of_json if (row["policy"], row["part"], str(row["year"])) == own
    ]
    (from_excel,) = [
        row[8] for row in book["データ"].iter_rows(values_only=True) if (row[3], row[4], str(row[6])) == own
    ]
    (from_report,) = [year["actual"] for year in indicator_json(report)["years"]]
    shown = found.view.results["line_registrations"].of(2020)
    assert shown is not None and shown.number == 21 and shown.rate is not None
    assert {int(from_csv), from_json, from_excel, from_report} == {21}
    assert re.search(r"<td>21</td>", page.html) and f"<td>{shown.rate_words}</td>" in page.html
    assert report.years[0].rate == float(shown.rate) == 1.1  # 21 of 2,000: 1.05, half goes up
