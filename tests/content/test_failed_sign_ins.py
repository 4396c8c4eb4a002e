"""Failed sign-ins in the trail: seen, and never so many that they fill it."""

from typing import Any

import pytest

from content.clock import MINUTE, iso
from content.staff import audit
from content.staff.failed_sign_ins import MOST_COUNTED, MOST_SINGLE, FailedSignIns, Who
from tests.factories import APRIL_TUESDAY

NOW = APRIL_TUESDAY
STRANGER = "203.0.113.66"


async def trail(database):
    async with database.read() as connection:
        return await audit.entries(connection)


async def test_tries_of_one_source_at_one_member_are_one_entry(database):
    failures = FailedSignIns()
    for number in range(300):
        failures.count(Who(STRANGER, 7), "wrong" if number < 5 else "waiting", NOW + number)
    failures.count(Who(STRANGER), "wrong", NOW)
    await failures.write(database, NOW + MINUTE)
    unknown, known = await trail(database)
    assert (known.actor, known.action, known.subject, known.source) == (
        "stranger",
        "staff.login_failed",
        "staff 7",
        STRANGER,
    )
    assert known.detail == {"first_at": iso(NOW), "last_at": iso(NOW + 299), "wrong": 5, "waiting": 295}
    assert (unknown.subject, unknown.detail["wrong"]) == ("", 1)


async def test_when_nobody_failed_nothing_is_written(database):
    failures = FailedSignIns()
    await failures.write(database, NOW)
    failures.count(Who(STRANGER), "wrong", NOW)
    await failures.write(database, NOW)
    await failures.write(database, NOW)
    assert len(await trail(database)) == 1


async def test_a_flood_from_everywhere_is_a_few_entries_and_loses_no_try(database):
    failures = FailedSignIns()
    for number in range(MOST_COUNTED * 3):
        failures.count(Who(f"2001:db8:0:{number:x}::/64"), "wrong", NOW)
    failures.count(Who(STRANGER), "wrong", NOW)
    await failures.write(database, NOW)
    entries = await trail(database)
    assert len(entries) == MOST_SINGLE + 1
    assert sum(entry.detail["wrong"] for entry in entries) == MOST_COUNTED * 3 + 1
    assert [bool(entry.source) for entry in entries] == [False] + [True] * MOST_SINGLE


async def test_the_longer_a_flood_lasts_the_rarer_it_is_written(database):
    failures = FailedSignIns()
    waits = []
    for _ in range(8):
        for number in range(MOST_SINGLE + 1):
            failures.count(Who(f"192.0.2.{number}"), "wrong", NOW)
        await failures.write(database, NOW)
        waits.append(failures.wait_seconds / 60)
    assert waits == [2, 4, 8, 16, 32, 60, 60, 60]
    await failures.write(database, NOW)
    assert failures.wait_seconds == 60
    # Entries of a whole day of flood from everywhere, each about 250 bytes.
    assert (24 + 6) * (MOST_SINGLE + 1) < 1000


async def test_what_could_not_be_written_is_written_the_next_time(sqlite_database):
    class Away:
        def write(self):
            raise OSError

    away: Any = Away()
    failures = FailedSignIns()
    failures.count(Who(STRANGER), "wrong", NOW)
    with pytest.raises(OSError):
        await failures.write(away, NOW)
    failures.count(Who(STRANGER), "wrong", NOW + 1)
    await failures.write(sqlite_database, NOW)
    (entry,) = await trail(sqlite_database)
    assert entry.detail == {"first_at": iso(NOW), "last_at": iso(NOW + 1), "wrong": 2}
