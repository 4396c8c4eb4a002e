"""The month's counts go to the departments by mail on the first working day, once; a day that was missed is caught up."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

import structlog

from content.clock import from_datetime, to_jst
from content.notices.working_days import first_working_day
from content.register import trial_addresses
from content.staff import members, monthly_reports
from content.staff.monthly_reports import MonthlyMail, MonthlyState
from scheduler.town_context import TownContext

log = structlog.get_logger(__name__)

SEND_AT = time(8, 30)
AT_ONCE = 20


def newest_due(at: int) -> tuple[date, int]:
    """The first day of the month that the newest report tells of, and when that was due (ms)."""
    this_month = to_jst(at).date().replace(day=1)
    if (due := _due_at(this_month)) <= at:
        return _month_before(this_month), due
    before = _month_before(this_month)
    return _month_before(before), _due_at(before)


async def look(context: TownContext, at: int | None = None) -> int:
    """Plan what is due `at` (ms; default: now), and send it; how many went out."""
    if context.send_month is None or context.database.stands_aside:
        return 0
    now = context.database.now() if at is None else at
    month, due_at = newest_due(now)
    async with context.database.read() as connection:
        wanted = await monthly_reports.not_planned(connection, month, due_at)
    if wanted:
        async with context.database.write() as connection:
            await monthly_reports.plan(connection, month, wanted, at=now)
    async with context.database.read() as connection:
        waiting = await monthly_reports.due(connection, now, AT_ONCE)
    sent = 0
    for mail in waiting:
        async with context.database.write() as connection:
            claimed = await monthly_reports.claim(connection, mail, now)
        if claimed and (state := await _send(context, mail)):
            sent += state == MonthlyState.SENT
            async with context.database.write() as connection:
                await monthly_reports.settle(connection, mail, state, at=now)
    if sent:
        log.info("monthly_reports_sent", mails=sent, month=f"{month:%Y-%m}")
    return sent


async def _send(context: TownContext, mail: MonthlyMail) -> MonthlyState | None:
    """What became of it; None when it is tried again later."""
    assert context.send_month is not None
    async with context.database.read() as connection:
        member = await members.get(connection, mail.staff_id)
        if member is None or not await monthly_reports.is_reader(connection, mail):
            return MonthlyState.NOT_WANTED
        own = await trial_addresses.of_staff(connection, context.keys, member.id)
    address = next((item.plain for item in own if item.channel == "mail" and item.plain), None)
    if address is None:
        return MonthlyState.NO_MAILBOX
    try:
        await context.send_month(mail, address)
    except Exception as error:
        log.warning("monthly_report_not_sent", staff=mail.staff_id, error=type(error).__name__)
        return MonthlyState.GIVEN_UP if mail.tries + 1 >= monthly_reports.TRIES else None
    return MonthlyState.SENT


def _due_at(month: date) -> int:
    return from_datetime(datetime.combine(first_working_day(month), SEND_AT))


def _month_before(month: date) -> date:
    return (month - timedelta(days=1)).replace(day=1)
