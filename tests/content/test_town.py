"""The town profile: what it takes, and that an error names the field."""

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.clock import birth_months
from content.town import Account, TownProfileError, load_town
from tests.factories import SHIBATA, create_town


def load(tmp_path, old="", new=""):
    """Load the example with one piece of text replaced."""
    text = SHIBATA.read_text(encoding="utf-8")
    assert old in text
    path = tmp_path / "town.toml"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
    return load_town(path)


def test_the_example_town_loads():
    town = load_town(SHIBATA)
    assert town.name == "柴田町"
    assert town.channels == ("line", "mail", "webhook")
    assert town.always_categories == ("saigai",)
    assert town.name_in("en") == "Shibata Town"


def test_every_language_of_the_example_names_every_choice():
    town = load_town(SHIBATA)
    for item in (*town.categories, *town.areas):
        assert set(item.names) == set(town.languages)


def test_every_rule_of_the_example_uses_keys_of_its_town():
    town = load_town(SHIBATA)
    known: dict[str, Any] = {
        "area": town.area,
        "category": town.category,
        "group": town.group,
        "language": town.languages,
    }
    for segment in town.segments:
        for rule in segment.rules:
            assert {*rule.any_of, *rule.none_of} <= set(known.get(rule.field, ()))


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ('code = "043231"', 'code = "4323"', "code"),
        ("population = 38000", "population = 0", "population"),
        ("population = 38000", "", "population"),
        ("population = 38000", "inhabitants = 38000", "inhabitants"),
        ('languages = ["ja",', 'languages = ["fr",', "languages"),
        ('key = "saigai"', 'key = "災害"', "categories.0.key"),
        ('key = "bohan"', 'key = "saigai"', "categories: key saigai stands twice"),
        ('key = "mail"\nchannel', 'key = "line"\nchannel', "accounts: key line stands twice"),
        ("max_late_minutes = 60", "max_late_minutes = 0", "categories.0.max_late_minutes"),
        ('names = { ja = "災害・避難", ', "names = { ", "categories.0: .*names.ja is required"),
        ('channel = "line"', 'channel = "fax"', "accounts.0.channel"),
        ('everyone = "broadcast"', 'everyone = "shout"', "accounts.0.everyone"),
        ('field = "area"', 'field = "income"', r"segments.0.rules.0.field"),
        ("children_aged = [0, 2]", "children_aged = [0]", r"segments.2.rules.0.children_aged"),
        ('category = "saigai"', 'category = "saigay"', "templates.evacuation4.category: no category saigay"),
        ("targets = { 2020 = 2000,", 'targets = { 2020 = "many",', "indicators.0.targets"),
        ('month = "2022-04"', 'month = "2022/04"', "indicators.0.annotations.0.month"),
    ],
)
def test_an_error_names_the_field(tmp_path, old, new, named):
    with pytest.raises(TownProfileError, match=named) as refused:
        load(tmp_path, old, new)
    assert "town.toml" in str(refused.value)


OLD, ONE, TWO = ({"key": key, "names": {"ja": key}} for key in ("old", "one", "two"))
DAY = {"changed_on": date(2026, 10, 1)}


