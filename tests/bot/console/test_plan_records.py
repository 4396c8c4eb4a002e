"""Plans, policies and indicators on the screen: what would change is shown first, and nobody's words are lost."""

from __future__ import annotations

import re

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from bot.console.plan_fields import fields_of, merged, values_of
from bot.console.plan_words import label_of
from bot.service import Service
from content.notices.records import MODELS, RecordKind, find_record
from content.plans.models import Plan, PlanIndicator, Policy
from content.plans.sheets import Sheet
from content.staff import audit, member_changes, members
from tests.bot.sheets_story import bring, example
from tests.bot.web_visitor import Page, Visitor

RECORDS = "/console/plan-records"
LINE = f"{RECORDS}/indicator/line_registrations"


@pytest_asyncio.fixture
async def plans(service: Service) -> None:
    await bring(service, "shibata")


async def stored(service: Service, kind: RecordKind, key: str):
    async with service.database.read() as connection:
        return await find_record(connection, kind, key)


async def confirm(visitor: Visitor, page: Page, path: str) -> Page:
    """Save what the page of what would change shows."""
    assert "この内容で保存する" in page.text, page.text
    return await visitor.submit(page, path, {})


@pytest.mark.parametrize("town", ["shibata", "shimotsuke", "toride"])
def test_what_a_form_shows_becomes_the_same_record_again(town: str) -> None:
    years = {"shibata": range(2019, 2023), "shimotsuke": range(2012, 2016), "toride": range(2013, 2018)}
    for kind, item in example(town):
        if not isinstance(item, Sheet):
            shown = values_of(item, tuple(years[town]))
            before = item.model_dump(mode="json", exclude_defaults=True)
            again = MODELS[kind].model_validate(fields_of(kind, shown, before, tuple(years[town])))
            assert isinstance(again, Plan | Policy | PlanIndicator)
            # A dash stays a dash; an empty target is one that nobody wrote.
            assert values_of(again, tuple(years[town])) == shown


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (("targets", 2022, "text"), "2022年度の目標"),
        (("actuals", "2022", "as_of"), "2022年度の実績の現在日"),
        (("costs", 0, "amount"), "経費の1行目の金額"),
        (("first_year",), "始まりの年度"),
        ((), ""),
    ],
)
def test_a_place_in_a_record_has_words(place: tuple[int | str, ...], words: str) -> None:
    assert label_of(place) == words


async def test_a_plan_its_policy_and_its_indicator_are_made_on_the_screen(
    tanaka: Visitor, service: Service
) -> None:
    empty = await tanaka.get("/console/plans")
    assert "計画はまだありません" in empty.text
    new = f"{RECORDS}/plan/new"
    wrong = await tanaka.submit(
        await tanaka.get(new), new, {"name": "第6次計画", "first_year": "26", "last_year": "2030"}
    )
    assert wrong.status == 422
    assert "始まりの年度: 年度は西暦4桁で書いてください(「26」ではなく" in wrong.text
    assert dict(wrong.form(new))["name"] == "第6次計画"
    asked = await tanaka.submit(wrong, new, {"first_year": "２０２６", "scales": "評価: A=よい、B、C"})
    assert "2026" in asked.text and "まだ保存していません" in asked.text
    page = await confirm(tanaka, asked, new)
    assert page.path.startswith("/console/plans/p-") and "施策はまだありません" in page.text
    plan = page.path.rpartition("/")[2]
    made = await stored(service, RecordKind.PLAN, plan)
    assert [grade.name for grade in made.content.scales[0].grades] == ["A", "B", "C"]
    form = f"{RECORDS}/indicator/new"
    asked = await tanaka.submit(
        await tanaka.get(f"{form}?plan={plan}"),
        form,
        {"name": "アプリ利用者", "targets.2027.text": "１，０００"},
    )
    page = await confirm(tanaka, asked, form)
    assert "アプリ利用者" in page.text and "1,000" in page.text
    form = f"{RECORDS}/policy/new"
    fresh = await tanaka.get(f"{form}?plan={plan}")
    (ticked,) = re.findall(r'name="(indicators\.i-\w+)"', fresh.html)
    typed = {"name": "アプリの活用", ticked: "1", "steps.0.name": "周知", "steps.0.2026": "実施"}
    page = await confirm(tanaka, await tanaka.submit(fresh, form, typed), form)
    sheet = await tanaka.get(f"/console/sheets/{plan}/2026")
    assert "アプリの活用" in sheet.text and "実施" in sheet.text and "1,000" in sheet.text
    async with service.database.read() as connection:
        acts = {item.action for item in await audit.entries(connection, actor="tanaka")}
    assert {"plan.added", "indicator.added", "policy.added"} <= acts


