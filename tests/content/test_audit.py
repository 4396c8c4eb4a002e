"""Who did what, when."""

from typing import Any

import pytest

from content.staff import audit
from content.staff.audit import SOURCES_KEPT, Entry
from tests.factories import APRIL_TUESDAY

NOW = APRIL_TUESDAY


async def test_an_entry_says_who_did_what_to_what_and_when(database):
    async with database.write() as connection:
        await audit.record(
            connection, at=NOW, actor="tanaka", action="notice.approved", subject="notice 1", mode="訓練"
        )
        assert await audit.entries(connection) == [
            Entry(NOW, "tanaka", "notice.approved", "notice 1", {"mode": "訓練"})
        ]


async def test_the_newest_entries_come_first_and_can_be_asked_by_subject(database):
    async with database.write() as connection:
        for number in (1, 2, 1):
            subject = f"notice {number}"
            await audit.record(connection, at=NOW + number, actor="sato", action="seen", subject=subject)
        assert [entry.subject for entry in await audit.entries(connection)] == [
            "notice 1",
            "notice 2",
            "notice 1",
        ]
        assert len(await audit.entries(connection, "notice 1")) == 2
        assert len(await audit.entries(connection, limit=1)) == 1
        assert await audit.entries(connection, "notice") == []


async def test_an_entry_stands_or_falls_with_the_change_it_tells_of(database):
    with pytest.raises(ZeroDivisionError):
        async with database.write() as connection:
            await audit.record(connection, at=NOW, actor="sato", action="notice.approved")
            raise ZeroDivisionError
    async with database.read() as connection:
        assert await audit.entries(connection) == []


async def test_entries_are_found_by_who_what_and_when(database):
    questions: dict[str, dict[str, Any]] = {
        "tanaka": {"actor": "tanaka"},
        "sign-ins": {"action": "staff.logged_in"},
        "later": {"since": NOW + 1},
        "earlier": {"before": NOW + 1},
        "both": {"actor": "tanaka", "action": "staff.logged_in", "before": NOW + 9},
    }
    async with database.write() as connection:
        for number, (actor, action) in enumerate(
            [("tanaka", "staff.logged_in"), ("tanaka", "notice.approved"), ("sato", "staff.logged_in")]
        ):
            await audit.record(connection, at=NOW + number, actor=actor, action=action)
        found = {
            name: [entry.at - NOW for entry in await audit.entries(connection, **wanted)]
            for name, wanted in questions.items()
        }
    assert found == {"tanaka": [1, 0], "sign-ins": [2, 0], "later": [2, 1], "earlier": [0], "both": [0]}


async def test_from_where_somebody_came_is_forgotten_and_the_entry_stays(database):
    async with database.write() as connection:
        for at, source in ((NOW, "192.0.2.1"), (NOW + 1, "192.0.2.2"), (NOW + 2, "")):
            await audit.record(connection, at=at, actor="sato", action="staff.logged_in", source=source)
        assert await audit.forget_sources(connection, NOW + SOURCES_KEPT) == 0
        assert await audit.forget_sources(connection, NOW + SOURCES_KEPT + 1) == 1
        assert [entry.source for entry in await audit.entries(connection)] == ["", "192.0.2.2", ""]