@pytest.mark.parametrize(
    ("items", "named"),
    [
        ([OLD | DAY | {"merged_into": "gone"}], r"old\.merged_into: there is no gone"),
        ([OLD | {"merged_into": "one"}, ONE], r"old\.changed_on: write from which day merged_into holds"),
        ([OLD | {"split_into": ["one", "two"]}, ONE, TWO], r"old\.changed_on: .* split_into holds"),
        ([OLD | DAY, ONE], r"old\.changed_on: say what happened"),
        ([OLD | DAY | {"merged_into": "old"}], r"old\.merged_into: old leads back to old"),
        (
            [OLD | DAY | {"merged_into": "one"}, ONE | DAY | {"split_into": ["old", "two"]}, TWO],
            r"old\.merged_into: one leads back to old",
        ),
        ([OLD | DAY | {"split_into": ["one", "one"]}, ONE], r"old\.split_into: name two keys or more"),
        ([OLD | DAY | {"merged_into": "one", "split_into": ["one", "two"]}, ONE, TWO], "keep one of the two"),
        (
            [OLD | DAY | {"merged_into": "one"}, ONE | {"closed": True, "changed_on": date(2026, 9, 1)}],
            r"old\.merged_into: one is over by 2026-10-01",
        ),
        (
            [ONE | {"former_names": [{"name": "旧", "until": date(2026, 1, n)} for n in (2, 1)]}],
            r"one\.former_names: the oldest first",
        ),
    ],
)
def test_what_does_not_fit_in_a_merger_or_split_is_named(items, named):
    with pytest.raises(ValueError, match=rf"areas\.{named}" if named.startswith(("old", "one")) else named):
        create_town(areas=items, segments=[])


def test_a_category_that_reaches_everybody_is_not_merged_with_one_that_is_chosen():
    town = create_town().model_dump()["categories"]
    for key, heir in (("event", "saigai"), ("saigai", "event")):
        changed = [item | (DAY | {"merged_into": heir} if item["key"] == key else {}) for item in town]
        with pytest.raises(ValueError, match=rf"categories\.{key}\.merged_into: .* must both be `always`"):
            create_town(categories=changed)


def test_an_account_that_posts_a_category_posts_what_it_becomes():
    town = create_town().model_dump()
    merged = [
        item | (DAY | {"merged_into": "seikatsu"} if item["key"] == "event" else {})
        for item in [*town["categories"], {"key": "seikatsu", "names": {"ja": "生活"}}]
    ]
    account = {"key": "x", "channel": "x", "categories": ["event"]}
    with pytest.raises(ValueError, match=r"accounts\.x\.categories: event became seikatsu"):
        create_town(categories=merged, accounts=[*town["accounts"], account])


def test_what_was_merged_and_split_leads_to_what_stands_for_it_from_its_day_on():
    before, day = date(2026, 9, 30), date(2026, 10, 1)
    town = create_town(
        segments=[],
        areas=[
            OLD | DAY | {"split_into": ["one", "two"]},
            ONE,
            TWO | {"changed_on": date(2027, 4, 1), "merged_into": "one"},
        ],
    )
    assert (town.heirs("area", "old", before), town.heirs("area", "old", day)) == (("old",), ("one", "two"))
    assert town.heirs("area", "old", date(2027, 4, 1)) == ("one",)
    # Who is not carried over yet is reached under the old key.
    assert [town.reach("area", key, day) for key in ("old", "one", "gone")] == [
        ("one", "two", "old"),
        ("one", "old"),
        ("gone",),
    ]
    assert [town.area["old"].is_over(one) for one in (before, day)] == [False, True]


def test_a_template_without_japanese_is_refused():
    words = {"en": {"title": "t", "body": "b"}}
    template = {"key": "fire", "name": "火災", "category": "saigai", "texts": words}
    with pytest.raises(ValueError, match=r"templates\.fire\.texts: ja is required"):
        create_town(templates=[template])


def test_several_errors_are_told_at_once(tmp_path):
    path = tmp_path / "town.toml"
    path.write_text('name = "柴田町"')
    with pytest.raises(TownProfileError) as refused:
        load_town(path)
    for field in ("code", "prefecture", "office", "categories", "accounts"):
        assert f"  {field}: " in str(refused.value)


def test_a_missing_profile_names_the_setting(tmp_path):
    with pytest.raises(TownProfileError, match="KAIRANBAN_TOWN"):
        load_town(tmp_path / "town.toml")


def test_what_is_not_toml_says_where(tmp_path):
    with pytest.raises(TownProfileError, match="line 1"):
        _load_text(tmp_path, b"code == 1")


