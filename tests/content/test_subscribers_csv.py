"""Subscribers as CSV: all or nothing in, everything out, and no address in a message."""

import csv
import io
import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from content.clock import now_ms
from content.figures import counts
from content.register import (
    importing,
    imports,
    staging,
    subscriber_changes,
    subscribers,
    subscribers_csv,
    subscribers_export,
)
from content.register.importing import Imported
from content.register.registration import Registration
from content.register.subscribers import Preferences
from content.register.subscribers_csv import (
    COLUMNS,
    ImportRefused,
    read_rows,
)
from content.register.subscribers_export import export_rows
from tests.content.properties import few_examples, undone
from tests.factories import (
    APRIL_TUESDAY,
    ELDER,
    NEWCOMER,
    PARENT,
    PEOPLE,
    create_town,
    jst,
    line_id,
    make_subscriber,
    make_subscribers,
)

HEADER = ",".join(COLUMNS)
WEBHOOK = "https://bus.example.jp/hook whsec_" + "A" * 32
GOOD = f"line,{PARENT.address},kosodate,funaoka,ja,2025-11,,2026-04-01"


@pytest.fixture(autouse=True)
def april():
    with time_machine.travel(datetime(2026, 4, 7, 0, 30, tzinfo=UTC)):
        yield


def read(town, *lines, header=HEADER):
    return read_rows(io.StringIO("\n".join([header, *lines]) + "\n", newline=""), town)


def problems(town, *lines, header=HEADER):
    """(line, column) of every problem of a file that is refused."""
    with pytest.raises(ImportRefused) as refused:
        read(town, *lines, header=header)
    return [(problem.line, problem.column) for problem in refused.value.problems]


async def export(connection, keys, town):
    out = io.StringIO(newline="")
    writer = csv.writer(out)
    async for row in export_rows(connection, keys, town):
        writer.writerow(row)
    return out.getvalue()


async def bring_in(connection, keys, registrations):
    """An import within the transaction of a test."""
    begun = await importing.begin(connection, reason="import", at=now_ms(), number=len(registrations))
    rows = staging.staged_rows(keys, begun, 0, registrations)
    await importing.stage(connection, begun.id, rows)
    assert await importing.decide(connection, begun.id)
    state, table = "decided", imports.registration_import
    while state == "decided":
        await importing.move_slice(connection, begun.id)
        found = (await connection.execute(select(table).where(table.c.id == begun.id))).one()
        state = found.state
    return Imported(found.registered, found.known)


def test_a_good_line_is_a_registration_with_its_choices(town):
    (read_in,) = read(town, f"line,{PARENT.address},kosodate;event,funaoka;shibata,en,2025-11;2023-01,kucho,")
    assert (read_in.channel, read_in.account, read_in.address) == ("line", "line", PARENT.address)
    assert read_in.preferences == Preferences(
        categories=frozenset({"kosodate", "event", "saigai"}),
        areas=frozenset({"funaoka", "shibata"}),
        birth_months=frozenset({"2025-11", "2023-01"}),
        groups=frozenset({"kucho"}),
        language="en",
    )


def test_the_category_for_everybody_is_always_chosen(town):
    (read_in,) = read(town, "mail,a@example.jp,,,,,,")
    assert read_in.preferences.categories == {"saigai"}
    assert read_in.preferences.language == "ja"


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-04-01", jst(2026, 4, 1)),
        ("2026-04-01T09:30:00+09:00", jst(2026, 4, 1, 9, 30)),
        ("2026-04-01T00:30:00Z", jst(2026, 4, 1, 9, 30)),
        ("2026-04-01 09:30", jst(2026, 4, 1, 9, 30)),
        ("2026-04-07T09:30:00+09:00", APRIL_TUESDAY),
    ],
)
def test_a_moment_without_a_zone_is_japanese(town, written, moment):
    (read_in,) = read(town, f"mail,a@example.jp,,,,,,{written}")
    assert read_in.registered_at == moment


def test_without_a_moment_the_registration_begins_now(town):
    (read_in,) = read(town, "mail,a@example.jp,,,,,,")
    assert APRIL_TUESDAY <= read_in.registered_at < jst(2026, 4, 7, 9, 31)


