"""Follows, blocks and taps in any order and number end as they happened."""

from itertools import count, permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.bot.line.village import SATO, follow, tapped, unfollow

NUMBERS = count(1)
STORIES = st.lists(st.sampled_from([follow, unfollow, tapped]), min_size=1, max_size=5)


async def state(village, user_id=SATO):
    found = await village.registration(user_id)
    return found.state if found else None


async def happen(village, *events):
    """One webhook each, handled before the next comes."""
    for one in events:
        assert await village.post(one) == 200
        await village.handle()


async def test_a_late_block_does_not_undo_a_newer_return(any_village):
    await happen(any_village, follow(100), follow(300), unfollow(200))
    assert await state(any_village) == "active"


async def test_a_block_that_overtakes_its_follow_wins(any_village):
    await happen(any_village, unfollow(200), follow(100))
    assert await state(any_village) == "left"
    assert await any_village.history(SATO) == []


async def test_who_comes_back_after_that_is_registered_with_what_always_comes(any_village):
    await happen(any_village, unfollow(200), follow(100), follow(300))
    assert await state(any_village) == "active"
    assert (await any_village.preferences(SATO)).categories == {"saigai"}


async def test_events_of_one_webhook_are_taken_by_time_not_by_place(any_village):
    await any_village.post(unfollow(300), follow(100), tapped(200, "v1|category|on|bohan"))
    await any_village.handle()
    assert await state(any_village) == "left"
    assert (await any_village.preferences(SATO)).categories == {"saigai", "bohan"}
    assert await any_village.history(SATO) == ["joined", "changed", "left"]


async def test_a_tap_that_arrives_after_a_newer_block_does_not_bring_anybody_back(any_village):
    await happen(any_village, follow(100), unfollow(300), tapped(200, "v1|category|on|bohan"))
    assert await state(any_village) == "left"


async def test_a_late_block_does_not_undo_a_newer_tap(any_village):
    await happen(any_village, follow(100), tapped(300, "v1|show|summary"), unfollow(200))
    assert await state(any_village) == "active"


async def test_a_late_tap_does_not_undo_a_newer_one(any_village):
    on, off = "v1|category|on|bohan", "v1|category|off|bohan"
    await happen(any_village, follow(100), tapped(300, off), tapped(200, on))
    assert (await any_village.preferences(SATO)).categories == {"saigai"}
    await happen(any_village, {**tapped(300, on), "webhookEventId": "01SAMEMILLISECOND"})
    assert (await any_village.preferences(SATO)).categories == {"saigai", "bohan"}


@pytest.mark.parametrize("times", list(permutations((200, 300, 400))))
async def test_taps_in_any_order_end_with_the_newest(village, times):
    wishes = {200: "on", 300: "off", 400: "on"}
    await happen(village, follow(100), *(tapped(at, f"v1|category|{wishes[at]}|bohan") for at in times))
    assert (await village.preferences(SATO)).categories == {"saigai", "bohan"}


@given(data=st.data())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
async def test_any_order_and_any_copies_end_like_the_ordered_story(village, data):
    story = data.draw(STORIES)
    ordered, shuffled = (f"U{next(NUMBERS):032x}" for _ in range(2))
    places = list(enumerate(story))
    copies = data.draw(st.permutations(places + data.draw(st.lists(st.sampled_from(places), max_size=2))))
    together = data.draw(st.booleans())
    await happen(village, *(make(kind, at, ordered) for at, kind in places))
    events = [make(kind, at, shuffled) for at, kind in copies]
    await (village.post(*events) if together else happen(village, *events))
    await village.handle()
    assert await state(village, shuffled) == await state(village, ordered)
    assert await state(village, ordered) == ("left" if story[-1] is unfollow else "active")


def make(kind, place, user_id):
    at = 1_000 * (place + 1)
    return kind(at, "v1|category|on|bohan", user_id) if kind is tapped else kind(at, user_id)


@pytest.mark.parametrize("events", [(unfollow(1),), (unfollow(1), unfollow(2))])
async def test_a_block_by_somebody_unknown_counts_nobody(any_village, events):
    await happen(any_village, *events)
    assert await state(any_village) == "left"
    assert await any_village.history(SATO) == []


async def test_a_rush_after_an_alert_is_worked_off_in_the_order_of_time(village):
    people = [f"U{number:032x}" for number in range(30)]
    await village.post(*(tapped(2_000, "v1|category|off|bohan", person) for person in people))
    await village.post(*(tapped(1_000, "v1|category|on|bohan", person) for person in people))
    assert await village.handle() == 60
    for person in people[::29]:
        assert await village.history(person) == ["joined", "changed", "changed"]
        assert (await village.preferences(person)).categories == {"saigai"}
