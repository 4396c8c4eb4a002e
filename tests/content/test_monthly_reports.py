"""A month's mail is made once and taken by one process, on both databases."""

from datetime import date

from content.staff import member_changes, members, monthly_reports
from content.staff.monthly_reports import MonthlyState
from content.staff.passwords import PasswordHash
from tests.factories import APRIL_TUESDAY

MONTH = date(2026, 3, 1)


async def test_a_mail_is_planned_once_and_claimed_by_one(database):
    async with database.write() as connection:
        await member_changes.add(
            connection, login="tanaka", password_hash=PasswordHash("x"), role="editor", at=1
        )
        member = await members.find(connection, "tanaka")
        wanted = [("office", member.id)]
        for _ in range(2):
            await monthly_reports.set_readers(connection, "office", [member.id], at=1)
        assert await monthly_reports.not_planned(connection, MONTH, 0) == [], "wanted it later"
        assert await monthly_reports.not_planned(connection, MONTH, 1) == wanted
        for _ in range(2):
            await monthly_reports.plan(connection, MONTH, wanted, at=APRIL_TUESDAY)
        assert await monthly_reports.not_planned(connection, MONTH, 1) == []
        (mail,) = await monthly_reports.due(connection, APRIL_TUESDAY, 9)
        assert [await monthly_reports.claim(connection, mail, APRIL_TUESDAY) for _ in range(2)] == [
            True,
            False,
        ]
        assert await monthly_reports.due(connection, APRIL_TUESDAY, 9) == []
        (again,) = await monthly_reports.due(connection, APRIL_TUESDAY + monthly_reports.TRY_AGAIN, 9)
        await monthly_reports.settle(connection, again, MonthlyState.SENT, at=APRIL_TUESDAY)
        # What was settled stays so.
        await monthly_reports.settle(connection, again, MonthlyState.GIVEN_UP, at=APRIL_TUESDAY)
        found = await monthly_reports.newest(connection, "office")
        assert [item.state for item in found.values()] == [MonthlyState.SENT]
