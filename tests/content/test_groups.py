"""Groups: joined by a code and by nothing else, ended by a date after the group has been told."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import func, select

from content.clock import DAY, HOUR
from content.notices import triggers
from content.notices.group_ends import end_memberships
from content.notices.records import town_now
from content.notices.segments import NobodyMatches, Target, audience
from content.register import invitations, memberships, subscriber_changes, town_groups
from content.register.invitations import TRIES_A_DAY, JoinOutcome, join_by_code, looks_like_code
from content.register.memberships import members_of
from content.register.states import Route
from content.register.subscribers import membership, registration_event, require
from tests.factories import (
    APRIL_TUESDAY,
    ELDER,
    PARENT,
    create_town,
    line_id,
    make_notice,
    make_subscriber,
)

KNOWN = ("kucho", "mimamori")
LAST_DAY = date(2027, 3, 31)


async def make(connection, *, number=1, most=1, group="kucho", until=None, lasts=DAY):
    return await invitations.make_codes(
        connection,
        group,
        number=number,
        most=most,
        expires_at=APRIL_TUESDAY + lasts,
        member_until=until,
        staff="tanaka",
        at=APRIL_TUESDAY,
    )


async def join(connection, subscriber_id, code, *, at=APRIL_TUESDAY, known=KNOWN):
    found = await join_by_code(connection, subscriber_id, code, known, route=Route.LINE, at=at)
    return found.outcome


async def test_who_is_registered_already_joins_by_a_code_however_it_is_typed(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        code, other = await make(connection, number=2)
        # As a Japanese keyboard writes it: small, wide, with the long vowel for a hyphen.
        wide = "".join("ー" if one == "-" else chr(ord(one.lower()) + 0xFEE0) for one in code)
        assert looks_like_code(wide)
        assert await join(connection, parent.id, wide) == JoinOutcome.JOINED
        assert await join(connection, parent.id, other) == JoinOutcome.ALREADY
        now = await require(connection, parent.id)
        assert now.preferences.groups == {"kucho"}
        assert now.preferences.categories == PARENT.preferences.categories
        event = (
            await connection.execute(
                select(registration_event.c.reason, registration_event.c.route)
                .where(registration_event.c.subscriber_id == parent.id)
                .order_by(registration_event.c.id.desc())
                .limit(1)
            )
        ).one()
        assert tuple(event) == ("invited", "line")
        (member,) = await members_of(connection, "kucho")
        assert (member.number, member.since, member.until) == (parent.id, APRIL_TUESDAY, None)


async def test_a_code_serves_as_often_as_it_says(database, keys) -> None:
    async with database.write() as connection:
        people = [
            (await make_subscriber(connection, keys, PARENT, address=line_id(number))).id
            for number in range(3)
        ]
        (code,) = await make(connection, most=2)
        outcomes = [await join(connection, one, code) for one in people]
        assert outcomes == [JoinOutcome.JOINED, JoinOutcome.JOINED, JoinOutcome.WRONG]
        assert [item.used for item in await invitations.invitations_of(connection, "kucho")] == [2]


@pytest.mark.parametrize("case", ["over", "closed", "of a group that is gone", "forged", "empty", "left"])
async def test_a_code_that_is_not_good_opens_nothing_and_does_not_say_why(database, keys, case) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        (code,) = await make(connection, lasts=HOUR)
        at = APRIL_TUESDAY
        known: tuple[str, ...] = KNOWN
        if case == "over":
            at += HOUR
        if case == "closed":
            (kept,) = await invitations.invitations_of(connection, "kucho")
            assert await invitations.close_code(connection, "kucho", kept.id, at=at)
        if case == "of a group that is gone":
            known = ("mimamori",)
        if case == "left":
            await subscriber_changes.leave(connection, parent.id, reason="blocked", at=at)
        typed = {"forged": "AAAA-BBBB-CCCC", "empty": ""}.get(case, code)
        assert await join(connection, parent.id, typed, at=at, known=known) == JoinOutcome.WRONG
        assert (await require(connection, parent.id)).preferences.groups == frozenset()


async def test_guessing_ends_for_the_day(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        (code,) = await make(connection, lasts=3 * DAY)
        for _ in range(TRIES_A_DAY):
            assert await join(connection, parent.id, "AAAA-BBBB-CCCC") == JoinOutcome.WRONG
        assert await join(connection, parent.id, code) == JoinOutcome.TOO_MANY
        assert await join(connection, parent.id, code, at=APRIL_TUESDAY + DAY) == JoinOutcome.JOINED


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("ABCD-EFGH-JKMN", True),
        ("abcd efgh 2345", True),
        ("HEADQUARTERS", False),
        ("避難所", False),
        ("0224-00-0000", False),
        ("ABCD-EFGH-JKM", False),
        ("A" * 5000, False),
    ],
)
def test_what_looks_like_a_code(text: str, is_one: bool) -> None:
    assert looks_like_code(text) is is_one


async def test_a_group_made_on_the_screen_is_a_target_until_it_is_closed(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await make_subscriber(connection, keys, ELDER)
        town = create_town()
        key = await town_groups.make_group(connection, "消防団", staff="tanaka", at=APRIL_TUESDAY)
        await memberships.add_member(connection, key, parent.id, route=Route.COUNTER, at=APRIL_TUESDAY)
        seen = await town_now(connection, town)
        assert seen.group[key].name() == "消防団" and "kucho" in seen.group
        assert audience(seen, Target("group", key), "saigai", LAST_DAY) is not None
        assert await town_groups.close_group(connection, key)
        with pytest.raises(NobodyMatches):
            audience(await town_now(connection, town), Target("group", key), "saigai", LAST_DAY)
        assert not await town_groups.close_group(connection, "kucho")


async def test_a_membership_ends_after_its_day_and_only_when_the_group_was_told(database, keys) -> None:
    at = APRIL_TUESDAY
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        staying = await make_subscriber(connection, keys, ELDER)
        last = date(2026, 4, 7)
        await memberships.add_member(connection, "kucho", parent.id, until=last, route=Route.COUNTER, at=at)
        await memberships.add_member(connection, "kucho", staying.id, route=Route.COUNTER, at=at)
        the_next = date(2026, 4, 8)
        assert await end_memberships(connection, last, at) == 0
        # Nobody has been told, so nobody is put out.
        assert await end_memberships(connection, the_next, at) == 0
        told = await make_notice(connection, target=Target("group", "kucho"), at=at)
        await triggers.fire(connection, told, at)
        assert await end_memberships(connection, the_next, at + DAY) == 1
        assert [item.number for item in await members_of(connection, "kucho")] == [staying.id]
        now = await require(connection, parent.id)
        assert (now.state, now.preferences.groups) == ("active", frozenset())
        assert await end_memberships(connection, the_next, at + DAY) == 0


async def test_erasing_takes_the_membership_along(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await memberships.add_member(connection, "kucho", parent.id, route=Route.COUNTER, at=APRIL_TUESDAY)
        await subscriber_changes.erase(connection, parent.id, reason="erased", at=APRIL_TUESDAY)
        assert await connection.scalar(select(func.count()).select_from(membership)) == 0
        assert await members_of(connection, "kucho") == []
