"""The first page after logging in, and the list of all notices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import Visit
from bot.console.words import category_words, channel_words, mode_words, state_words
from content import notices
from content.clock import now_ms
from content.counts import active_now
from content.notices import Notice
from content.tallies import progress_state, tally

ON_HOME = 8
ON_LIST = 30


@dataclass(frozen=True, slots=True)
class Line:
    """One notice in a list."""

    notice: Notice
    state: str
    word: str
    category: str
    mode: str
    planned: int
    accepted: int
    open: int

    @property
    def moment(self) -> int:
        """When it went out, else when it is due, else when it was written."""
        return self.notice.fired_at or self.notice.due_at or self.notice.created_at


async def show_home(visit: Visit) -> web.Response:
    service = visit.service
    async with service.database.read() as connection:
        active = await active_now(connection)
    counts = [
        (channel_words(account.channel), active.get(account.key, 0))
        for account in service.town.accounts
        if account.mode == "live"
    ]
    lines = await _lines(visit, ON_HOME)
    return visit.page("console/home.html", lines=lines, counts=counts, now=now_ms())


async def show_list(visit: Visit) -> web.Response:
    before = visit.request.query.get("before", "")
    lines = await _lines(visit, ON_LIST, int(before[:18]) if before.isascii() and before.isdigit() else None)
    older = lines[-1].notice.id if len(lines) == ON_LIST else None
    return visit.page("console/notices.html", lines=lines, older=older, first=not before)


async def _lines(visit: Visit, limit: int, before: int | None = None) -> list[Line]:
    async with visit.service.database.read() as connection:
        return await lines_of(visit, connection, await notices.recent(connection, limit, before))


async def lines_of(visit: Visit, connection: AsyncConnection, items: Iterable[Notice]) -> list[Line]:
    """Notices with their figures, as a list shows them."""
    town = visit.service.town
    lines = []
    for item in items:
        tallies = await tally(connection, item.id)
        state = progress_state(item, tallies)
        lines.append(
            Line(
                notice=item,
                state=state,
                word=state_words(state, item.draft)[0],
                category=category_words(town, item.draft.category),
                mode=mode_words(item.draft.mode),
                planned=sum(row.planned for row in tallies),
                accepted=sum(row.accepted for row in tallies),
                open=sum(row.open for row in tallies),
            )
        )
    return lines