@pytest.mark.usefixtures("plans")
async def test_what_would_change_is_shown_and_the_actual_bears_who_entered_it(
    tanaka: Visitor, service: Service
) -> None:
    asked = await tanaka.submit(await tanaka.get(LINE), LINE, {"actuals.2021.text": "2,100"})
    assert "2021年度の実績" in asked.text and "(空)" in asked.text and "2,100" in asked.text
    before = await stored(service, RecordKind.INDICATOR, "line_registrations")
    assert 2021 not in before.content.actual and before.version == 1
    page = await confirm(tanaka, asked, LINE)
    assert page.path == "/console/plans/shibata-5"
    after = (await stored(service, RecordKind.INDICATOR, "line_registrations")).content
    assert after.actual[2021].entered_by == "tanaka" and after.actual[2022].entered_by == ""
    assert after.actual[2022].adjustments == before.content.actual[2022].adjustments
    again = await confirm_again(tanaka, asked)
    assert again.path == "/console/plans/shibata-5"
    assert (await stored(service, RecordKind.INDICATOR, "line_registrations")).version == 2


async def confirm_again(visitor: Visitor, page: Page) -> Page:
    """The same form a second time, as a double click sends it."""
    return await visitor.submit(page, LINE, {})


@pytest.mark.usefixtures("plans")
@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"targets.2021.text": "たくさん"}, "2021年度の目標「たくさん」は数として読めません"),
        ({"targets.2021.text": "1e9"}, "2021年度の目標「1e9」は数として読めません"),
        ({"targets.2021.text": "-5"}, "0 から 999,999,999 までの数"),
        ({"actuals.2021.text": "5", "actuals.2021.as_of": "2999-03-31"}, "はまだ来ていない日です"),
        (
            {"actuals.2021.as_of": "昨日", "actuals.2021.text": "5"},
            "2021年度の実績の現在日: 2026-03-31 のように",
        ),
        ({"remarks": "2022-04 " + "長" * 5_000}, "500文字までにしてください"),
        ({"remarks": "いつか"}, "この形では使えません"),
        ({"name": ""}, "名前: 書いてください"),
    ],
)
async def test_a_wrong_value_is_named_and_what_was_typed_stays(
    tanaka: Visitor, service: Service, typed: dict[str, str], told: str
) -> None:
    refused = await tanaka.submit(await tanaka.get(LINE), LINE, typed)
    assert refused.status == 422 and told in refused.text
    assert typed.items() <= dict(refused.form(LINE)).items()
    assert (await stored(service, RecordKind.INDICATOR, "line_registrations")).version == 1


@pytest.mark.usefixtures("plans")
async def test_the_second_of_two_officers_is_told_sees_both_and_may_go_on(
    tanaka: Visitor, suzuki: Visitor, service: Service
) -> None:
    mine, theirs = await tanaka.get(LINE), await suzuki.get(LINE)
    first = {"targets.2021.text": "3,100", "actuals.2021.text": "2,100"}
    await confirm(tanaka, await tanaka.submit(mine, LINE, first), LINE)
    told = await suzuki.submit(theirs, LINE, {"targets.2021.text": "3,200"})
    assert told.status == 409 and "ほかの人が先に変えました" in told.text
    assert "3,100" in told.text and "3,200" in told.text
    await confirm(suzuki, await suzuki.submit(told, LINE, {}), LINE)
    found = await stored(service, RecordKind.INDICATOR, "line_registrations")
    assert found.content.targets[2021].text == "3,200" and found.version == 3
    # What she did not touch is as the first one left it.
    assert (found.content.actual[2021].text, found.content.actual[2021].entered_by) == ("2,100", "tanaka")


TEXTS = st.dictionaries(st.sampled_from("abcd"), st.sampled_from(["", "1", "2"]), max_size=4)


@given(TEXTS, TEXTS, TEXTS)
def test_of_two_changes_each_field_takes_the_one_that_was_made(base, now, typed):
    found = merged(base, now, typed)
    for name in "abcd":
        mine, theirs, before = typed.get(name, ""), now.get(name, ""), base.get(name, "")
        assert found.get(name, "") == (theirs if mine == before else mine)


@pytest.mark.usefixtures("plans")
async def test_a_viewer_reads_plans_and_changes_none(kikaku: Visitor) -> None:
    page = await kikaku.get("/console/plans/shibata-5")
    assert "約2,800" in page.text and "計画を直す" not in page.text
    assert (await kikaku.get(LINE)).status == 403


@pytest.mark.usefixtures("plans")
async def test_a_planning_officer_keeps_plans_and_writes_no_notice(kikaku: Visitor, service: Service) -> None:
    async with service.database.write() as connection:
        member = await members.find_any(connection, "kikaku")
        assert member is not None
        await member_changes.set_role(connection, member, "planner")
    asked = await kikaku.submit(await kikaku.get(LINE), LINE, {"number": "Ⅰ-1a"})
    assert (await confirm(kikaku, asked, LINE)).path == "/console/plans/shibata-5"
    assert (await kikaku.get("/console/notices/new")).status == 403
