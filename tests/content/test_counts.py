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
    jst,
    line_id,
    make_subscriber,
)

MARCH_31, APRIL_1 = date(2026, 3, 31), date(2026, 4, 1)


async def totals(connection, first, last):
    """{(day, account): count} of the snapshots of whole accounts."""
    rows = await counts.snapshots(connection, first, last)
    return {(day, account): count for day, account, category, count in rows if category == ""}


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


async def test_without_any_registration_there_is_no_snapshot(database):
    async with database.write() as connection:
        assert await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY) == 0
        assert await counts.newest_snapshot(connection) is None


async def test_the_first_snapshots_begin_with_the_first_registration(database, keys):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT, at=jst(2026, 3, 30, 12))
        await make_subscriber(connection, keys, ELDER, at=jst(2026, 4, 1, 12))
        assert await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY) == 3
        assert await totals(connection, date(2026, 1, 1), date(2026, 12, 31)) == {
            (date(2026, 3, 30), "line"): 1,
            (MARCH_31, "line"): 1,
            (APRIL_1, "line"): 2,
        }


async def test_a_day_is_written_once(database, keys):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT, at=YEAR_END)
        assert await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY) == 2
        assert await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY) == 0
        assert await counts.take_snapshots(connection, up_to=MARCH_31, at=APRIL_TUESDAY) == 0
        assert await counts.newest_snapshot(connection) == APRIL_1


async def test_days_on_which_the_service_was_down_are_filled_from_the_events(database, keys):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT, at=jst(2026, 4, 1, 12))
        await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY)
        await make_subscriber(connection, keys, ELDER, at=jst(2026, 4, 3, 12))
        assert await counts.take_snapshots(connection, up_to=date(2026, 4, 5), at=APRIL_TUESDAY) == 4
        found = await totals(connection, APRIL_1, date(2026, 4, 5))
        assert list(found.values()) == [1, 1, 2, 2, 2]


async def test_holes_are_filled_no_further_back_than_the_look_back(database, keys):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT, at=jst(2020, 4, 1))
        written = await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY, look_back=2)
        assert written == 3
        assert min(await totals(connection, date(2020, 1, 1), APRIL_1)) == (date(2026, 3, 30), "line")


async def test_figures_per_category_are_written_for_the_last_day_alone(database, keys):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT, at=YEAR_END)
        await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY)
        rows = await counts.snapshots(connection, MARCH_31, APRIL_1)
        assert [row for row in rows if row[2]] == [
            (APRIL_1, "line", "kosodate", 1),
            (APRIL_1, "line", "saigai", 1),
        ]


async def test_an_account_that_everybody_left_is_shown_with_zero(database, keys):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT, at=YEAR_END)
        await subscriber_changes.leave(connection, parent.id, reason="blocked", at=YEAR_START)
        await counts.take_snapshots(connection, up_to=APRIL_1, at=APRIL_TUESDAY)
        assert await totals(connection, APRIL_1, APRIL_1) == {(APRIL_1, "line"): 0}