def test_a_profile_in_shift_jis_is_refused_with_the_remedy(tmp_path):
    with pytest.raises(TownProfileError, match="UTF-8"):
        _load_text(tmp_path, 'name = "柴田町"'.encode("shift_jis"))


def _load_text(tmp_path, content):
    path = tmp_path / "town.toml"
    path.write_bytes(content)
    return load_town(path)


def test_a_name_falls_back_to_japanese(town):
    assert town.category["saigai"].name("en") == "Disaster & evacuation"
    assert town.group["kucho"].name("ja-easy") == "行政区長"


def test_a_live_account_carries_no_drill_unless_the_town_says_so():
    assert not Account(key="line", channel="line").carries("drill")
    assert Account(key="line", channel="line", also_carries=("drill",)).carries("drill")
    assert not Account(key="line", channel="line", also_carries=("drill",)).carries("test")
    assert not Account(key="line-drill", channel="line", mode="drill").carries("live")


def test_an_account_made_for_drills_comes_before_one_that_may_carry_them():
    live = {"key": "line", "channel": "line", "also_carries": ["drill"]}
    drill = {"key": "line-drill", "channel": "line", "mode": "drill"}
    town = create_town(accounts=[live, drill])
    assert [item.key for item in town.accounts_for("line", "drill")] == ["line-drill", "line"]
    assert [item.key for item in town.accounts_for("line", "live")] == ["line"]
    assert town.live_account("line").key == "line"
    assert town.live_account("mail") is None


@pytest.mark.parametrize(
    ("today", "ages", "months"),
    [
        (date(2026, 4, 7), (0, 2), ("2023-05", "2026-04")),
        (date(2026, 4, 30), (0, 2), ("2023-05", "2026-04")),
        (date(2026, 5, 1), (0, 2), ("2023-06", "2026-05")),
        (date(2026, 4, 7), (0, 0), ("2025-05", "2026-04")),
        (date(2026, 4, 7), (1, 1), ("2024-05", "2025-04")),
        (date(2026, 12, 31), (0, 0), ("2026-01", "2026-12")),
        (date(2027, 1, 1), (0, 0), ("2026-02", "2027-01")),
    ],
)
def test_ages_become_birth_months(today, ages, months):
    youngest, oldest = ages
    assert birth_months(youngest, oldest, today) == months


@pytest.mark.parametrize(
    ("day", "is_two"), [(date(2026, 3, 31), True), (date(2026, 4, 1), False), (date(2026, 4, 30), False)]
)
def test_a_child_turns_three_on_the_first_day_of_its_birth_month(day, is_two):
    first, last = birth_months(0, 2, day)
    assert (first <= "2023-04" <= last) is is_two


@pytest.mark.parametrize(("day", "counts"), [(date(2026, 3, 31), False), (date(2026, 4, 1), True)])
def test_a_child_to_be_born_next_month_does_not_count_yet(day, counts):
    first, last = birth_months(0, 2, day)
    assert (first <= "2026-04" <= last) is counts


@given(st.dates(date(1990, 1, 1), date(2100, 12, 31)), st.integers(0, 20), st.integers(1990, 2100))
def test_every_child_has_exactly_one_age(today, age, born):
    month = f"{born}-{today.month:02d}"
    ages = [n for n in range(111) if birth_months(n, n, today)[0] <= month <= birth_months(n, n, today)[1]]
    assert ages == ([today.year - born] if born <= today.year else [])
    assert birth_months(0, age, today) == (birth_months(age, age, today)[0], birth_months(0, 0, today)[1])


@pytest.mark.parametrize("code", ["043231", "082171", "131016", "011002"])
def test_a_code_with_its_check_digit_is_taken(code):
    assert create_town(code=code).code == code


@pytest.mark.parametrize("code", ["043230", "043213", "082172", "04323１"])
def test_a_code_that_was_mistyped_is_refused(code):
    with pytest.raises(ValueError, match="code"):
        create_town(code=code)