@pytest.mark.parametrize(
    ("line", "column"),
    [
        ("fax,0224000000,,,,,,", "channel"),
        (",a@example.jp,,,,,,", "channel"),
        ("mail,not an address,,,,,,", "address"),
        ("line,U123,,,,,,", "address"),
        ("mail,a@example.jp,sports,,,,,", "categories"),
        ("mail,a@example.jp,event;sports,,,,,", "categories"),
        ("mail,a@example.jp,,atlantis,,,,", "areas"),
        ("mail,a@example.jp,,,fr,,,", "language"),
        ("mail,a@example.jp,,,,2025-13,,", "birth_months"),
        ("mail,a@example.jp,,,,2025,,", "birth_months"),
        ("mail,a@example.jp,,,,,pta,", "groups"),
        ("mail,a@example.jp,,,,,,yesterday", "registered_at"),
        ("mail,a@example.jp,,,,,,2026-04-31", "registered_at"),
        ("mail,a@example.jp,,,,,,2026-04-07T09:31:00+09:00", "registered_at"),
        ("mail,a@example.jp,,,,,", "address"),
        ("mail,a@example.jp,,,,,,,more", "address"),
        ("mail", "address"),
    ],
)
def test_a_bad_line_names_its_line_and_column(town, line, column):
    assert problems(town, GOOD, line) == [(3, column)]


def test_all_bad_lines_are_told_at_once(town):
    bad = ["fax,1,,,,,,", GOOD, "mail,a@example.jp,,,fr,,,"]
    assert problems(town, *bad) == [(2, "channel"), (4, "language")]


def test_no_more_problems_are_told_than_one_can_read(town):
    assert len(problems(town, *["fax,1,,,,,,"] * 50)) == subscribers_csv.MOST_PROBLEMS


@pytest.mark.parametrize(
    "header",
    [
        "",
        GOOD,
        HEADER.replace(",address", ""),
        HEADER.replace("channel,", ""),
        HEADER + ",氏名",
        HEADER + ",number",
        HEADER + ",宛先",
        HEADER.replace(",", ";"),
    ],
)
def test_another_header_is_refused_and_shown_how_it_must_be(town, header):
    assert problems(town, GOOD, header=header) == [(1, "header")]


def test_an_empty_file_is_refused_and_a_header_alone_is_nobody(town):
    with pytest.raises(ImportRefused):
        read_rows(io.StringIO(""), town)
    assert read(town) == []


def test_a_byte_order_mark_does_no_harm(town):
    (read_in,) = read(town, GOOD, header="\ufeff" + HEADER)
    assert read_in.address == PARENT.address


def test_lines_as_windows_writes_them_do_no_harm(town):
    text = f"{HEADER}\r\n{GOOD}\r\n\r\n"
    assert len(read_rows(io.StringIO(text, newline=""), town)) == 1


def test_a_file_in_shift_jis_is_refused_with_the_remedy(town, tmp_path):
    path = tmp_path / "list.csv"
    path.write_bytes(f"{HEADER}\nmail,a@example.jp,災害,,,,,\n".encode("shift_jis"))
    with path.open(encoding="utf-8-sig", newline="") as file, pytest.raises(ImportRefused, match="UTF-8"):
        read_rows(file, town)


def test_a_field_that_never_ends_is_refused_with_its_line(town):
    with pytest.raises(ImportRefused, match="2行目"):
        read(town, 'mail,"' + "a" * 200_000)


def test_an_address_that_stands_twice_names_both_lines(town):
    with pytest.raises(ImportRefused, match=r"4行目「宛先」: .*2行目") as refused:
        read(town, "mail,a@example.jp,,,,,,", GOOD, "mail,a@EXAMPLE.jp,,,,,,")
    assert "example.jp" not in str(refused.value)


def test_one_webhook_with_two_secrets_stands_twice(town):
    other = WEBHOOK.replace("A" * 32, "B" * 32)
    assert problems(town, f"webhook,{WEBHOOK},,,,,,", f"webhook,{other},,,,,,") == [(3, "address")]


@pytest.mark.parametrize("address", [PARENT.address, NEWCOMER.address, WEBHOOK])
@pytest.mark.parametrize("position", range(len(COLUMNS)))
def test_a_message_never_repeats_an_address_whichever_column_it_slipped_into(town, address, position):
    fields = ["mail", "a@example.jp", "", "", "", "", "", ""]
    fields[position] = address
    if position == 1:
        fields[0] = "fax"
    with pytest.raises(ImportRefused) as refused:
        read(town, ",".join(fields))
    assert address not in str(refused.value)


def test_a_message_repeats_a_key_that_was_mistyped(town):
    with pytest.raises(ImportRefused, match="「津波」はありません"):
        read(town, "mail,a@example.jp,津波,,,,,")


