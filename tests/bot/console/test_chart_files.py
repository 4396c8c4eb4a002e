"""The chart of an indicator as a file that speaks for itself, in both forms, with gaps, with one point, over ten years."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from datetime import date, timedelta

import pytest
from PIL import Image

from bot.console import chart_file as charts
from bot.console.chart_file import to_png, to_svg
from bot.pages import environment
from bot.reports import headline
from bot.service import Service
from content.clock import now_ms
from content.figures.counts import Movement
from content.figures.indicators import IndicatorReport, report
from content.figures.observed import Observation
from tests.bot.web_visitor import Visitor
from tests.factories import create_town

INDICATOR = "/console/reports/indicators/line_registrations"
TEXT = "{http://www.w3.org/2000/svg}text"


def of(
    moves: list[Movement], today: date, years: tuple[int, ...] = (), seen: Observation | None = None
) -> IndicatorReport:
    town = create_town()
    return report(town, town.indicator["line_registrations"], moves, today, years, seen)


def with_a_gap() -> IndicatorReport:
    today = date(2022, 9, 15)
    days = {date(2022, 4, 1) + timedelta(days=n) for n in range(200) if n < 70 or n > 100}
    seen = Observation(today, frozenset(days - {date(2022, 7, 31)}))
    return of([Movement(date(2022, 4, 1), "line", 1800, 0)], today, (2022,), seen)


def with_one_point() -> IndicatorReport:
    return of([Movement(date(2022, 4, 1), "line", 1800, 0)], date(2022, 4, 9), (2022,))


def over_ten_years() -> IndicatorReport:
    moves = [Movement(date(year, 7, 1), "line", 300 + 40 * (year % 3), 20) for year in range(2016, 2026)]
    return of(moves, date(2026, 3, 31), tuple(range(2016, 2026)))


@pytest.mark.parametrize("make", [with_a_gap, with_one_point, over_ten_years])
def test_a_file_says_what_it_shows_whoever_made_it_and_when(service: Service, make: object) -> None:
    found = make()  # type: ignore[operator]
    file = charts.chart_file(service.town, found, headline(found), now_ms())
    svg = ET.fromstring(to_svg(environment(service), file))
    words = [item.text or "" for item in svg.iter(TEXT)]
    for part in ("LINE情報配信登録の数", headline(found), "目標(年度)", "団体コード 043231", "定義 "):
        assert any(part in word for word in words), part
    assert ("観測なし" in words) == (make is with_a_gap)
    inside = float(svg.get("width", 0)), float(svg.get("height", 0))
    assert all(
        0 <= float(item.get("x", 0)) <= inside[0] and 0 <= float(item.get("y", 0)) <= inside[1]
        for item in svg.iter(TEXT)
    )
    picture = Image.open(io.BytesIO(to_png(file)))
    assert picture.size == (inside[0] * 2, inside[1] * 2) and len(picture.getcolors(1 << 20) or []) > 20


async def test_both_are_saved_from_the_page_and_a_machine_without_letters_says_what_it_lacks(
    kikaku: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = await kikaku.get(INDICATOR)
    assert "?format=svg" in page.html and "?format=png" in page.html
    for form, kind in (("svg", "image/svg+xml"), ("png", "image/png")):
        async with kikaku.client.get(f"{INDICATOR}?format={form}&year=2021") as answer:
            assert answer.content_type == kind and f".{form}" in answer.headers["Content-Disposition"]
    monkeypatch.setattr(charts, "japanese_font", lambda: None)
    lacking = await kikaku.get(f"{INDICATOR}?format=png")
    assert lacking.status == 503 and "fonts-noto-cjk" in lacking.text and "SVGは保存できます" in lacking.text
