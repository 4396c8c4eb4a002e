"""The town merges and splits what was chosen: nobody gets less than she chose, before and after she is carried over."""

from datetime import date

import pytest
from sqlalchemy import select

from content.clock import DAY
from content.figures import book
from content.figures.movements import Measure, Move
from content.notices.chosen import describe_rules
from content.notices.segments import NobodyMatches, Target, audience
from content.register import subscriber_changes
from content.register.carrying_over import carry_over, successions
from content.register.states import Route
from content.register.subscribers import registration_event, require, subscriber
from tests.factories import (
    APRIL_TUESDAY,
    ELDER,
    NEWCOMER,
    PARENT,
    create_town,
    make_subscriber,
    segment,
)

BEFORE, CHANGED = date(2026, 4, 7), date(2026, 4, 8)
AT = APRIL_TUESDAY + DAY
CHOSEN, AREA = Target(), Target("segment", "chosen")


def changed_town(*rules):
    """子育て and イベント become 生活, 船岡 becomes two districts."""
    town = create_town().model_dump()
    day = {"changed_on": CHANGED}
    categories = [
        item | (day | {"merged_into": "seikatsu"} if item["key"] in ("kosodate", "event") else {})
        for item in [*town["categories"], {"key": "seikatsu", "names": {"ja": "生活"}}]
    ]
    north, south = ({"key": f"funaoka-{part}", "names": {"ja": part}} for part in ("north", "south"))
    split = day | {"split_into": ["funaoka-north", "funaoka-south"]}
    areas = [item | (split if item["key"] == "funaoka" else {}) for item in [*town["areas"], north, south]]
    return create_town(categories=categories, areas=areas, segments=[segment(*rules)] if rules else [])


async def reached(connection, town, target, category, today):
    found = select(subscriber.c.id).where(audience(town, target, category, today))
    return set(await connection.scalars(found))


async def carry_all(connection, town, today=CHANGED):
    return [(await carry_over(connection, found, at=AT))[0] for found in successions(town, today)]


async def test_at_a_merger_and_a_split_everybody_is_reached_as_before(database, keys):
    town = changed_town({"field": "area", "any_of": ["funaoka"]})
    async with database.write() as connection:
        parent = (await make_subscriber(connection, keys, PARENT, areas={"funaoka"})).id
        newcomer = (await make_subscriber(connection, keys, NEWCOMER, areas={"tsukinoki"})).id
        await make_subscriber(connection, keys, ELDER, categories={"saigai"})

        async def told(category, today, target=CHOSEN):
            return await reached(connection, town, target, category, today)

        assert (await told("kosodate", BEFORE), await told("event", BEFORE)) == ({parent}, {newcomer})
        assert await told("seikatsu", BEFORE) == set()
        # From the day on, whether anybody was carried over or not.
        for _ in range(2):
            for category in ("kosodate", "event", "seikatsu"):
                assert await told(category, CHANGED) == {parent, newcomer}
            assert await told("seikatsu", CHANGED, AREA) == {parent}
            await carry_all(connection, town)
        for part in ("funaoka-north", "funaoka-south"):
            only = changed_town({"field": "area", "any_of": [part]})
            assert await reached(connection, only, AREA, "seikatsu", CHANGED) == {parent}
            without = changed_town({"field": "area", "none_of": [part]})
            assert await reached(connection, without, AREA, "seikatsu", CHANGED) == {newcomer}


async def test_choices_are_carried_over_once_with_an_event_by_a_route_of_its_own(database, keys):
    town = changed_town()
    async with database.write() as connection:
        both = await make_subscriber(
            connection, keys, PARENT, categories={"saigai", "kosodate", "event"}, areas={"funaoka"}
        )
        gone = await make_subscriber(connection, keys, ELDER, categories={"saigai", "event"})
        await subscriber_changes.leave(connection, gone.id, reason="blocked", at=APRIL_TUESDAY)
        assert await carry_all(connection, town, BEFORE) == []
        assert await carry_all(connection, town) == [1, 2, 1]
        assert await carry_all(connection, town) == [0, 0, 0]
        chosen = (await require(connection, both.id)).preferences
        assert chosen.categories == {"saigai", "seikatsu"}
        assert chosen.areas == {"funaoka-north", "funaoka-south"}
        assert chosen.birth_months == both.preferences.birth_months
        events = (
            await connection.execute(
                select(registration_event).where(registration_event.c.at == AT).order_by("id")
            )
        ).all()
        # Two were merged, one was split; who has left gets no event, and comes back to what stands now.
        assert [(row.subscriber_id, row.kind, row.reason, row.route) for row in events] == [
            (both.id, "changed", reason, Route.PROFILE) for reason in ("merged", "merged", "split")
        ]
        assert events[-1].choices == (
            "language:ja category:saigai category:seikatsu area:funaoka-north area:funaoka-south"
        )
        await subscriber_changes.come_back(connection, gone.id, reason="undone", at=AT)
        assert (await require(connection, gone.id)).preferences.categories == {"saigai", "seikatsu"}
        sums = await book.sums(connection, [Measure.CATEGORY], [BEFORE, CHANGED])
        moved = {(move.value, move.kind): n for (period, move), n in sums.items() if period == 1}
        assert moved["event", Move.DROPPED] == moved["kosodate", Move.DROPPED] == 1
        assert moved["seikatsu", Move.CHOSEN] == 1


async def test_many_are_carried_over_part_by_part(database, keys):
    town = changed_town()
    async with database.write() as connection:
        for number in range(3):
            await make_subscriber(connection, keys, NEWCOMER, address=f"{number}@example.jp")
        (found,) = [item for item in successions(town, CHANGED) if item.key == "event"]
        last, carried = 0, []
        while last is not None:
            part, last = await carry_over(connection, found, at=AT, after=last, most=2)
            carried.append(part)
        assert carried == [2, 1, 0]


@pytest.mark.parametrize(
    ("rule", "words"),
    [
        ({"field": "category", "none_of": ["event"]}, "「イベント」は「生活」へ統合されました"),
        ({"field": "area", "any_of": ["nishizumi"]}, "nishizumi"),
    ],
    ids=["leaving out what was merged", "a district that is closed"],
)
def test_what_a_person_must_decide_reaches_nobody_and_says_so(rule, words):
    town = changed_town(rule)
    if rule["field"] == "area":
        closed = {"key": "nishizumi", "names": {"ja": "西住"}, "closed": True, "changed_on": CHANGED}
        areas = [item for item in town.model_dump()["areas"] if item["key"] != "nishizumi"]
        town = create_town(areas=[*areas, closed], segments=[segment(rule)])
        audience(town, AREA, "saigai", BEFORE)
    with pytest.raises(NobodyMatches, match=words):
        audience(town, AREA, "saigai", CHANGED)


def test_a_target_says_what_stands_for_it_today():
    town = changed_town({"field": "area", "any_of": ["funaoka", "shibata"]})
    assert Target().describe(town, "event") == "「イベント」(いまは「生活」)を選んだ登録者"
    assert Target().describe(town, "gomi") == "「ごみ・環境」を選んだ登録者"
    rules = town.segment["chosen"].rules
    assert describe_rules(town, rules) == "地区が船岡(いまはnorth・south)・柴田"
