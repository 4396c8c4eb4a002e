"""Whom a notice did not reach: by reason, then by the numbers of the registrations; addresses only by right, recorded."""

from __future__ import annotations

import re
from functools import partial
from urllib.parse import urlencode

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.words import channel_words, reason_words
from bot.forms import read_fields
from bot.refusals_csv import OUTCOME_WORDS, refusals_csv
from content.clock import DAY, now_ms
from content.ledger.reached import is_forgotten
from content.ledger.refused import Refused, next_refused
from content.ledger.tallies import refusal_reasons
from content.register.address_book import open_addresses
from content.staff import audit, members
from content.staff.rights import Permission
from scheduler import notice_service

ON_PAGE = 50
PLACE = re.compile(r"(\d{1,18})-(\d{1,18})")
ERASED = "(登録が消去されています)"
UNREADABLE = "(読み取れません)"


async def show_refusals(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    return await _page(
        staff_request, query.get("channel", ""), query.get("reason", ""), query.get("after", "")
    )


async def show_addresses(staff_request: StaffRequest) -> web.Response:
    """The same page with the addresses: a POST, so that no link opens one, and each time in the audit trail."""
    fields = await read_fields(staff_request.request)
    return await _page(
        staff_request,
        fields.get("channel", ""),
        fields.get("reason", ""),
        fields.get("after", ""),
        with_addresses=True,
    )


async def download(staff_request: StaffRequest) -> web.StreamResponse:
    notice_id, query = staff_request.notice_id, staff_request.request.query
    channel, reason = query.get("channel", ""), query.get("reason", "")
    await notice_service.find(staff_request.service.context, notice_id)
    async with staff_request.service.database.read() as connection:
        reasons = await refusal_reasons(connection, notice_id)
    if (channel or reason) and (channel, reason) not in {item[:2] for item in reasons}:
        raise web.HTTPNotFound
    response = web.StreamResponse(
        headers={
            "Content-Type": "text/csv; charset=utf-8",
            "Content-Disposition": f'attachment; filename="futatsu-{notice_id}.csv"',
        }
    )
    await response.prepare(staff_request.request)
    database = staff_request.service.database
    async for part in refusals_csv(database, notice_id, channel=channel, reason=reason):
        await response.write(part.encode())
    await response.write_eof()
    return response


async def _page(
    staff_request: StaffRequest, channel: str, reason: str, after: str, *, with_addresses: bool = False
) -> web.Response:
    service, notice_id = staff_request.service, staff_request.notice_id
    found = await notice_service.find(service.context, notice_id)
    place = PLACE.fullmatch(after)
    async with service.database.read() as connection:
        reasons = await refusal_reasons(connection, notice_id)
        forgotten = await is_forgotten(connection, notice_id)
        # Only what stands in the list: whatever else is typed into the address finds nothing.
        chosen = next((item for item in reasons if item[:2] == (channel, reason)), None)
        rows = (
            await next_refused(
                connection,
                notice_id,
                channel=channel,
                reason=reason,
                after=(int(place[1]), int(place[2])) if place else (0, 0),
                most=ON_PAGE + 1,
            )
            if chosen
            else []
        )
    shown = rows[:ON_PAGE]
    addresses = await _addresses(staff_request, shown, channel, reason) if shown and with_addresses else None
    next_place = "-".join(map(str, shown[-1].place)) if len(rows) > ON_PAGE else ""
    own = f"/console/notices/{notice_id}/refusals"
    return staff_request.page(
        "console/refusals.html",
        notice=found,
        reasons=[
            (channel_words(item[0]), *reason_words(item[1]), item[2], link_of(own, *item[:2]))
            for item in reasons
        ],
        chosen=chosen and (channel_words(channel), *reason_words(reason), chosen[2]),
        rows=shown,
        outcome_words=OUTCOME_WORDS,
        addresses=addresses,
        forgotten=forgotten,
        kept_days=service.context.keep_recipients // DAY,
        own=own,
        hidden={"channel": channel, "reason": reason, "after": after if place else ""},
        first=link_of(own, channel, reason) if place else "",
        next=f"{link_of(own, channel, reason)}&{urlencode({'after': next_place})}" if next_place else "",
        file=link_of(f"{own}.csv", channel, reason) if chosen else f"{own}.csv",
    )


def link_of(page: str, channel: str, reason: str) -> str:
    return f"{page}?{urlencode({'channel': channel, 'reason': reason})}"


async def _addresses(
    staff_request: StaffRequest, shown: list[Refused], channel: str, reason: str
) -> dict[int, str]:
    """By registration. Written down before they are shown, in the same transaction. Raises NotAllowed."""
    service, me = staff_request.service, staff_request.staff
    by_account: dict[str, list[int]] = {}
    for item in shown:
        by_account.setdefault(item.account, []).append(item.subscriber_id)
    addresses: dict[int, str] = {}
    async with service.database.write() as connection:
        await members.require(connection, me.login, Permission.OPEN_ADDRESS, None)
        await audit.record(
            connection,
            at=now_ms(),
            actor=me.login,
            action="notice.addresses_shown",
            subject=f"notice {staff_request.notice_id}",
            channel=channel,
            reason=reason,
            registrations=sorted(item.subscriber_id for item in shown),
        )
        for account, ids in by_account.items():
            opened = await connection.run_sync(
                partial(
                    open_addresses,
                    keys=service.keys,
                    account=account,
                    subscriber_ids=sorted(ids),
                    with_left=True,
                )
            )
            # A webhook's secret is no part of where it is.
            addresses |= {one: known[0].split(" ")[0] for one, known in opened.clear.items()}
            addresses |= dict.fromkeys(opened.unreadable, UNREADABLE)
    return {item.subscriber_id: addresses.get(item.subscriber_id, ERASED) for item in shown}
