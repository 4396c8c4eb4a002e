"""The figures for the assembly: definitions, 達成率, and files that a spreadsheet opens."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
import pytest_asyncio

from bot.console.chart import axis_top, draw
from bot.reports import headline, indicator_json, indicator_rows, to_csv
from bot.service import Service
from content.figures.counts import Movement
from content.figures.indicators import IndicatorReport, report
from content.figures.observed import Observation
from content.register.registration import Registration, register_many
from content.register.subscribers import Preferences
from tests.bot.web_visitor import Visitor
from tests.factories import create_town, jst, line_id

CHOSEN = Preferences(categories=frozenset({"saigai"}), areas=frozenset({"funaoka"}))
INDICATOR = "/console/reports/indicators/line_registrations"


@pytest_asyncio.fixture
async def registrations(service: Service) -> None:
    """40 by the end of 2020年度, 60 more in 2021, 30 of those gone in April 2022."""
    items = [Registration("line", "line", line_id(n), CHOSEN, jst(2020, 6, 1)) for n in range(40)]
    items += [
        Registration(
            "line", "line", line_id(100 + n), CHOSEN, jst(2021, 7, 1), jst(2022, 4, 15) if n < 30 else None
        )
        for n in range(60)
    ]
    items.append(Registration("mail", "mail", "someone@example.jp", CHOSEN, jst(2021, 7, 1)))
    async with service.database.write() as connection:
        await register_many(connection, service.keys, items, reason="import")


def small_report(today: date, years: tuple[int, ...] = ()) -> IndicatorReport:
    """1,800 registrations in July 2022 and 1,000 more in February 2023."""
    moves = [Movement(date(2022, 7, 1), "line", 1800, 0), Movement(date(2023, 2, 1), "line", 1000, 0)]
    town = create_town()
    return report(town, town.indicator["line_registrations"], moves, today, years)


def test_the_headline_is_the_sentence_for_the_assembly() -> None:
    assert headline(small_report(date(2024, 1, 1))) == "2022年度末の実績は2,800件、目標4,500件の62.2%です。"


def test_a_year_that_is_running_is_called_provisional() -> None:
    found = small_report(date(2022, 9, 15))
    assert headline(found) == "2022年度は、2022年9月15日現在の速報で1,800件、目標4,500件の40.0%です。"
    months = {row["period"]: row for row in indicator_rows(found)}
    assert months["2022-08"]["provisional"] is False
    assert months["2022-09"]["provisional"] is True
    assert months["2022-10"]["actual"] is None and months["2022-10"]["joined"] is None


def test_a_year_without_a_target_says_so() -> None:
    assert "目標の設定はありません" in headline(small_report(date(2024, 5, 1), (2023,)))


def test_rows_hold_the_months_and_the_year_with_its_rate() -> None:
    rows = indicator_rows(small_report(date(2024, 1, 1)))
    assert len(rows) == 3 * 13
    year = rows[-1]
    assert (year["period"], year["actual"], year["target"]) == ("2022年度", 2800, 4500)
    assert (year["rate_percent"], year["joined"], year["left"]) == (62.2, 2800, 0)


def test_a_csv_leaves_unknown_figures_empty() -> None:
    rows = indicator_rows(small_report(date(2022, 9, 15)))
    found = {row["period"]: row for row in csv.DictReader(io.StringIO(to_csv(rows)))}
    assert found["2022-10"]["actual"] == ""
    assert found["2022年度"]["rate_percent"] == "40.0"


def test_json_nests_months_in_their_year() -> None:
    found = indicator_json(small_report(date(2024, 1, 1)))
    assert [year["fiscal_year"] for year in found["years"]] == [2020, 2021, 2022]
    assert found["years"][2]["months"][3]["period"] == "2022-07"
    assert found["years"][2]["annotations"][0]["month"] == "2022-04"


@pytest.mark.parametrize(("highest", "top"), [(1, 1), (4, 4), (5, 6), (99, 100), (2800, 3000), (4500, 6000)])
def test_the_axis_ends_at_a_round_figure_that_holds_every_value(highest: int, top: int) -> None:
    found, step = axis_top(highest)
    assert found >= highest and found % step == 0
    assert found == top


def test_every_mark_of_a_chart_lies_inside_it() -> None:
    for width, height in ((760, 380), (358, 330)):
        found = small_report(date(2022, 9, 15))
        chart = draw(found, width, height)
        marks = [
            *chart.ticks,
            *chart.years,
            *chart.ends,
            *chart.remarks,
            *(step.label for step in chart.steps),
        ]
        assert all(0 <= mark.x <= width and 0 <= mark.y <= height for mark in marks)
        assert chart.provisional is not None
        known = [month for year in found.years for month in year.months if month.actual is not None]
        assert sum(len(line.split()) for line in chart.lines) == len(known) > 0


@pytest.mark.usefixtures("registrations")
async def test_an_indicator_shows_targets_actuals_and_rates_per_year(kikaku: Visitor) -> None:
    page = await kikaku.get(INDICATOR)
    assert "2022年度末の実績は70件、目標4,500件の1.6%です。" in page.text
    assert "2020年度 2,000 40 2.0%" in page.text
    assert "2021年度 3,000 100 3.3%" in page.text
    assert "2022年4月 70 0 30" in page.text
    assert "人数ではなく登録の数" in page.text
    assert "注1 2022年4月" in page.text and "保育所向けアプリ" in page.text
    # The years one over another, in a table too.
    assert page.html.count("form-0") == 4 and "10月 40 100 70" in page.text
    assert "年度をくらべる" not in (await kikaku.get(f"{INDICATOR}?year=2021")).text


@pytest.mark.usefixtures("registrations")
async def test_the_chart_is_an_image_with_words(kikaku: Visitor) -> None:
    page = await kikaku.get(INDICATOR)
    start = page.html.index("<svg")
    svg = ET.fromstring(page.html[start : page.html.index("</svg>") + 6])
    assert svg.get("role") == "img"
    assert svg.findtext("title") == "LINE情報配信登録の数の月別の推移"
    assert "70件" in (svg.findtext("desc") or "")
    assert "style=" not in page.html


@pytest.mark.usefixtures("registrations")
async def test_one_year_can_be_chosen(kikaku: Visitor) -> None:
    page = await kikaku.get(f"{INDICATOR}?year=2021")
    assert "2021年度末の実績は100件" in page.text
    assert "2022年4月" not in page.text
    assert (await kikaku.get(f"{INDICATOR}?year=abcd")).status == 200
    assert (await kikaku.get("/console/reports/indicators/none")).status == 404


@pytest.mark.usefixtures("registrations")
async def test_a_csv_file_opens_in_excel_with_japanese_headings(kikaku: Visitor) -> None:
    async with kikaku.client.get(f"{INDICATOR}?format=csv") as answer:
        content = await answer.read()
        assert "line_registrations-" in answer.headers["Content-Disposition"]
    assert content.startswith(b"\xef\xbb\xbf")
    rows = list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"))))
    year = next(row for row in rows if row["期間"] == "2021年度")
    assert (year["目標"], year["実績"], year["達成率(%)"]) == ("3000", "100", "3.3")


@pytest.mark.usefixtures("registrations")
async def test_counts_come_with_their_definition_and_date(kikaku: Visitor) -> None:
    page = await kikaku.get("/console/reports")
    assert "人数ではありません" in page.text and "現在" in page.text
    assert "LINE 70件" in page.text
    assert "災害・避難 70 1 0 71" in page.text
    assert "船岡 70 1 0 71" in page.text
    rows = json.loads((await kikaku.get("/console/reports?format=json")).html)
    assert {"measure": "channel", "channel": "line", "registrations": 70}.items() <= rows[0].items()


def test_labels_of_a_narrow_chart_do_not_stand_on_one_another() -> None:
    town = create_town()
    moves = [Movement(date(2020, 6, 1), "line", 2100, 0), Movement(date(2021, 6, 1), "line", 1096, 0)]
    found = report(town, town.indicator["line_registrations"], moves, date(2024, 1, 1))
    chart = draw(found, 358, 330)
    for step, end in zip(chart.steps, chart.ends, strict=True):
        assert abs(step.label.y - end.y) >= 14


def test_what_a_demo_invents_is_marked_at_every_point_but_the_published() -> None:
    moves = [Movement(date(2021, 3, 1), "line", 2100, 0), Movement(date(2023, 2, 1), "line", 700, 0)]
    town = create_town()
    indicator = town.indicator["line_registrations"].model_copy(
        update={"invented": True, "published": ("2023-03",)}
    )
    found = report(town, indicator, moves, date(2024, 1, 1))
    notes = {row["period"]: row["note"] for row in indicator_rows(found)}
    assert {period for period, note in notes.items() if not note.startswith("架空の値")} == {
        "2023-03",
        "2022年度",
    }
    assert [mark.text for mark in draw(found, 760, 380).ends] == ["2,100 架空", "2,100 架空", "2,800"]
    assert headline(found).startswith("2022年度末の実績は2,800件、")
    early = report(town, indicator, moves, date(2024, 1, 1), (2020,))
    assert "2,100件(架空の値)" in headline(early)


def test_no_line_goes_through_a_month_that_nobody_saw_and_one_month_alone_is_a_point() -> None:
    moves = [Movement(date(2022, 4, 1), "line", 1800, 0)]
    town, today = create_town(), date(2022, 9, 15)
    days = {date(2022, 4, 1) + timedelta(days=n) for n in range(200) if n < 70 or n > 100}
    days -= {date(2022, 7, 31)}
    seen = Observation(today, frozenset(days))
    found = report(town, town.indicator["line_registrations"], moves, today, (2022,), seen)
    assert [month.actual for month in found.years[0].months[:6]] == [1800, 1800, None, None, 1800, 1800]
    chart = draw(found, 760, 380)
    assert [len(line.split()) for line in chart.lines] == [2, 2]
    assert len(chart.gaps) == 1 and chart.points == ()
    alone = draw(
        report(town, town.indicator["line_registrations"], moves, date(2022, 4, 9), (2022,)), 760, 380
    )
    assert len(alone.points) == 1
