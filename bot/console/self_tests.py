"""自己点検: its seed addresses, its proofs with their dates, and the button that begins one now."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.words import account_words, channel_words, reason_words
from bot.forms import read_fields
from bot.pages import redirect
from content.clock import SECOND, now_ms
from content.ledger import self_tests
from content.register import trial_addresses
from content.staff import members
from content.staff.rights import Permission
from scheduler import self_test, trial_addressing
from scheduler.self_test import SelfTestRefused

PAGE = "/console/self-tests"
ON_PAGE = 31
DAYS_OF_MONTH = 31
NOTES = {
    "begun": "自己点検を始めました。結果は数分でこの画面に出ます。",
    "seeds": "自己点検の宛先を変えました。次の自己点検から効きます。",
}


async def show_list(staff_request: StaffRequest) -> web.Response:
    return await _list_page(staff_request)


async def show_proof(staff_request: StaffRequest) -> web.Response:
    """One sheet, made to be printed. Raises LookupError when there is no such self-test."""
    async with staff_request.service.database.read() as connection:
        found = await self_tests.get(connection, staff_request.notice_id)
    if found is None:
        raise LookupError(f"no self-test {staff_request.notice_id}")
    return staff_request.page("console/self_test.html", item=found, **_words(staff_request))


async def begin(staff_request: StaffRequest) -> web.Response:
    service, login = staff_request.service, staff_request.staff.login
    async with service.database.read() as connection:
        await members.require(connection, login, Permission.ADMINISTER, None)
    try:
        await self_test.begin(service.context, by=login)
    except SelfTestRefused as refused:
        return await _list_page(staff_request, str(refused))
    return redirect(f"{PAGE}?note=begun")


async def choose_seed(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    sent = fields.get("id", "")
    number = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else 0
    changed = await trial_addressing.choose_seed(
        staff_request.service.context, number, on=fields.get("on") == "1", staff=staff_request.staff.login
    )
    return redirect(f"{PAGE}?note=seeds" if changed else PAGE)


async def _list_page(staff_request: StaffRequest, error: str = "") -> web.Response:
    service = staff_request.service
    sent = staff_request.request.query.get("before", "")
    before = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 19 else None
    async with service.database.read() as connection:
        rows = await self_tests.newest(connection, ON_PAGE + 1, before)
        seeds = await trial_addresses.seed_counts(connection)
        addresses = (
            await trial_addresses.everybodys(connection, service.keys)
            if staff_request.staff.may(Permission.ADMINISTER)
            else []
        )
        logins = {item.id: item.login for item in await members.everybody(connection)} if addresses else {}
    metered = [
        (account_words(service.town, key), number, number * DAYS_OF_MONTH)
        for key, number in seeds.items()
        if key in service.town.account and service.context.channel_of(service.town.account[key]).metered
    ]
    return staff_request.page(
        "console/self_tests.html",
        status=422 if error else 200,
        rows=rows[:ON_PAGE],
        older=rows[ON_PAGE - 1].id if len(rows) > ON_PAGE else None,
        seeds=[(account_words(service.town, key), number) for key, number in seeds.items()],
        without=[
            account_words(service.town, account.key)
            for account in service.town.accounts
            if account.key not in seeds and not account.posts
        ],
        metered=metered,
        addresses=[(item, logins.get(item.staff_id, "")) for item in addresses],
        at=service.town.self_test_at,
        error=error,
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
        **_words(staff_request),
    )


def _words(staff_request: StaffRequest) -> dict[str, Any]:
    town = staff_request.service.town
    return {
        "account_name": lambda key: account_words(town, key),
        "channel_name": channel_words,
        "reason": lambda code: reason_words(code) if code else ("", ""),
        "seconds": lambda took: "—" if took is None else f"{took / SECOND:,.1f}秒",
        "now": now_ms(),
    }
