"""The switch of the maintenance mode (保守モード): on with a reason, off again, both in the audit trail."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.forms import read_fields
from bot.pages import redirect
from content.notices import maintenance
from content.notices.maintenance import LONGEST_REASON
from content.staff import audit, members
from content.staff.rights import Permission

PAGE = "/console/maintenance"


async def show_maintenance(staff_request: StaffRequest) -> web.Response:
    return staff_request.page("console/maintenance.html", error="", typed="", longest=LONGEST_REASON)


async def begin(staff_request: StaffRequest) -> web.Response:
    reason = " ".join((await read_fields(staff_request.request)).get("reason", "").split())
    if not reason or len(reason) > LONGEST_REASON:
        error = f"理由を{LONGEST_REASON}文字までで書いてください。まだ何も変えていません。"
        return staff_request.page(
            "console/maintenance.html", status=422, error=error, typed=reason, longest=LONGEST_REASON
        )
    database, login = staff_request.service.database, staff_request.staff.login
    async with database.write() as connection:
        await members.require(connection, login, Permission.ADMINISTER, None)
        if await maintenance.begin(connection, by=login, reason=reason, at=database.now()):
            await audit.record(
                connection, at=database.now(), actor=login, action="maintenance.begun", reason=reason
            )
    return redirect(PAGE)


async def end(staff_request: StaffRequest) -> web.Response:
    database, login = staff_request.service.database, staff_request.staff.login
    async with database.write(wake="triggers") as connection:
        await members.require(connection, login, Permission.ADMINISTER, None)
        if await maintenance.end(connection):
            await audit.record(connection, at=database.now(), actor=login, action="maintenance.ended")
    return redirect(PAGE)
