"""A series over the day on which the town merged or split it: marked, explained, and no zero where there is nothing to count."""

from __future__ import annotations

from datetime import date

import pytest

from bot.breaks import breaks, definition_words, is_applicable
from bot.console.month_tables import NO_SERIES, tables_of
from bot.month_report import MonthReport, about, rows_of
from bot.sent_report import DEFINITION, SentReport, SentRow
from bot.split_hints import split_hints
from content.clock import month_end
from content.figures.months import MonthFigure
from content.figures.observed import DayState
from content.register.subscribers import Preferences
from content.town import Town
from tests.factories import create_town

DAY = date(2026, 10, 15)


@pytest.fixture
def changed() -> Town:
    """イベント goes into くらし, 船岡 becomes two, 健康 was called otherwise until the end of September."""
    town = create_town().model_dump()
    day = {"changed_on": DAY}
    more = {
        "event": day | {"merged_into": "kurashi"},
        "kenko": {"former_names": [{"name": "保健", "until": date(2026, 9, 30)}]},
        "funaoka": day | {"split_into": ["north", "south"]},
    }
    parts = [{"key": key, "names": {"ja": name}} for key, name in (("north", "船岡北"), ("south", "船岡南"))]
    return create_town(
        segments=[],
        categories=[item | more.get(item["key"], {}) for item in town["categories"]],
        areas=[item | more.get(item["key"], {}) for item in [*town["areas"], *parts]],
    )


def figure(month: int, value: str, active: int | None, changed: int = 0) -> MonthFigure:
    last = month_end(2026, month)
    return MonthFigure(f"2026-{month:02d}", last, DayState.OBSERVED, "line", value, active, 0, 0, 0, changed)


def report(town: Town, by: str, *figures: MonthFigure) -> MonthReport:
    shown = tuple(item for item in figures if is_applicable(town, by, item))
    until = date(2026, 12, 31)
    return MonthReport(town, 2026, by, until, 0, shown, (), (), None, tuple(breaks(town, by, until)))


def test_a_series_ends_and_begins_with_a_mark_and_not_with_a_zero(changed: Town) -> None:
    found = report(
        changed,
        "area",
        *(figure(month, "funaoka", active) for month, active in ((9, 30), (10, 0), (11, 0))),
        *(figure(month, "north", active) for month, active in ((9, 0), (10, 30), (11, 29))),
        figure(9, "shibata", 0),
    )
    said = {(row["month"][5:], row["key"]): (row["active"], row["note"]) for row in rows_of(found)}
    split = "10月15日に「船岡」を「船岡北」「船岡南」へ分割"
    assert said == {
        ("09", "funaoka"): (30, ""),
        ("10", "funaoka"): (0, split),
        ("10", "north"): (30, split),
        ("11", "north"): (29, ""),
        ("09", "shibata"): (0, ""),  # a zero that was counted
    }
    matrix = tables_of(found).matrix
    assert matrix is not None
    assert dict(
        zip(matrix.names, zip(*(cells for _, cells, _ in matrix.lines), strict=True), strict=True)
    ) == {
        "船岡": (30, 0, NO_SERIES),
        "船岡北": (NO_SERIES, 30, 29),
        "柴田": (0, NO_SERIES, NO_SERIES),
    }
    assert [note for _, _, note in matrix.lines] == ["", "15日に「船岡」を「船岡北」「船岡南」へ分割", ""]


def test_the_definition_names_every_change_with_its_day(changed: Town) -> None:
    definition = dict(about(report(changed, "category")))["定義"]
    assert "2026-10-01 「保健」を「健康・福祉」へ改称" in definition
    assert "2026-10-15 「イベント」を「くらし・手続き」へ統合" in definition
    assert "両方を選んでいた登録は統合のあと1件になる" in definition
    # Of what was not changed until then nothing is said.
    assert definition_words(breaks(changed, "category", date(2026, 9, 30))) == ""
    assert breaks(changed, "language", DAY) == []


def test_notices_of_a_merged_category_stand_where_they_were_and_the_definition_says_so(changed: Town) -> None:
    nothing = SentRow("", "", "全体", 0, 0, 0, 0, 0, 0, 0, 0, None, None)
    said = SentReport(changed, 2026, 0, nothing, ()).definition
    assert "前の分野に数えます" in said and "2026-10-15 「イベント」を「くらし・手続き」へ統合" in said
    assert SentReport(changed, 2025, 0, nothing, ()).definition == DEFINITION


@pytest.mark.parametrize("language", ["ja", "ja-easy", "en"])
def test_who_has_every_part_of_what_was_split_is_asked_which_she_wants(changed: Town, language: str) -> None:
    every = Preferences(areas=frozenset({"north", "south", "shibata"}), language=language)
    assert len(split_hints(changed, "area", every, DAY)) == 1
    assert split_hints(changed, "area", every, date(2026, 10, 14)) == []
    assert split_hints(changed, "area", Preferences(areas=frozenset({"north"})), DAY) == []
    assert split_hints(changed, "area", every, date(2027, 11, 1)) == []
