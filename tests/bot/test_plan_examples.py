"""The three towns' plans: each cell of their tables as published, and every way out says the same."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest

from bot.sheets.blocks import Grid, Heading, printed
from bot.sheets.layouts import arrange
from content.figures.plans import Known, with_items
from content.figures.sheets import view
from content.plans.checks import misfits
from content.plans.models import Step
from content.plans.sheets import Entry
from tests.bot.sheets_story import example, plans_of
from tests.factories import create_town

TODAY = date(2026, 4, 7)
TABLES = Path(__file__).parents[2].parent / "shared" / "plan-tables.md"
SHIBATA_ROWS = {
    "Ⅰ-1": "line_registrations",
    "Ⅰ-3": "e_applications",
    "Ⅰ-4": "my_number_cards",
    "Ⅰ-5": "open_data",
    "Ⅰ-6": "web_accessibility",
    "Ⅱ-1": "mobile_devices",
    "Ⅱ-4": "access_points",
    "Ⅲ-2": "staff_training",
    "Ⅲ-3": "security_incidents",
    "Ⅲ-4": "security_incidents",
}


def seen(name, year):
    plans = plans_of(name)
    (plan,) = plans.plans.values()
    return view(create_town(), plans, plan, year, Known([], {}), TODAY)


def grids(name, year):
    return {block.caption: block for block in arrange(seen(name, year)) if isinstance(block, Grid)}


@pytest.mark.parametrize("name", ["shibata", "shimotsuke", "toride"])
def test_an_example_fits_together(name):
    plans = plans_of(name)
    items = [item for _, item in example(name)]
    assert [told for item in items for told in misfits(item, plans, TODAY)] == []
    assert all(plan.source for plan in plans.plans.values())


def test_shibata_has_ten_indicators_one_of_them_under_two_policies():
    plans = plans_of("shibata")
    named = [(policy.number, key) for policy in plans.policies_of("shibata-5") for key in policy.indicators]
    assert dict(named) == SHIBATA_ROWS and len(named) == 10


def test_the_registrations_are_62_percent_and_84_with_those_who_moved():
    year = seen("shibata", 2022).results["line_registrations"].of(2022)
    assert (year.actual.text, year.target.text, year.rate_words) == ("約2,800", "4,500", "約62.2%")
    assert f"{year.adjusted[0].rate}" == "84.4"


def test_incidents_have_a_verdict_and_no_rate():
    years = seen("shibata", 2022).results["security_incidents"].years
    assert [item.actual.text for item in years] == ["0件", "0件", "0件", "1件"]
    assert [item.met for item in years] == [True, True, True, False]
    assert {item.rate for item in years} == {None}


def squeezed(text):
    """A cell as it is compared: without blanks, footnote signs and what the list says in English beside it."""
    return re.sub(r"[\s*]", "", re.sub(r",? as of .*|; the results .*", "", text)).replace(",", "、")


@pytest.mark.skipif(not TABLES.exists(), reason="the towns' published tables are not beside this repository")
def test_every_cell_of_the_table_of_shibata_is_that_of_the_published_plan():
    results = seen("shibata", 2022).results
    compared = 0
    for line in TABLES.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        number = cells[0].split(" ")[0]
        if not line.startswith("| ") or number not in SHIBATA_ROWS or len(cells) != 6:
            continue
        found = results[SHIBATA_ROWS[number]]
        for year, cell in zip(range(2019, 2023), cells[1:5], strict=True):
            expected = "" if cell == "blank" else squeezed(cell)
            ours = found.of(year).target.text
            assert squeezed(ours) == expected, (number, year)
            compared += 1
    assert compared == 40


def numbers(text):
    """The figures of a sentence, without those of a date."""
    bare = re.sub(r"20\d\d(-\d\d)*(–20\d\d)?(年度)?|令和4年度|平成29年度|H2[45]", "", text)
    return {found.rstrip(".,") for found in re.findall(r"\d[\d,.]*", bare.replace("four", "4"))}


@pytest.mark.skipif(not TABLES.exists(), reason="the towns' published tables are not beside this repository")
def test_every_actual_of_shibata_is_that_of_the_published_results():
    results = seen("shibata", 2022).results
    compared = set()
    for line in TABLES.read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        number = cells[0].split(" ")[0]
        if not line.startswith("| ") or number not in SHIBATA_ROWS or len(cells) != 6:
            continue
        compared.add(number)
        years = [year for year in results[SHIBATA_ROWS[number]].years if not year.actual.is_blank]
        if number in ("Ⅲ-3", "Ⅲ-4"):
            assert [year.actual.text for year in years] == ["0件", "0件", "0件", "1件"]
            assert cells[5] in ("0, 0, 0, 1", "the same")
            continue
        (year,) = years
        entered = [year.actual.text, *(item.text for item in year.adjusted)]
        entered += [item.value.text for item in year.beside]
        computed = [year.rate_words, *(f"{item.rate}" for item in year.adjusted)]
        assert numbers(" ".join(entered)) <= numbers(cells[5]) <= numbers(" ".join(entered + computed)), (
            number
        )
        if not numbers(cells[5]) or number == "Ⅱ-1":
            assert squeezed(year.actual.text) == squeezed(cells[5])
        assert year.actual.about == ("約" if "約" in cells[5] else ""), number
    assert compared == set(SHIBATA_ROWS)


@pytest.mark.skipif(not TABLES.exists(), reason="the towns' published tables are not beside this repository")
def test_what_shibata_published_without_a_target_is_that_of_its_results():
    (told,) = [
        line
        for line in TABLES.read_text(encoding="utf-8").splitlines()
        if line.startswith("Published actuals without a target")
    ]
    results = seen("shibata", 2022).results
    without = {key: found.years for key, found in results.items() if key not in SHIBATA_ROWS.values()}
    assert set(without) == {"facebook_followers", "mobile_payments", "convenience_store_certificates"}
    for years in without.values():
        assert all(year.target.is_blank and year.actual.text in told for year in years)


@pytest.mark.skipif(not TABLES.exists(), reason="the towns' published tables are not beside this repository")
def test_the_costs_of_shimotsuke_are_those_of_the_published_plan():
    (told,) = [
        line for line in TABLES.read_text(encoding="utf-8").splitlines() if "デジタルサイネージ 541" in line
    ]
    ours = {cell for grid in grids("shimotsuke", 2015).values() for row in grid.rows for cell in row}
    assert {"1,940", "7,760", "541", "215", "200", "126", "500"} <= numbers(told) & ours
    owners = [owner for item in plans_of("shimotsuke").policies.values() for owner in item.owners]
    assert owners == ["総合政策課", "児童福祉課"] and all(owner in told for owner in owners)


def test_shimotsuke_shows_what_a_year_and_four_years_cost():
    found = grids("shimotsuke", 2015)
    rows = found["メール配信システム:計画期間内予算額(概算、千円)"].rows
    assert rows == (("メール配信システム", "1,940", "4", "7,760"), ("計", "1,940", "", "7,760"))
    assert found["デジタルサイネージ:計画期間内予算額(概算、千円)"].rows[-1] == ("計", "541", "", "2,164")
    late = found["観光情報のメール配信:計画期間内予算額(概算、千円)"].rows[0]
    assert late == ("観光情報のメール配信(H25から)", "500", "3", "1,500")
    assert found["メール配信システム:年度ごとの取り組む内容"].header[1:] == ("H24", "H25", "H26", "H27")


def test_toride_prints_its_percentages_beside_ours():
    found = grids("toride", 2017)
    assert found["総合評価の件数と割合"].rows[:4] == (
        ("完了", "22", "50.0%", "22", "50%"),
        ("継続", "17", "38.6%", "17", "38%"),
        ("調整", "3", "6.8%", "3", "7%"),
        ("停滞", "2", "4.5%", "2", "5%"),
    )
    assert found["方向性の件数と割合"].rows[:5] == (
        ("完了", "10", "22.7%", "10", "22%"),
        ("拡大・拡充", "13", "29.5%", "13", "30%"),
        ("継続", "14", "31.8%", "14", "32%"),
        ("再検討", "5", "11.4%", "5", "11%"),
        ("廃止", "2", "4.5%", "2", "5%"),
    )
    assert len(found["施策ごとの評価"].rows) == 44


@pytest.mark.skipif(not TABLES.exists(), reason="the towns' published tables are not beside this repository")
def test_the_counts_of_toride_are_those_of_the_published_plan():
    text = TABLES.read_text(encoding="utf-8")
    for grid in ("総合評価の件数と割合", "方向性の件数と割合"):
        for name, _, _, count, percent in grids("toride", 2017)[grid].rows[:-1]:
            assert re.search(rf"{name}(／目標達成)? {count} \({percent.strip('%')} ?%\)", text), name
    shares = [
        row[2].strip("%")
        for row in grids("toride", 2017)[next(k for k in grids("toride", 2017) if "割合(元" in k)].rows
    ]
    assert ", ".join(shares) + " %" in text


def test_a_value_with_a_date_of_its_own_shows_it():
    target = seen("shibata", 2022).results["my_number_cards"].of(2021).target
    assert printed(target) == "(45.5%)*(2022年1月1日現在)"


def test_the_layout_of_the_fourth_plan_has_its_parts_in_order():
    plans = plans_of("shibata")
    plan = plans.plans["shibata-5"].model_copy(update={"layout": "shibata-schedule"})
    policy = plans.policies["shibata-5-1-1"].model_copy(
        update={
            "aim": "LINEで知らせる。",
            "owners": ("まちづくり政策課",),
            "steps": (Step(name="LINEでの配信", years={2019: "検討", 2020: "実施", 2021: "→"}),),
        }
    )
    entry = Entry(done="始めた。", issues="登録を増やす。", next="拡大")
    sheet = plans.sheets["shibata-5-2022"].model_copy(update={"entries": {policy.key: entry}})
    known = with_items(plans, [plan, policy, sheet])
    blocks = arrange(view(create_town(), known, plan, 2022, Known([], {}), TODAY))
    start = next(n for n, block in enumerate(blocks) if getattr(block, "text", "").startswith("Ⅰ-1"))
    own = blocks[start : start + 12]
    assert own[0].text == "Ⅰ-1 モバイル端末アプリの活用(まちづくり政策課)"
    labels = [block.label for block in own if getattr(block, "label", "")]
    assert labels[:4] == ["施策内容", "主な取組内容", "今後の取組や課題", "次年度の方向"]
    grid = next(block for block in own if isinstance(block, Grid))
    assert grid.header == ("取り組む内容", "令和元年度", "令和2年度", "令和3年度", "令和4年度")
    assert grid.rows[0] == ("LINEでの配信", "検討", "実施", "→", "")
    assert grid.rows[1] == ("指標 LINE情報配信登録の数", "–", "2,000", "3,000", "4,500")


def test_the_list_of_measures_has_a_line_for_each_step_with_its_mark():
    plans = plans_of("shimotsuke")
    plan = plans.plans["shimotsuke-2"].model_copy(update={"layout": "shibata-list"})
    marked = plans.policies["shimotsuke-mail"].model_copy(update={"number": "1", "marks": ("●",)})
    known = with_items(plans, [plan, marked])
    blocks = arrange(view(create_town(), known, plan, 2015, Known([], {}), TODAY))
    (grid,) = [block for block in blocks if isinstance(block, Grid)]
    assert grid.header[:4] == ("番号", "項目", "実施項目", "印")
    assert grid.rows[0] == ("1", "メール配信システム", "運用", "●", "運用", "→", "→", "→")


def test_a_goal_takes_the_new_page_of_its_first_measure():
    plans = plans_of("shimotsuke")
    policies = [item.model_copy(update={"goal": "基本目標1"}) for item in plans.policies.values()]
    plan = plans.plans["shimotsuke-2"]
    known = with_items(plans, policies)
    blocks = arrange(view(create_town(), known, plan, 2015, Known([], {}), TODAY))
    heads = [(block.text, block.page) for block in blocks if isinstance(block, Heading)]
    # The very first page begins with the title.
    assert heads[:3] == [("基本目標1", False), ("メール配信システム", False), ("デジタルサイネージ", True)]
