"""The calls that were made for a notice, for whoever has to find out why a service refused."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.words import account_words, reason_words
from content.ledger import exchanges
from scheduler import notice_service

SHOWN = 200


@dataclass(frozen=True, slots=True)
class Row:
    """One call in words."""

    name: str
    at: int
    call: str
    answer: str
    took: int
    is_bad: bool


async def show_exchanges(staff_request: StaffRequest) -> web.Response:
    service, notice_id = staff_request.service, staff_request.notice_id
    found = await notice_service.find(service.context, notice_id)
    async with service.database.read() as connection:
        rows = await exchanges.of_notice(connection, notice_id, SHOWN)
    return staff_request.page(
        "console/exchanges.html",
        notice=found,
        shown=SHOWN,
        rows=[
            Row(
                account_words(service.town, account),
                item.at,
                f"{item.method} {item.host}{item.what}",
                str(item.status) if item.status is not None else reason_words(item.failure)[0],
                item.took,
                item.status is None or item.status >= 400,
            )
            for account, item in rows
        ],
    )
