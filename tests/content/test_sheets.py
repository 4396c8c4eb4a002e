"""What a sheet takes its figures from, and that those of a confirmed one stand."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from decimal import Decimal

from content.database import Database
from content.figures.counts import Movement
from content.figures.hand_series import HandSeries, enter
from content.figures.plans import Known, read_known, result_of, with_items
from content.figures.sheets import frozen_counts, view
from content.figures.year_ends import Remark, YearEnd
from content.plans.checks import Plans
from content.plans.models import Plan, PlanIndicator, Policy
from content.plans.sheets import Sheet, SheetState
from tests.factories import create_town, jst

TODAY = date(2026, 5, 1)
PLAN = Plan(key="p", name="計画", first_year=2024, last_year=2027)
POLICY = Policy(key="q", plan="p", name="施策", indicators=("i",))


def plans(sheet=None, **changes) -> Plans:
    indicator = PlanIndicator.model_validate({"key": "i", "name": "指標", "targets": {2025: 100}, **changes})
    return with_items(Plans(), [PLAN, POLICY, indicator, *([sheet] if sheet else [])])


def moves(*days: tuple[date, int]) -> Known:
    return Known([Movement(day, "line", number, 0) for day, number in days], {})


def seen(known: Known, sheet=None):
    return view(create_town(), plans(sheet, count={"channels": ["line"]}), PLAN, 2025, known, TODAY)


def test_a_confirmed_sheet_keeps_its_count_and_tells_what_is_counted_later():
    before = seen(moves((date(2025, 6, 1), 2100)))
    held = frozen_counts(before)
    assert held["i"][2025].number == 2100
    sheet = Sheet(key="p-2025", plan="p", year=2025, state=SheetState.CONFIRMED, frozen=held)
    # An import brings back only those who stayed: the past would change.
    after = seen(moves((date(2025, 6, 1), 1358)), sheet)
    year = after.results["i"].of(2025)
    assert (year.actual.text, year.counted_now.number) == ("2,100", Decimal(1358))
    same = seen(moves((date(2025, 6, 1), 2100)), sheet).results["i"].of(2025)
    assert same.counted_now is None


def test_a_frozen_year_end_stands_on_every_sheet_and_a_later_correction_beside_it():
    figures = {("line", "total", ""): 2100}
    remark = Remark("取り込みで1人増えました", "tanaka", jst(2026, 4, 20))
    held = {2025: YearEnd(2025, jst(2026, 4, 1), "定義", True, figures, (remark,))}
    now = replace(moves((date(2025, 6, 1), 2101)), year_ends=held)
    draft = seen(now).results["i"].of(2025)
    assert (draft.actual.text, draft.rate, draft.as_of) == ("2,100", Decimal("2100.0"), date(2026, 3, 31))
    assert "2026-04-01 に年度末の値として確定" in draft.source
    # Confirmed before the correction was known, the sheet holds the same figure and tells the same beside it.
    sheet = Sheet(
        key="p-2025", plan="p", year=2025, state=SheetState.CONFIRMED, frozen=frozen_counts(seen(now))
    )
    confirmed = seen(now, sheet).results["i"].of(2025)
    for year in (draft, confirmed):
        assert (year.actual.text, year.counted_now.number) == ("2,100", Decimal(2101))
        assert [words.endswith("tanaka: 取り込みで1人増えました") for words in year.remarks] == [True]


def test_a_draft_shows_what_is_counted_now():
    assert seen(moves((date(2025, 6, 1), 1358))).results["i"].of(2025).actual.text == "1,358"


async def test_a_series_that_is_entered_by_hand_gives_the_newest_value_of_each_year(database: Database):
    followers = HandSeries("followers", "フォロワー", "人")
    async with database.write() as connection:
        for day, value in (
            (date(2025, 5, 1), 2000.0),
            (date(2026, 3, 1), 2300.0),
            (date(2026, 4, 2), 2350.0),
        ):
            await enter(connection, followers, day, value, "SNS", staff="tanaka", at=1)
        # A correction of the same day counts instead.
        await enter(connection, followers, date(2026, 3, 1), 2310.0, "SNS", staff="tanaka", at=2)
        known_plans = plans(series="followers")
        known = await read_known(connection, known_plans)
    item = known_plans.indicators["i"]
    found = result_of(create_town(), known_plans, item, known, TODAY, PLAN)
    assert [year.actual.text for year in found.years] == ["", "2,310", "2,350", ""]
    last, this = found.of(2025), found.of(2026)
    assert (last.provisional, this.provisional) == (False, True)
    assert "tanaka" in last.source