async def test_the_new_are_registered_and_counted_from_their_day(database, keys, town):
    async with database.write() as connection:
        imported = await bring_in(connection, keys, read(town, GOOD, "mail,a@example.jp,,,,,,2026-04-02"))
        assert (imported.new, imported.already) == (2, 0)
        moves = await counts.movements(connection)
        assert [(str(move.day), move.account) for move in moves] == [
            ("2026-04-01", "line"),
            ("2026-04-02", "mail"),
        ]


async def test_who_is_registered_already_keeps_what_they_chose(database, keys, town):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        imported = await bring_in(connection, keys, read(town, f"line,{PARENT.address},gomi,shibata,en,,,"))
        assert (imported.new, imported.already) == (0, 1)
        assert await subscribers.get(connection, parent.id) == parent


async def test_who_left_is_not_brought_back_by_an_import(database, keys, town):
    async with database.write() as connection:
        parent = await make_subscriber(connection, keys, PARENT)
        await subscriber_changes.leave(connection, parent.id, reason="unsubscribed", at=APRIL_TUESDAY)
        imported = await bring_in(connection, keys, read(town, GOOD))
        assert (imported.new, imported.already) == (0, 1)
        assert (await subscribers.get(connection, parent.id)).state == "left"


async def test_the_same_file_twice_registers_once(database, keys, town):
    async with database.write() as connection:
        rows = read(town, GOOD, "mail,a@example.jp,,,,,,")
        await bring_in(connection, keys, rows)
        again = await bring_in(connection, keys, rows)
        assert (again.new, again.already) == (0, 2)
        assert await counts.active_now(connection) == {"line": 1, "mail": 1}


async def test_what_is_exported_can_be_imported_elsewhere(database, keys, town):
    async with database.write() as connection:
        for person in PEOPLE:
            await make_subscriber(connection, keys, person, groups={"kucho", "mimamori"})
        exported = await export(connection, keys, town)
    registrations = read_rows(io.StringIO(exported, newline=""), town)
    assert [(item.channel, item.address) for item in registrations] == [
        (p.channel, p.address) for p in PEOPLE
    ]
    for item, person in zip(registrations, PEOPLE, strict=True):
        assert item.preferences.areas == person.preferences.areas
        assert item.preferences.language == person.preferences.language
        assert item.preferences.groups == {"kucho", "mimamori"}
        assert item.registered_at == APRIL_TUESDAY


async def test_who_left_or_was_erased_is_exported_too_with_reasons_and_number(database, keys, town):
    async with database.write() as connection:
        left = await make_subscriber(connection, keys, PARENT)
        erased = await make_subscriber(connection, keys, ELDER)
        await subscriber_changes.leave(connection, left.id, reason="blocked", at=APRIL_TUESDAY)
        await subscriber_changes.erase(connection, erased.id, reason="erased", at=APRIL_TUESDAY)
        await subscriber_changes.leave_address(
            connection,
            keys,
            account="line",
            channel="line",
            plain=line_id(9),
            reason="blocked",
            at=APRIL_TUESDAY,
            event_at=1,
        )
        rows = [row async for row in export_rows(connection, keys, town)][1:]
    assert [(row[1], row[2], row[11:13]) for row in rows] == [
        (PARENT.address, "kosodate;saigai", [str(left.id), "left"]),
        ("", "", [str(erased.id), "erased"]),
    ]
    assert [[(event[0], event[2]) for event in json.loads(row[13])] for row in rows] == [
        [("joined", "form"), ("left", "blocked")],
        [("joined", "form"), ("left", "erased")],
    ]


EVENT = '["joined","2026-04-01T00:00:00+09:00","form","web","language:ja"]'
LEFT = '["left","2026-04-02T00:00:00+09:00","blocked","line",""]'


@pytest.mark.parametrize(
    ("state", "events", "column"),
    [
        ("gone", f"[{EVENT}]", "state"),
        ("left", f"[{EVENT}]", "state"),
        ("active", f"[{EVENT},{LEFT}]", "state"),
        ("active", "[]", "events"),
        ("active", "{}", "events"),
        ("active", "[" * 5000, "events"),
        ("active", f"[{EVENT},{EVENT}]", "events"),
        ("left", f"[{LEFT}]", "events"),
        ("left", f"[{EVENT},{LEFT},{LEFT}]", "events"),
        ("active", f"[{EVENT}]".replace("2026-04-01", "2026-05-01"), "events"),
        ("active", f"[{EVENT}]".replace("form", "a word of hers"), "events"),
        ("active", f"[{EVENT}]".replace("web", "fax"), "events"),
        ("active", f"[{EVENT}]".replace("language:ja", "name:hanako"), "events"),
        ("active", f"[{','.join([EVENT, LEFT] * 251)}]", "events"),
    ],
)
def test_a_history_that_cannot_have_been_is_refused(town, state, events, column):
    quoted = events.replace('"', '""')
    line = f'mail,a@example.jp,,,,,,2026-04-01,,,,7,{state},"{quoted}"'
    header = ",".join(subscribers_csv.ALL_COLUMNS)
    assert problems(town, line, header=header) == [(2, column)]


