"""Groups on screen: who is counted in them now, and which category may not be used any more."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.words import channel_words
from content.clock import now_ms
from content.register.group_counts import count_members


async def show_groups(staff_request: StaffRequest) -> web.Response:
    town = staff_request.service.town
    async with staff_request.service.database.read() as connection:
        counts = await count_members(connection, list(town.group))
    rows = [
        (
            group.name(),
            sum(counts[group.key].values()),
            [
                (
                    channel_words(town.account[account].channel)
                    if account in town.account
                    else "町の設定にない配信手段",
                    number,
                )
                for account, number in sorted(counts[group.key].items())
            ],
        )
        for group in town.groups
    ]
    return staff_request.page("console/groups.html", rows=rows, now=now_ms())
