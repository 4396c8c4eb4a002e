"""What a closed group is told stays with the group, whatever way it was aimed."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from content.database import Database
from content.notices import notices, publicity, triggers
from content.notices.recent_notices import listed
from content.notices.segments import NobodyMatches, Target, rules_of
from content.town import Town
from tests.factories import APRIL_TUESDAY, create_town, make_notice, segment

TODAY = date(2026, 4, 7)

CHOSEN = Target("segment", "chosen")
OPEN_RULES: list[dict[str, Any]] = [
    {"field": "area", "any_of": ["funaoka"]},
    {"field": "language", "none_of": ["ja"]},
    {"field": "birth_month", "children_aged": [0, 2]},
    {"field": "category", "any_of": ["event"]},
]
GROUP_RULES = [{"field": "group", "any_of": ["kucho"]}, {"field": "group", "none_of": ["mimamori"]}]


async def fired(database: Database, town: Town, target: Target, **changes: object) -> notices.Notice:
    async with database.write() as connection:
        notice_id = await make_notice(connection, target=target, category="saigai", **changes)  # type: ignore[arg-type]
        found = await notices.get(connection, notice_id)
        assert found is not None
        await publicity.write_down(connection, town, found)
        await triggers.fire(connection, notice_id, APRIL_TUESDAY)
        found = await notices.get(connection, notice_id)
    assert found is not None
    return found


@given(
    rules=st.lists(st.sampled_from(OPEN_RULES + GROUP_RULES), min_size=1, max_size=4),
    kind=st.sampled_from(("subscribed", "segment", "group", "everyone")),
)
def test_a_target_is_closed_exactly_when_a_group_decides_who_is_reached(
    rules: list[dict[str, object]], kind: str
) -> None:
    town = create_town(segments=[segment(*rules)])
    target = Target(kind, {"segment": "chosen", "group": "kucho"}.get(kind, ""))
    found = rules_of(town, target, "saigai", TODAY)
    asks_for_a_group = found is not None and any(
        choice.kind == "group" for choice in (*found.made, *found.not_made)
    )
    assert publicity.is_closed(town, target) == asks_for_a_group


@pytest.mark.parametrize("target", [Target("segment", "gone"), Target("group", "gone"), Target("unheard")])
def test_a_target_that_the_profile_does_not_know_is_closed(town: Town, target: Target) -> None:
    assert publicity.is_closed(town, target)
    with pytest.raises(NobodyMatches):
        rules_of(town, target, "saigai", TODAY)


async def test_what_was_closed_stays_closed_when_the_segment_changes(database: Database) -> None:
    before = create_town(segments=[segment(GROUP_RULES[0])])
    after = create_town(segments=[segment(OPEN_RULES[0])])
    found = await fired(database, before, CHOSEN)
    assert found.closed
    assert not publicity.is_public(before, found) and not publicity.is_public(after, found)


async def test_a_correction_of_a_closed_notice_is_closed_too(database: Database, town: Town) -> None:
    original = await fired(database, town, Target("group", "kucho"))
    correction = await fired(database, town, Target(), corrects=original.id, kind="correction")
    assert not publicity.is_public(town, correction)


async def test_an_open_notice_is_public_and_only_a_live_one_is_listed(database: Database, town: Town) -> None:
    live = await fired(database, town, Target())
    assert publicity.is_public(town, live) and publicity.is_listed(town, live, APRIL_TUESDAY)
    for mode in ("drill", "test"):
        practice = replace(live, spec=replace(live.spec, mode=mode))
        assert publicity.is_public(town, practice) and not publicity.is_listed(town, practice, APRIL_TUESDAY)


async def test_a_notice_leaves_the_list_at_its_end(database: Database, town: Town) -> None:
    end = APRIL_TUESDAY + 1
    ends = await fired(database, town, Target(), expires=end)
    stays = await fired(database, town, Target())
    assert publicity.is_public(town, ends)
    for now, expected in ((end - 1, [stays.id, ends.id]), (end, [stays.id])):
        async with database.read() as connection:
            assert [item.id for item in await listed(connection, town, 5, now)] == expected
