"""Who gets the month's counts by mail, department by department, and how the mail reads."""

from __future__ import annotations

from datetime import timedelta

from aiohttp import web

from bot.console.access import StaffRequest
from bot.forms import read_fields
from bot.monthly_mail import month_words
from bot.pages import redirect
from content.clock import now_ms, today_jst
from content.register import trial_addresses
from content.staff import audit, members, monthly_reports
from content.staff.members import Staff
from content.staff.monthly_reports import MonthlyState
from content.staff.rights import OFFICE, Department, Permission, departments
from scheduler.monthly_mails import SEND_AT

PATH = "/console/reports/monthly-mail"
# Any of these, for that department or the whole office.
SET = (Permission.PLAN, Permission.WRITE, Permission.ADMINISTER)
STATE_WORDS = {
    MonthlyState.DUE: "送るところです(サーバーが受け取るまで、くり返します)",
    MonthlyState.SENT: "送りました",
    MonthlyState.NO_MAILBOX: "確認済みのメールの宛先がなく、送りませんでした",
    MonthlyState.NOT_WANTED: "受け取りから外れていたため、送りませんでした",
    MonthlyState.GIVEN_UP: "メールサーバーが2日間受け取らず、送れませんでした",
}


async def show(staff_request: StaffRequest) -> web.Response:
    service, query = staff_request.service, staff_request.request.query
    async with service.database.read() as connection:
        known = await departments(connection)
        owner = next((item for item in known if item.key == query.get("department", "")), known[0])
        chosen = await monthly_reports.readers(connection, owner.key)
        newest = await monthly_reports.newest(connection, owner.key)
        everybody = [
            item
            for item in await members.everybody(connection)
            if item.disabled_at is None or item.id in chosen
        ]
        mailboxes = {
            item.staff_id
            for item in await trial_addresses.everybodys(connection, service.keys)
            if item.channel == "mail" and item.plain
        }
    month = (today_jst().replace(day=1) - timedelta(days=1)).replace(day=1)
    subject, body = await month_words(service, owner, month)
    return staff_request.page(
        "console/monthly_mail.html",
        departments=known,
        owner=owner,
        everybody=everybody,
        chosen=chosen,
        mailboxes=mailboxes,
        newest=newest,
        state_words=STATE_WORDS,
        subject=subject,
        body=body,
        may_set=may_set(staff_request.staff, owner),
        has_mail=service.context.send_month is not None,
        send_at=f"{SEND_AT.hour}時{SEND_AT.minute:02d}分",
        saved="saved" in query,
    )


async def set_readers(staff_request: StaffRequest) -> web.Response:
    service, fields = staff_request.service, await read_fields(staff_request.request)
    wanted = {
        int(one) for one in fields.getall("reader", []) if one.isascii() and one.isdigit() and len(one) < 19
    }
    at, login = now_ms(), staff_request.staff.login
    async with service.database.write() as connection:
        known = {item.key: item for item in await departments(connection)}
        owner = known.get(fields.get("department", ""))
        if owner is None:
            raise web.HTTPNotFound
        if not may_set(staff_request.staff, owner):
            raise web.HTTPForbidden
        logins = {item.id: item.login for item in await members.everybody(connection) if item.id in wanted}
        if await monthly_reports.set_readers(connection, owner.key, logins, at=at):
            await audit.record(
                connection,
                at=at,
                actor=login,
                action="figure.readers_set",
                subject=f"department {owner.key}",
                readers=" ".join(sorted(logins.values())),
            )
    return redirect(f"{PATH}?department={owner.key}&saved=1")


def may_set(staff: Staff, owner: Department) -> bool:
    return any(staff.may(item, department=key) for item in SET for key in (OFFICE, owner.key))
