"""Counts of registrations: computed from events, by days in Japan, and kept as snapshots."""

from datetime import date

import pytest

from content.clock import DAY
from content.figures import counts
from content.figures.counts import Movement
from content.register import subscriber_changes
from tests.factories import (
    APRIL_TUESDAY,
    ELDER,
    NEWCOMER,
    PARENT,
    PEOPLE,
    YEAR_END,
    YEAR_START,
    line_id,
    make_subscriber,
)

MARCH_31, APRIL_1 = date(2026, 3, 31), date(2026, 4, 1)


@pytest.mark.parametrize(("at", "day"), [(YEAR_END, MARCH_31), (YEAR_START, APRIL_1)], ids=["31st", "1st"])
async def test_a_registration_belongs_to_its_day_in_japan(database, keys, at, day):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT, at=at)
        assert await counts.movements(connection) == [Movement(day, "line", 1, 0)]


@pytest.mark.parametrize(("at", "count"), [(YEAR_END, 0), (YEAR_START, 1)], ids=["31st", "1st"])
async def test_a_departure_belongs_to_its_day_in_japan(database, keys, at, count):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT, at=YEAR_END - DAY)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=at)
        moves = await counts.movements(connection)
        assert counts.count_at(moves, {"line"}, MARCH_31) == count
        assert counts.count_at(moves, {"line"}, APRIL_1) == 0


async def test_movements_are_summed_per_day_and_account_in_order(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT, at=APRIL_TUESDAY + DAY)
        await make_subscriber(connection, keys, ELDER, at=APRIL_TUESDAY)
        await make_subscriber(connection, keys, NEWCOMER, at=APRIL_TUESDAY)
        await make_subscriber(connection, keys, ELDER, address=line_id(1), at=APRIL_TUESDAY)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=APRIL_TUESDAY + DAY)
        assert await counts.movements(connection) == [
            Movement(date(2026, 4, 7), "line", 2, 0),
            Movement(date(2026, 4, 7), "mail", 1, 0),
            Movement(date(2026, 4, 8), "line", 1, 1),
        ]


async def test_changed_choices_move_no_count(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        before = await counts.movements(connection)
        await subscriber_changes.change_preferences(
            connection, parent.id, ELDER.preferences, reason="page", at=APRIL_TUESDAY + DAY
        )
        assert await counts.movements(connection) == before


async def test_the_count_of_one_account_is_not_that_of_another(database, keys):
    async with database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, keys, person)
        moves = await counts.movements(connection)
        today = date(2026, 4, 7)
        assert counts.count_at(moves, {"line"}, today) == 2
        assert counts.count_at(moves, {"line", "mail"}, today) == 3
        assert counts.count_at(moves, {"webhook"}, today) == 0
        assert counts.count_at(moves, {"line"}, date(2026, 4, 6)) == 0
        assert await counts.active_now(connection) == {"line": 2, "mail": 1}


async def test_choices_are_counted_among_active_registrations(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await make_subscriber(connection, keys, ELDER)
        await make_subscriber(connection, keys, NEWCOMER)
        assert await counts.active_by_choice(connection, "category") == [
            ("line", "kosodate", 1),
            ("line", "saigai", 2),
            ("mail", "event", 1),
            ("mail", "saigai", 1),
        ]
        assert await counts.active_by_choice(connection, "birth_month") == [("line", "2025-11", 1)]
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=APRIL_TUESDAY)
        assert await counts.active_by_choice(connection, "birth_month") == []
        assert await counts.active_by_choice(connection, "area") == [
            ("line", "tsukinoki", 1),
            ("mail", "shibata", 1),
        ]
