"""Whatever happened to a register: events, book, snapshot, register and a count by hand say the same, of every day."""

import csv
import io
import shutil
from collections import Counter
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from content.clock import DAY, HOUR, today_jst
from content.database import Database, moving
from content.figures import book, snapshots
from content.figures.movements import Measure, Move, sign
from content.ledger import retention
from content.register import (
    bounces,
    importing,
    inbound_events,
    mail_requests,
    subscriber_changes,
    subscribers,
)
from content.register.carrying_over import carry_over, successions
from content.register.subscribers import registration_event
from content.register.subscribers_csv import ALL_COLUMNS, read_rows
from content.register.subscribers_export import export_rows
from tests.conftest import EMPTY_EVERY_TABLE
from tests.content.properties import few_examples, undone
from tests.content.test_subscribers_csv import bring_in
from tests.factories import (
    ELDER,
    NEWCOMER,
    PARENT,
    PEOPLE,
    create_town,
    jst,
    line_id,
    make_delivery,
    make_subscriber,
)

DAY_ONE = date(2024, 2, 28)
NUMBER = ALL_COLUMNS.index("number")
# 船岡 and the others that somebody chose are split when the day comes.
TOWN = create_town(
    areas=[
        {"key": "north", "names": {"ja": "船岡北"}},
        {"key": "south", "names": {"ja": "船岡南"}},
        *(
            {"key": key, "names": {"ja": key}, "split_into": ["north", "south"], "changed_on": DAY_ONE}
            for key in sorted(set().union(*(person.preferences.areas for person in PEOPLE)))
        ),
    ],
    segments=[],
)
MEASURES = tuple(Measure)
# From the last hours of February of a leap year over the end of the fiscal year.
BEGIN = jst(2024, 2, 28, 21)
DAYS = [DAY_ONE + timedelta(days=number) for number in range(40)]
WHO = st.integers(0, 4)
ACTS = st.lists(
    st.tuples(
        WHO,
        st.sampled_from(["join", "join", "leave", "choose", "nowhere", "speak", "erase", "split"]),
        st.integers(0, 200),
    ),
    max_size=14,
)


async def play(connection, keys, acts):
    """Let it happen; the active registrations at the end of each day by cell, counted by hand."""
    at = BEGIN
    ids: dict[int, set[int]] = {}
    by_day = {}
    day = DAYS[0]
    for who, act, hours in acts:
        at = min(at + hours * HOUR, jst(2024, 4, 7))
        while day < today_jst(at):
            by_day[day] = await by_hand(connection, set().union(*ids.values()))
            day += timedelta(days=1)
        if act == "split":
            # The town divides what some had chosen, whoever this act was to be of.
            for divided in successions(TOWN, DAYS[0]):
                await carry_over(connection, divided, at=at)
            continue
        person = PEOPLE[who % 3]
        address = f"{who}@example.jp" if person.channel == "mail" else line_id(who + 1)
        if act == "join":
            found = await make_subscriber(connection, keys, person, address=address, at=at, reason="form")
            ids.setdefault(who, set()).add(found.id)
        for number in () if act == "join" else sorted(ids.get(who, ()))[-1:]:
            await change(connection, number, act, at)
    while day <= DAYS[-1]:
        by_day[day] = await by_hand(connection, set().union(*ids.values()))
        day += timedelta(days=1)
    return by_day


async def change(connection, number, act, at):
    found = await subscribers.require(connection, number)
    if act == "leave":
        await subscriber_changes.leave(connection, number, reason="blocked", at=at)
    elif act == "erase":
        await subscriber_changes.erase(connection, number, reason="erased", at=at)
    elif found.state == "active":
        changed = {"choose": ELDER, "nowhere": PARENT, "speak": NEWCOMER}[act].preferences
        if act == "nowhere":
            changed = subscribers.Preferences(categories=changed.categories, groups=frozenset({"kucho"}))
        await subscriber_changes.change_preferences(connection, number, changed, reason="page", at=at)


async def by_hand(connection, ids):
    counted: Counter[tuple[str, ...]] = Counter()
    for number in ids:
        found = await subscribers.require(connection, number)
        if found.state != "active":
            continue
        chosen = found.preferences
        cells = {("total", ""), ("route", "service"), ("language", chosen.language)}
        cells |= {("category", key) for key in chosen.categories}
        cells |= {("group", key) for key in chosen.groups}
        cells |= {("area", key) for key in chosen.areas or {""}}
        counted.update((found.account, *cell) for cell in cells)
    return counted