async def test_a_file_with_histories_twice_brings_nobody_twice(database, keys, town):
    header = ",".join(subscribers_csv.ALL_COLUMNS)
    quoted = f'"[{EVENT},{LEFT}]"'.replace('","', '"",""').replace('["', '[""').replace('"]', '""]')
    rows = [
        f"mail,{address},,,,,,2026-04-01,,,,7,{state},{quoted}"
        for address, state in (("", "erased"), ("a@example.jp", "left"))
    ]
    registrations = read(town, *rows, header=header)
    for number in (2, 0):
        done = await importing.import_registrations(
            database, keys, registrations, lambda _: None, at=APRIL_TUESDAY
        )
        assert (done.new, done.already) == (number, 2 - number)
    async with database.read() as connection:
        moves = await counts.movements(connection)
        assert [(move.joined, move.left) for move in moves] == [(2, 0), (0, 2)]
        assert await counts.active_now(connection) == {}


async def test_an_export_goes_on_from_slice_to_slice(database, keys, town, monkeypatch):
    monkeypatch.setattr(subscribers_export, "SLICE", 2)
    async with database.write() as connection:
        await make_subscribers(connection, keys, 5)
        rows = [row async for row in export_rows(connection, keys, town)]
        assert [row[1] for row in rows[1:]] == [line_id(n) for n in range(1, 6)]
        assert {row[2] for row in rows[1:]} == {"saigai"}


async def test_who_chose_a_category_that_has_closed_since_can_move_too(database, keys, town):
    async with database.write() as connection:
        await make_subscriber(connection, keys, PARENT)
        exported = await export(connection, keys, town)
    categories = [item.model_dump() | {"closed": item.key == "kosodate"} for item in town.categories]
    (moved,) = read_rows(io.StringIO(exported, newline=""), create_town(categories=categories))
    assert moved.preferences == PARENT.preferences


def some(values):
    return st.frozensets(st.sampled_from(sorted(values)), max_size=3)


TOWN = create_town()
CHOICES = st.builds(
    Preferences,
    categories=some(TOWN.category).map(lambda chosen: chosen | {"saigai"}),
    areas=some(TOWN.area),
    birth_months=some({"2020-01", "2023-04", "2025-12"}),
    groups=some(TOWN.group),
    language=st.sampled_from(TOWN.languages),
)
PLACES = (
    st.builds(lambda number: ("line", line_id(number)), st.integers(1, 10**9))
    | st.builds(lambda number: ("mail", f"a{number}..b.@docomo.ne.jp"), st.integers(1, 10**9))
    | st.builds(lambda number: ("webhook", WEBHOOK.replace("bus", f"bus{number}")), st.integers(1, 10**9))
)
PLACED = st.lists(
    st.tuples(PLACES, CHOICES, st.integers(jst(2010, 1, 1), APRIL_TUESDAY)),
    max_size=6,
    unique_by=lambda item: item[0],
)


@given(PLACED)
@few_examples
async def test_a_registry_survives_export_and_import(database, keys, placed):
    written = [Registration(channel, channel, plain, chosen, at) for (channel, plain), chosen, at in placed]
    async with undone(database) as connection:
        await bring_in(connection, keys, written)
        exported = await export(connection, keys, TOWN)
    read_back = read_rows(io.StringIO(exported, newline=""), TOWN)
    assert [replace(item, history=()) for item in read_back] == written


def test_a_file_from_before_there_was_a_pace_is_as_good_and_a_strange_pace_is_refused(town):
    later = f"{HEADER},quiet_hours,paused_until"
    (without,) = read(town, f"{GOOD},,", header=later)
    (chosen,) = read(town, f"{GOOD},,,morning", header=f"{later},pace")
    assert (without.preferences.pace, chosen.preferences.pace) == ("at_once", "morning")
    assert problems(town, f"{GOOD},,,weekly", header=f"{later},pace") == [(2, "pace")]
