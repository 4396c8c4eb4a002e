"""Who did what, when."""

import pytest

from content.staff import audit
from content.staff.audit import Entry
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