async def by_events(connection):
    """The same, and what came and went, from whatever is in the book and the events behind it."""
    sums = await book.sums(connection, MEASURES, DAYS)
    active = {}
    moved: Counter[tuple[object, ...]] = Counter()
    running: Counter[tuple[str, ...]] = Counter()
    for number, day in enumerate(DAYS):
        for (period, movement), count in sums.items():
            if period == number:
                running[movement.account, movement.measure, movement.value] += sign(movement.kind) * count
                moved[day, movement.account, movement.measure, movement.value, movement.kind] += count
        active[day] = +running
    return active, moved


async def from_snapshots(connection):
    return {
        day: Counter(
            {cell: n for cell, n in (await snapshots.figures_of(connection, day) or {}).items() if n}
        )
        for day in DAYS
    }


async def known_ids(connection):
    return set(await connection.scalars(select(registration_event.c.subscriber_id)))


async def forget_what_is_old(connection, ids):
    """Everything that is forgotten with time: who was sent what, mails that came back, events of platforms."""
    later = BEGIN + 4000 * DAY
    if ids:
        delivery = await make_delivery(connection, [ids], at=BEGIN)
        assert await retention.summarise(connection, delivery, at=later)
    for forget in (bounces.forget_old, inbound_events.forget_old, mail_requests.forget_old):
        await forget(connection, later)
    await importing.give_up(connection, before=later)


@given(ACTS, st.integers(0, 14))
@few_examples
async def test_every_way_to_count_gives_the_same(database, keys, acts, entered_before):
    async with undone(database) as connection:
        expected = await play(connection, keys, acts)
        last = int(await connection.scalar(select(func.max(registration_event.c.id))) or 0)
        ids = list(await connection.scalars(select(registration_event.c.id).order_by("id")))
        # A part of the events is in the book, the others come behind it.
        await book.enter_part(connection, ids[min(entered_before, len(ids) - 1)] if ids else 0)
        active, moved = await by_events(connection)
        assert active == expected
        for before, day in pairwise(DAYS):
            for account in ("line", "mail"):
                came = sum(moved[day, account, "total", "", kind] for kind in (Move.JOINED, Move.RETURNED))
                went = moved[day, account, "total", "", Move.LEFT]
                assert came - went == (
                    expected[day][account, "total", ""] - expected[before][account, "total", ""]
                )
        await forget_what_is_old(connection, sorted(await known_ids(connection)))
        while await book.enter_part(connection, last) < last:
            pass
        assert await by_events(connection) == (active, moved)
        for day in DAYS:
            await snapshots.take(connection, day, at=BEGIN + 50 * DAY)
        assert await from_snapshots(connection) == expected


@given(ACTS)
@few_examples
async def test_every_figure_comes_out_again_from_an_export(database, keys, acts):
    out = io.StringIO(newline="")
    async with undone(database) as connection:
        await play(connection, keys, acts)
        before = await by_events(connection)
        writer = csv.writer(out)
        async for row in export_rows(connection, keys, TOWN):
            writer.writerow(row)
    registrations = read_rows(io.StringIO(out.getvalue(), newline=""), TOWN)
    async with undone(database) as connection:
        await bring_in(connection, keys, registrations)
        assert await by_events(connection) == before
        again = io.StringIO(newline="")
        writer = csv.writer(again)
        async for row in export_rows(connection, keys, TOWN):
            writer.writerow(row)
    # But for the numbers, which another database gives anew.
    without = [[row[:NUMBER] + row[NUMBER + 1 :] for row in csv.reader(text)] for text in _lines(out, again)]
    assert without[0] == without[1]


def _lines(*files):
    return [io.StringIO(file.getvalue(), newline="") for file in files]


@pytest.mark.services
@given(ACTS)
@settings(few_examples, max_examples=3)
async def test_every_figure_is_the_same_in_another_database_after_a_move(
    postgres_database, sqlite_template, keys, acts
):
    with TemporaryDirectory() as folder:
        old, back = (
            Database(f"sqlite:///{shutil.copy(sqlite_template, Path(folder, name))}") for name in "ab"
        )
        async with old.write() as connection:
            await play(connection, keys, acts)
            ids = list(await connection.scalars(select(registration_event.c.id).order_by("id")))
            if ids:
                await book.enter_part(connection, ids[len(ids) // 2])
            await snapshots.take(connection, DAYS[-1], at=BEGIN)
        figures = [await of_database(old)]
        async with postgres_database.write() as connection:
            raw = await connection.get_raw_connection()
            await raw.driver_connection.execute(EMPTY_EVERY_TABLE)
        for source, target in ((old, postgres_database), (postgres_database, back)):
            await moving.copy_rows(source, target, lambda _rows: None)
            figures.append(await of_database(target))
        assert figures[0] == figures[1] == figures[2]
        await old.close()
        await back.close()


async def of_database(database):
    async with database.read() as connection:
        return await by_events(connection), await snapshots.figures_of(connection, DAYS[-1])
