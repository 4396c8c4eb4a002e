"""Leaving, gently, and the children of a registration: one set of acts behind every door."""

from __future__ import annotations

from datetime import date

import pytest
from sqlalchemy import select

from content.clock import DAY
from content.register import children, leaving, subscriber_changes
from content.register.children import BadChild
from content.register.states import Route, SubscriberState
from content.register.subscribers import UNTIL_CHANGED, child_word, registration_event, require
from tests.factories import APRIL_TUESDAY, PARENT, create_town, make_subscriber

TODAY = date(2026, 4, 7)


async def events(connection, subscriber_id):
    rows = await connection.execute(
        select(registration_event.c.kind, registration_event.c.reason, registration_event.c.route)
        .where(registration_event.c.subscriber_id == subscriber_id)
        .order_by(registration_event.c.id)
    )
    return [tuple(row) for row in rows]


async def test_fewer_topics_keep_what_is_life_critical_and_add_none(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys)
        kept = await leaving.keep_topics(
            connection, create_town(), parent.id, {"event"}, route=Route.WEB, at=APRIL_TUESDAY
        )
        assert kept.preferences.categories == {"saigai"}
        assert (await events(connection, parent.id))[1:] == [("changed", "resident", "web")]


async def test_a_pause_keeps_every_choice_and_ends_with_its_day(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys)
        paused = await leaving.pause(
            connection, parent.id, date(2026, 4, 30), route=Route.LINE, at=APRIL_TUESDAY
        )
        assert paused.preferences.is_paused(date(2026, 4, 30))
        assert not paused.preferences.is_paused(date(2026, 5, 1))
        assert (await require(connection, parent.id)).preferences == paused.preferences
        for_good = await leaving.pause(connection, parent.id, route=Route.LINE, at=APRIL_TUESDAY)
        assert for_good.preferences.paused_until == UNTIL_CHANGED
        back = await leaving.resume(connection, parent.id, route=Route.LINE, at=APRIL_TUESDAY)
        assert back.preferences == PARENT.preferences


@pytest.mark.parametrize(("later", "back"), [(7 * DAY, True), (7 * DAY + 1, False)])
async def test_an_end_is_taken_back_for_a_week_with_everything_chosen(database, keys, later, back) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys)
        assert await leaving.stop(connection, parent.id, route=Route.MAIL, at=APRIL_TUESDAY)
        ended = await require(connection, parent.id)
        undone = await leaving.undo_stop(connection, ended, route=Route.WEB, at=APRIL_TUESDAY + later)
        assert undone is back
        found = await require(connection, parent.id)
        assert found.state == (SubscriberState.ACTIVE if back else SubscriberState.LEFT)
        assert found.preferences == PARENT.preferences
        assert (await events(connection, parent.id))[1:] == [
            ("left", "unsubscribed", "mail"),
            *([("joined", "undone", "web")] if back else []),
        ]


async def test_an_end_that_the_resident_did_not_ask_for_is_not_taken_back(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys)
        await subscriber_changes.leave(connection, parent.id, reason="gone", at=APRIL_TUESDAY)
        ended = await require(connection, parent.id)
        assert not await leaving.undo_stop(connection, ended, route=Route.WEB, at=APRIL_TUESDAY)


async def test_each_child_has_a_row_a_word_of_its_own_and_goes_alone(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, birth_months=set())
        for month, word in (("2025-11", "ゆい"), ("2022-05", "")):
            await children.add_child(
                connection, keys, parent.id, month, word, today=TODAY, route=Route.WEB, at=APRIL_TUESDAY
            )
        found = await children.children_of(connection, keys, parent.id)
        assert [(one.number, one.birth_month, one.word) for one in found] == [
            (1, "2022-05", ""),
            (2, "2025-11", "ゆい"),
        ]
        sealed = await connection.scalar(select(child_word.c.sealed))
        assert "ゆい".encode() not in sealed
        await children.remove_child(connection, parent.id, "2025-11", route=Route.WEB, at=APRIL_TUESDAY)
        left = await children.children_of(connection, keys, parent.id)
        assert [one.birth_month for one in left] == ["2022-05"]
        assert await connection.scalar(select(child_word.c.sealed)) is None


@pytest.mark.parametrize(
    ("month", "word", "about"),
    [
        ("2026-05", "", "month"),
        ("2008-03", "", "month"),
        ("2024-13", "", "month"),
        ("2024-1", "", "month"),
        ("", "", "month"),
        ("2024-01", "x" * 13, "word"),
    ],
)
async def test_a_child_that_cannot_be_is_refused_and_changes_nothing(
    database, keys, month, word, about
) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys)
        with pytest.raises(BadChild, match=about):
            await children.add_child(
                connection, keys, parent.id, month, word, today=TODAY, route=Route.WEB, at=APRIL_TUESDAY
            )
        assert (await require(connection, parent.id)).preferences == PARENT.preferences


async def test_erasing_takes_the_words_for_children_too(database, keys) -> None:
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys)
        await children.add_child(
            connection, keys, parent.id, "2024-01", "ゆい", today=TODAY, route=Route.WEB, at=APRIL_TUESDAY
        )
        await subscriber_changes.erase(connection, parent.id, reason="erased", at=APRIL_TUESDAY)
        assert await connection.scalar(select(child_word.c.sealed)) is None
