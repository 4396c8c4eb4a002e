"""Who a notice is for. Whatever is missing, empty, closed or unknown reaches nobody, loudly."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from sqlalchemy import and_, select

from content.notices import audience_counts
from content.notices.audience_counts import count_audience, count_part
from content.notices.chosen import write_rules
from content.notices.segments import NobodyMatches, Target, audience
from content.register import registration, subscriber_changes
from content.register.registration import Registration
from content.register.subscribers import Preferences, preference, subscriber
from content.town import SegmentRule
from tests.content.properties import few_examples, undone
from tests.factories import (
    APRIL_TUESDAY,
    ELDER,
    NEWCOMER,
    PARENT,
    create_town,
    line_id,
    make_subscriber,
    segment,
)

TODAY = date(2026, 4, 7)
CHOSEN = Target("segment", "chosen")
# Stands for the same rules without a name, ticked for one notice.
UNNAMED = Target("segment", "unnamed")


def unnamed(town):
    return Target("segment", write_rules(town.segment["chosen"].rules))


@pytest.fixture
def people(keys):
    """Register the three people; gives {id: person}."""

    async def register(connection):
        return {(await make_subscriber(connection, keys, p)).id: p for p in (PARENT, ELDER, NEWCOMER)}

    return register


async def who(connection, condition):
    rows = await connection.scalars(select(subscriber.c.id).where(condition).order_by(subscriber.c.id))
    return list(rows)


async def names(connection, people, town, target, category="saigai", today=TODAY):
    """The people that a target reaches, in order of registration."""
    return [people[found] for found in await who(connection, audience(town, target, category, today))]


async def test_subscribed_reaches_those_who_chose_the_category(database, people, town):
    async with database.write() as connection:
        known = await people(connection)
        assert await names(connection, known, town, Target(), "kosodate") == [PARENT]
        assert await names(connection, known, town, Target(), "event") == [NEWCOMER]
        assert await names(connection, known, town, Target(), "saigai") == [PARENT, ELDER, NEWCOMER]
        assert await names(connection, known, town, Target(), "gomi") == []


async def test_everyone_reaches_every_active_registration_whatever_it_chose(database, people, town):
    async with database.write() as connection:
        known = await people(connection)
        assert await names(connection, known, town, Target("everyone"), "gomi") == list(known.values())
        await subscriber_changes.leave(connection, min(known), reason="blocked", at=APRIL_TUESDAY)
        assert await names(connection, known, town, Target("everyone"), "gomi") == [ELDER, NEWCOMER]


@pytest.mark.parametrize("target", [Target(), Target("everyone"), Target("group", "kucho"), CHOSEN])
async def test_who_left_or_was_erased_is_never_reached(database, keys, target):
    town = create_town(segments=[segment({"field": "area", "any_of": ["funaoka"]})])
    async with database.write() as connection:
        left = await make_subscriber(connection, keys, PARENT, groups={"kucho"})
        erased = await make_subscriber(connection, keys, PARENT, address=line_id(1), groups={"kucho"})
        assert await who(connection, audience(town, target, "saigai", TODAY)) == [left.id, erased.id]
        await subscriber_changes.leave(connection, left.id, reason="blocked", at=APRIL_TUESDAY)
        await subscriber_changes.erase(connection, erased.id, reason="erased", at=APRIL_TUESDAY)
        assert await who(connection, audience(town, target, "saigai", TODAY)) == []


async def test_a_group_reaches_its_members_alone_whatever_they_chose(database, keys, people, town):
    async with database.write() as connection:
        await people(connection)
        head = await make_subscriber(
            connection, keys, ELDER, address=line_id(1), groups={"kucho"}, categories=set()
        )
        condition = audience(town, Target("group", "kucho"), "saigai", TODAY)
        assert await who(connection, condition) == [head.id]


async def test_a_segment_narrows_the_category_and_never_widens_it(database, people):
    town = create_town(segments=[segment({"field": "area", "any_of": ["funaoka", "tsukinoki"]})])
    async with database.write() as connection:
        known = await people(connection)
        assert await names(connection, known, town, CHOSEN, "saigai") == [PARENT, ELDER]
        assert await names(connection, known, town, CHOSEN, "kosodate") == [PARENT]
        assert await names(connection, known, town, CHOSEN, "event") == []


async def test_every_rule_of_a_segment_must_hold(database, people):
    town = create_town(
        segments=[
            segment(
                {"field": "area", "any_of": ["funaoka", "tsukinoki"]},
                {"field": "category", "none_of": ["kosodate"]},
            )
        ]
    )
    async with database.write() as connection:
        assert await names(connection, await people(connection), town, CHOSEN) == [ELDER]


async def test_the_segments_of_the_example_town_reach_whom_they_name(database, people, town):
    async with database.write() as connection:
        known = await people(connection)
        assert await names(connection, known, town, Target("segment", "abukuma")) == [PARENT, ELDER]
        assert await names(connection, known, town, Target("segment", "shiroishi")) == [PARENT, NEWCOMER]
        assert await names(connection, known, town, Target("segment", "babies")) == [PARENT]
        assert await names(connection, known, town, Target("segment", "foreign")) == [NEWCOMER]


@pytest.mark.parametrize(
    ("today", "reached"), [(date(2028, 10, 31), [PARENT]), (date(2028, 11, 1), [])], ids=["before", "after"]
)
async def test_a_child_leaves_the_segment_on_the_first_day_of_its_birth_month(
    database, people, town, today, reached
):
    async with database.write() as connection:
        known = await people(connection)
        assert await names(connection, known, town, Target("segment", "babies"), today=today) == reached


AREA = {"field": "area", "any_of": ["funaoka"]}
UNUSABLE = {
    "no rules": segment(),
    "closed": segment(AREA, closed=True),
    "an empty rule": segment({"field": "area"}),
    "an empty list": segment({"field": "area", "any_of": [], "none_of": []}),
    "one empty rule among good ones": segment(AREA, {"field": "category"}),
    "an empty language rule": segment({"field": "language"}),
    "a birth month without ages": segment({"field": "birth_month"}),
    "a birth month with a list": segment({"field": "birth_month", "any_of": ["2025-11"]}),
    "a birth month with ages and a list": segment(
        {"field": "birth_month", "children_aged": [0, 2], "none_of": ["2025-11"]}
    ),
    "ages on an area": segment({**AREA, "children_aged": [0, 2]}),
    "ages the wrong way round": segment({"field": "birth_month", "children_aged": [2, 0]}),
    "ages before birth": segment({"field": "birth_month", "children_aged": [-1, 2]}),
    "an unknown area": segment({"field": "area", "any_of": ["atlantis"]}),
    "an unknown area among known ones": segment({"field": "area", "any_of": ["funaoka", "atlantis"]}),
    "an unknown exclusion": segment({"field": "area", "none_of": ["atlantis"]}),
    "an unknown category": segment({"field": "category", "any_of": ["kujira"]}),
    "a closed category": segment({"field": "category", "none_of": ["old"]}),
    "an unknown group": segment({"field": "group", "any_of": ["kujira"]}),
    "an unknown language": segment({"field": "language", "none_of": ["fr"]}),
}


@pytest.mark.parametrize("item", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_segment_that_cannot_be_used_matches_nobody_and_says_so(town, item):
    closed = {"key": "old", "names": {"ja": "旧"}, "closed": True}
    categories = [*(item.model_dump() for item in town.categories), closed]
    with pytest.raises(NobodyMatches) as refused:
        audience(create_town(segments=[item], categories=categories), CHOSEN, "saigai", TODAY)
    assert refused.value.field == "segment"
    assert "ためしの配信対象" in str(refused.value)


@pytest.mark.parametrize(
    ("target", "field"),
    [
        (Target("segment", "gone"), "segment"),
        (Target("segment"), "segment"),
        (Target("group", "gone"), "group"),
        (Target("group"), "group"),
        (Target("all"), "target"),
        (Target(""), "target"),
    ],
)
def test_a_target_that_is_unknown_matches_nobody_and_names_its_field(town, target, field):
    with pytest.raises(NobodyMatches) as refused:
        audience(town, target, "saigai", TODAY)
    assert refused.value.field == field


@pytest.mark.parametrize("category", ["gone", "", "old"])
@pytest.mark.parametrize("kind", ["subscribed", "segment", "group", "everyone", "all"])
def test_an_unknown_or_closed_category_matches_nobody_whatever_the_target(kind, category):
    closed = {"key": "old", "names": {"ja": "旧"}, "closed": True}
    town = create_town(categories=[{"key": "saigai", "names": {"ja": "災害"}}, closed], templates=[])
    with pytest.raises(NobodyMatches) as refused:
        audience(town, Target(kind, "abukuma"), category, TODAY)
    assert refused.value.field == "category"


async def test_counts_are_given_per_account_also_when_nobody_matches(database, people, town):
    async with database.write() as connection:
        await people(connection)
    count = await count_audience(database, town, Target(), "saigai", ["line", "mail", "webhook"], TODAY)
    assert count == {"line": 2, "mail": 1, "webhook": 0}
    with pytest.raises(NobodyMatches):
        await count_audience(database, town, Target("segment", "gone"), "saigai", ["line"], TODAY)


@pytest.mark.parametrize("target", [Target(), Target("everyone")])
async def test_nobody_is_counted_in_an_empty_register(database, town, target):
    counts = await count_audience(database, town, target, "saigai", ["line", "mail"], TODAY)
    assert counts == {"line": 0, "mail": 0}


def test_a_target_is_described_in_words(town):
    assert Target().describe(town, "kosodate") == "「子育て」を選んだ登録者"
    assert Target("everyone").describe(town, "saigai") == "登録者全員(選んだ分野によらない)"
    assert "行政区長" in Target("group", "kucho").describe(town, "saigai")
    assert "阿武隈川沿い" in Target("segment", "abukuma").describe(town, "saigai")


@pytest.mark.parametrize("target", [Target("group", "gone"), Target("segment", "gone"), Target()])
def test_a_target_that_the_town_has_dropped_can_still_be_described(town, target):
    assert target.key in target.describe(town, "gone")


@pytest.mark.parametrize("key", ["[]", "[{", "[1]", '[{"field":"area","any_of":[]}]', '[{"field":"area"}]'])
def test_rules_written_out_that_are_empty_or_broken_match_nobody(town, key):
    with pytest.raises(NobodyMatches):
        audience(town, Target("segment", key), "saigai", TODAY)


@pytest.mark.parametrize(
    "rule",
    [
        {"field": "area", "any_of": ["gone"]},
        {"field": "area", "none_of": ["funaoka"], "unplaced": True},
        {"field": "group", "any_of": ["kucho"], "unplaced": True},
    ],
)
def test_rules_written_out_with_an_unknown_value_or_a_misplaced_part_match_nobody(town, rule):
    key = write_rules([SegmentRule.model_validate(rule)])
    with pytest.raises(NobodyMatches):
        audience(town, Target("segment", key), "saigai", TODAY)


def test_rules_written_out_are_told_in_words(town):
    rules = [
        SegmentRule(field="area", any_of=("funaoka", "tsukinoki"), unplaced=True),
        SegmentRule(field="birth_month", children_aged=(0, 2)),
        SegmentRule(field="language", any_of=("en",)),
    ]
    words = Target("segment", write_rules(rules)).describe(town, "event")
    assert words == (
        "「イベント」を選んだ登録者のうち、地区が船岡・槻木(地区を登録していない人も含む)、"
        "子どもが0〜2歳、ことばが英語"
    )


async def test_in_danger_to_life_who_never_named_a_district_is_told_too(database, keys, people, town):
    target = Target("segment", write_rules([SegmentRule(field="area", any_of=("funaoka",))]))
    async with database.write() as connection:
        known = await people(connection)
        nowhere = await make_subscriber(
            connection, keys, ELDER, address=line_id(5), areas=set(), categories={"saigai", "kosodate"}
        )
        parent = next(key for key, person in known.items() if person is PARENT)
        assert await who(connection, audience(town, target, "saigai", TODAY)) == [parent, nowhere.id]
        assert await who(connection, audience(town, target, "kosodate", TODAY)) == [parent]
    assert await count_audience(database, town, target, "saigai", ["line"], TODAY) == {"line": 2}
    assert await count_audience(database, town, target, "kosodate", ["line"], TODAY) == {"line": 1}


# The same question asked twice: of the database, and of plain Python.

CATEGORIES = ("saigai", "kosodate", "event")
AREAS = ("funaoka", "tsukinoki", "shibata")
GROUPS = ("kucho", "mimamori")
LANGUAGES = ("ja", "ja-easy", "en")
MONTHS = [f"{year}-{month:02d}" for year in (2022, 2023, 2024, 2025, 2026) for month in (3, 4, 5)]


def some(values):
    return st.frozensets(st.sampled_from(values), max_size=3)


CHOICES = st.builds(
    Preferences,
    paused_until=st.sampled_from([None, None, date(2026, 4, 6), date(2026, 4, 7), date.max]),
    categories=some(CATEGORIES),
    areas=some(AREAS),
    birth_months=some(MONTHS),
    groups=some(GROUPS),
    language=st.sampled_from(LANGUAGES),
)


@st.composite
def list_rules(draw):
    field, values = draw(
        st.sampled_from(
            [("category", CATEGORIES), ("area", AREAS), ("group", GROUPS), ("language", LANGUAGES)]
        )
    )
    rule = {"field": field, "any_of": sorted(draw(some(values))), "none_of": sorted(draw(some(values)))}
    assume(rule["any_of"] or rule["none_of"])
    if field == "area" and rule["any_of"]:
        rule["unplaced"] = draw(st.booleans())
    return rule


AGE_RULES = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(
    lambda ages: {"field": "birth_month", "children_aged": sorted(ages)}
)
RULES = st.lists(list_rules() | AGE_RULES, min_size=1, max_size=3)


def holds(rule, chosen, today, category):
    """What a rule means, read from its sentence in the guide rather than from the code."""
    if rule["field"] == "birth_month":
        youngest, oldest = rule["children_aged"]
        ages = [
            today.year - int(month[:4]) - (today.month < int(month[5:]))
            for month in chosen.birth_months
            if month <= f"{today:%Y-%m}"
        ]
        return any(youngest <= age <= oldest for age in ages)
    mine = {
        "category": chosen.categories,
        "area": chosen.areas,
        "group": chosen.groups,
        "language": {chosen.language},
    }[rule["field"]]
    wanted, unwanted = set(rule["any_of"]), set(rule["none_of"])
    if rule["field"] == "area" and not mine and (category == "saigai" or rule.get("unplaced")):
        # In danger to life, or when ticked, who never said where they live is told as well.
        return True
    return bool(not wanted or mine & wanted) and not mine & unwanted


def reached(target, rules, category, chosen, today):
    if target.kind == "everyone":
        return True
    # The town has said that 災害 is life-critical, so it comes whatever somebody chose.
    if category != "saigai" and chosen.paused_until is not None and today <= chosen.paused_until:
        return False
    if target.kind == "group":
        return target.key in chosen.groups
    if category not in chosen.categories and category != "saigai":
        return False
    return target.kind == "subscribed" or all(holds(rule, chosen, today, category) for rule in rules)


@given(
    people=st.lists(CHOICES, min_size=1, max_size=12),
    rules=RULES,
    target=st.sampled_from(
        [CHOSEN, CHOSEN, UNNAMED, UNNAMED, Target(), Target("everyone"), Target("group", "kucho")]
    ),
    category=st.sampled_from(CATEGORIES),
    today=st.sampled_from([date(2026, 3, 31), date(2026, 4, 1), date(2026, 4, 30), date(2026, 5, 1)]),
)
@few_examples
async def test_the_database_and_plain_python_agree_on_the_audience(
    database, keys, people, rules, target, category, today
):
    town = create_town(segments=[segment(*rules)])
    target = unnamed(town) if target is UNNAMED else target
    async with undone(database) as connection:
        registrations = [
            Registration("line", "line", line_id(n), chosen, APRIL_TUESDAY) for n, chosen in enumerate(people)
        ]
        ids = await registration.register_many(connection, keys, registrations, reason="import")
        condition = audience(town, target, category, today)
        found = await who(connection, condition)
        expected = [
            n
            for n, chosen in zip(ids, people, strict=True)
            if reached(target, rules, category, chosen, today)
        ]
        assert found == expected


# The count reads the account and the state from the rows of the preferences, so these must follow whatever
# happens to a registration.

ACCOUNTS = ("line", "mail")
EVENTS = st.lists(
    st.tuples(st.sampled_from(["change", "leave", "return", "erase", "leave before arriving"]), CHOICES),
    max_size=6,
)


def address_of(account, number):
    return line_id(number) if account == "line" else f"r{number}@example.jp"


async def live(connection, keys, number, account, chosen, resident_events):
    """One registration and what happens to it; its id, whether it is active in the end, and its choices."""
    own: dict[str, Any] = {"account": account, "channel": account, "plain": address_of(account, number)}
    common: dict[str, Any] = {"reason": "test", "at": APRIL_TUESDAY}
    clock = 0
    if resident_events and resident_events[0][0] == "leave before arriving":
        await subscriber_changes.leave_address(connection, keys, **own, **common, event_at=1)
        clock = 1
    clock += 1
    found, _ = await subscriber_changes.join(
        connection, keys, **own, **common, preferences=chosen, event_at=clock if clock > 1 else 0
    )
    state = "active"
    for what, other in resident_events:
        clock += 1
        if what == "change" and state != "erased":
            await subscriber_changes.change_preferences(connection, found.id, other, **common)
            chosen = other
        elif what == "leave" and state == "active":
            assert await subscriber_changes.leave(connection, found.id, **common)
            state = "left"
        elif what == "return" and state == "left":
            await subscriber_changes.join(connection, keys, **own, **common, preferences=other)
            state = "active"
        elif what == "erase":
            await subscriber_changes.erase(connection, found.id, **common)
            state = "erased"
    return found.id, state, chosen


async def disagreements(connection):
    """Rows of preferences that do not tell the account and the state of their subscriber."""
    rows = await connection.execute(
        select(preference, subscriber.c.account.label("own"), subscriber.c.state).join(
            subscriber, subscriber.c.id == preference.c.subscriber_id
        )
    )
    return [row for row in rows if (row.account, row.active) != (row.own, row.state == "active")]


@given(
    lives=st.lists(st.tuples(st.sampled_from(ACCOUNTS), CHOICES, EVENTS), min_size=1, max_size=8),
    imported=st.lists(st.tuples(st.sampled_from(ACCOUNTS), CHOICES, st.booleans()), max_size=8),
    rules=RULES,
    target=st.sampled_from(
        [CHOSEN, CHOSEN, UNNAMED, UNNAMED, Target(), Target("everyone"), Target("group", "kucho")]
    ),
    category=st.sampled_from(CATEGORIES),
)
@few_examples
async def test_whatever_happens_to_registrations_the_count_is_that_of_plain_python_and_of_the_fan_out(
    database, keys, lives, imported, rules, target, category
):
    town = create_town(segments=[segment(*rules)])
    target = unnamed(town) if target is UNNAMED else target
    async with undone(database) as connection:
        people = [
            (account, *await live(connection, keys, number, account, chosen, resident_events))
            for number, (account, chosen, resident_events) in enumerate(lives)
        ]
        registrations = [
            Registration(
                account,
                account,
                address_of(account, 100 + number),
                chosen,
                APRIL_TUESDAY,
                left_at=APRIL_TUESDAY if gone else None,
            )
            for number, (account, chosen, gone) in enumerate(imported)
        ]
        ids = await registration.register_many(connection, keys, registrations, reason="import")
        people += [
            (account, new_id, "left" if gone else "active", chosen)
            for new_id, (account, chosen, gone) in zip(ids, imported, strict=True)
        ]
        expected: dict[str, set[int]] = {account: set() for account in ACCOUNTS}
        for account, subscriber_id, state, chosen in people:
            if state == "active" and reached(target, rules, category, chosen, TODAY):
                expected[account].add(subscriber_id)
        condition = audience(town, target, category, TODAY)
        for account in ACCOUNTS:
            assert (
                set(await who(connection, and_(condition, subscriber.c.account == account)))
                == (expected[account])
            )
        wanted = {account: len(ids) for account, ids in expected.items()} | {"webhook": 0}
        about = (town, target, category, list(wanted), TODAY)
        assert await count_part(connection, *about) == wanted
        # Counted in two halves, wherever they meet.
        middle = sorted(ids)[len(ids) // 2] if ids else 0
        lower = await count_part(connection, *about, up_to=middle)
        upper = await count_part(connection, *about, after=middle)
        assert {account: lower[account] + upper[account] for account in wanted} == wanted
        assert await disagreements(connection) == []


@pytest.mark.parametrize("few", [1, 2, 3, 100])
async def test_the_count_is_the_same_whichever_choice_it_begins_with(database, people, monkeypatch, few):
    monkeypatch.setattr(audience_counts, "FEW", few)
    town = create_town(
        segments=[
            segment(
                {"field": "area", "any_of": ["funaoka", "tsukinoki"]},
                {"field": "category", "none_of": ["event"]},
                {"field": "birth_month", "children_aged": [0, 17]},
            )
        ]
    )
    async with database.write() as connection:
        known = await people(connection)
        assert await names(connection, known, town, CHOSEN) == [PARENT]
    counts = await count_audience(database, town, CHOSEN, "saigai", ["line", "mail"], TODAY)
    assert sum(counts.values()) == 1


async def test_who_has_several_children_of_the_ages_is_counted_once(database, keys):
    town = create_town(segments=[segment({"field": "birth_month", "children_aged": [0, 5]})])
    async with database.write() as connection:
        for number in range(3):
            await make_subscriber(connection, keys, ELDER, address=line_id(number))
        months = {"2023-05", "2024-01", "2025-11"}
        await make_subscriber(connection, keys, PARENT, address=line_id(9), birth_months=months)
    assert await count_audience(database, town, CHOSEN, "saigai", ["line", "mail"], TODAY) == {
        "line": 1,
        "mail": 0,
    }


# What a resident does with her settings, as properties: whatever else was chosen.


async def reaches(connection, keys, town, chosen, target, category):
    ids = await registration.register_many(
        connection, keys, [Registration("line", "line", line_id(1), chosen, APRIL_TUESDAY)], reason="import"
    )
    return await who(connection, audience(town, target, category, TODAY)) == ids


@given(
    chosen=CHOICES,
    more=CHOICES,
    target=st.sampled_from([Target(), Target("group", "kucho"), CHOSEN]),
    category=st.sampled_from(CATEGORIES),
)
@few_examples
async def test_nobody_gets_less_when_she_chooses_more(database, keys, chosen, more, target, category):
    town = create_town(segments=[segment({"field": "area", "any_of": ["funaoka", "tsukinoki"]})])
    # More topics, more districts, more children, more groups; a pause that is over or not begun.
    wider = replace(
        chosen,
        categories=chosen.categories | more.categories,
        areas=chosen.areas | more.areas if chosen.areas else chosen.areas,
        birth_months=chosen.birth_months | more.birth_months,
        groups=chosen.groups | more.groups,
        paused_until=None,
    )
    async with undone(database) as connection:
        before = await reaches(connection, keys, town, chosen, target, category)
    async with undone(database) as connection:
        after = await reaches(connection, keys, town, wider, target, category)
    assert after or not before


@given(chosen=CHOICES, category=st.sampled_from(CATEGORIES), named=some(AREAS))
@few_examples
async def test_nobody_outside_a_group_is_reached_by_it(database, keys, chosen, category, named):
    outside = replace(chosen, groups=chosen.groups - {"kucho"})
    rules = [{"field": "group", "any_of": ["kucho"]}]
    rules += [{"field": "area", "any_of": sorted(named)}] if named else []
    town = create_town(segments=[segment(*rules)])
    for target in (Target("group", "kucho"), CHOSEN):
        async with undone(database) as connection:
            assert not await reaches(connection, keys, town, outside, target, category)


@given(chosen=CHOICES, rules=st.lists(st.just({"field": "area", "any_of": ["funaoka"]}), max_size=1))
@few_examples
async def test_what_is_life_critical_comes_whatever_the_settings_say(database, keys, chosen, rules):
    """To the whole town, and to a district also for those who named none."""
    paused = replace(chosen, paused_until=date.max, quiet_hours="0-23")
    town = create_town(segments=[segment(*rules)] if rules else [])
    async with undone(database) as connection:
        assert await reaches(connection, keys, town, paused, Target(), "saigai")
    if rules:
        lives_elsewhere = bool(chosen.areas) and "funaoka" not in chosen.areas
        async with undone(database) as connection:
            assert await reaches(connection, keys, town, paused, CHOSEN, "saigai") is not lives_elsewhere
    async with undone(database) as connection:
        assert not await reaches(connection, keys, town, paused, Target(), "kosodate")
