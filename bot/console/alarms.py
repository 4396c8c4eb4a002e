"""Alarms on screen: what goes on, what to do, and what ended in the last month."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.console.access import StaffRequest
from content.clock import DAY
from content.ledger import alarms
from content.ledger.alarms import Alarm
from scheduler.alarm_codes import find_alarm

SHOWN = 30 * DAY


@dataclass(frozen=True, slots=True)
class AlarmRow:
    what: str
    remedy: str
    detail: str
    code: str
    since: int
    ended_at: int | None
    told_at: int | None


async def show_alarms(staff_request: StaffRequest) -> web.Response:
    database = staff_request.service.database
    async with database.read() as connection:
        found = [alarm_row(item) for item in await alarms.since(connection, database.now() - SHOWN)]
    return staff_request.page(
        "console/alarms.html",
        now_on=[item for item in found if item.ended_at is None],
        ended=[item for item in found if item.ended_at is not None][::-1],
        nobody_told=staff_request.service.context.tell_operators is None,
    )


def alarm_row(item: Alarm) -> AlarmRow:
    what, remedy = find_alarm(item.code)
    return AlarmRow(what, remedy, item.detail, item.code, item.since, item.ended_at, item.told_at)
