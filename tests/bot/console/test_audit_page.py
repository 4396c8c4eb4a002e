"""操作の記録 on screen: narrowed, page by page, as a file, and whether anybody changed it."""

from __future__ import annotations

import csv
import io
import sqlite3
from contextlib import closing

import pytest_asyncio

from bot.service import Service
from content.staff import audit, member_changes, members
from tests.bot.web_visitor import Visitor
from tests.factories import jst


@pytest_asyncio.fixture
async def admin(tanaka: Visitor, service: Service) -> Visitor:
    """tanaka, who administers, with a trail of 60 entries."""
    async with service.database.write() as connection:
        member = await members.find(connection, "tanaka")
        assert member is not None
        await member_changes.set_role(connection, member, "administrator")
        for number in range(1, 59):
            await audit.record(
                connection,
                at=jst(2026, 4, 7, 9, number),
                actor="suzuki",
                action="notice.approved",
                subject=f"notice {number}",
                urgency="routine",
            )
        for login, day in (("=cmd", 8), ("sato", 9)):
            await audit.record(
                connection, at=jst(2026, 4, day), actor=login, action="staff.logged_in", source="192.0.2.7"
            )
    return tanaka


async def test_the_trail_is_narrowed_by_who_what_and_when(admin: Visitor) -> None:
    page = await admin.get("/console/audit")
    assert "ログインした" in page.text and "192.0.2.7" not in page.text
    by_subject = await admin.get("/console/audit?subject=notice+12")
    assert by_subject.html.count('href="/console/notices/12"') == 1 and "お知らせ 13" not in by_subject.text
    for query, entries in (
        ("actor=sato", 1),
        ("action=staff.logged_in", 2),
        ("from=2026-04-08&to=2026-04-08", 1),
        ("actor=nobody", 0),
    ):
        found = await admin.get(f"/console/audit?{query}")
        assert found.html.count('scope="row"') == entries, query
    assert "条件に合う記録はありません" in found.text
    wrong = await admin.get("/console/audit?from=yesterday")
    assert wrong.status == 422 and "はじめの日付を読み取れません" in wrong.text


async def test_older_entries_are_on_the_next_page(admin: Visitor) -> None:
    first = await admin.get("/console/audit?actor=suzuki")
    assert first.html.count('scope="row"') == 50
    assert "お知らせ 58" in first.text and "お知らせ 8 " not in first.text
    older = first.html.split('href="/console/audit?actor=suzuki&amp;before=')[1].split('"')[0]
    second = await admin.get(f"/console/audit?actor=suzuki&before={older}")
    assert second.html.count('scope="row"') == 8 and "お知らせ 8 " in second.text


async def test_the_file_holds_what_was_narrowed_and_no_formula(admin: Visitor) -> None:
    page = await admin.get("/console/audit.csv?action=staff.logged_in")
    assert page.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.reader(io.StringIO(page.html.lstrip("\ufeff"))))
    assert [row[2:4] for row in rows] == [
        ["だれが", "何をした"],
        ["sato", "ログインした"],
        ["'=cmd", "ログインした"],
    ]


async def test_the_button_tells_whether_somebody_changed_the_trail(admin: Visitor, service: Service) -> None:
    page = await admin.get("/console/audit")
    whole = await admin.submit(page, "/console/audit/check")
    assert "60件の記録は、書かれたときのままです" in whole.text
    with closing(sqlite3.connect(service.database.path)) as file:
        file.execute("DROP TRIGGER audit_entry_no_update")
        file.execute("UPDATE audit_entry SET actor = 'sato' WHERE id = 7")
        file.commit()
    broken = await admin.submit(page, "/console/audit/check")
    assert "7番目の記録:内容が、書かれたときと違います" in broken.text
