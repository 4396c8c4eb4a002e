"""The first page after logging in, and the list of all notices."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.words import category_words, channel_words, mode_words, state_words
from bot.heartbeat import WORDS as HELD_WORDS
from content.clock import now_ms
from content.database import identity
from content.figures.counts import active_now
from content.ledger import due
from content.ledger.tallies import progress_state, tally
from content.notices import notices
from content.notices.notices import Notice
from content.register.inbound_events import count_set_aside
from content.town import Mode

ON_HOME = 8
ON_LIST = 30


@dataclass(frozen=True, slots=True)
class NoticeRow:
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


async def show_home(staff_request: StaffRequest) -> web.Response:
    service = staff_request.service
    async with service.database.read() as connection:
        active = await active_now(connection)
        set_aside = await count_set_aside(connection)
        held = await _held(connection)
    counts = [
        (channel_words(account.channel), active.get(account.key, 0))
        for account in service.town.accounts
        if account.mode == Mode.LIVE
    ]
    rows = await _rows(staff_request, ON_HOME)
    return staff_request.page(
        "console/home.html", rows=rows, counts=counts, set_aside=set_aside, held=held, now=now_ms()
    )


async def _held(connection: AsyncConnection) -> dict[str, object] | None:
    """Why nothing goes out at all, and what waits; None when everything goes on."""
    found = await identity.read(connection)
    if found is None or found.held_since is None:
        return None
    return {
        "why": HELD_WORDS.get(found.held_reason, found.held_reason),
        "since": found.held_since,
        "waiting": await due.waiting(connection),
        "unfinished": await due.unfinished(connection),
    }


async def show_list(staff_request: StaffRequest) -> web.Response:
    before = staff_request.request.query.get("before", "")
    rows = await _rows(
        staff_request, ON_LIST, int(before[:18]) if before.isascii() and before.isdigit() else None
    )
    older = rows[-1].notice.id if len(rows) == ON_LIST else None
    return staff_request.page("console/notices.html", rows=rows, older=older, first=not before)


async def _rows(staff_request: StaffRequest, limit: int, before: int | None = None) -> list[NoticeRow]:
    async with staff_request.service.database.read() as connection:
        seen = staff_request.staff.categories("see")
        found = await notices.recent(connection, limit, before, seen)
        return await rows_of(staff_request, connection, found)


async def rows_of(
    staff_request: StaffRequest, connection: AsyncConnection, items: Iterable[Notice]
) -> list[NoticeRow]:
    """Notices with their figures, as a list shows them."""
    town = staff_request.service.town
    rows = []
    for item in items:
        tallies = await tally(connection, item.id)
        state = progress_state(item, tallies)
        rows.append(
            NoticeRow(
                notice=item,
                state=state,
                word=state_words(state, item.spec)[0],
                category=category_words(town, item.spec.category),
                mode=mode_words(item.spec.mode),
                planned=sum(row.planned for row in tallies),
                accepted=sum(row.accepted for row in tallies),
                open=sum(row.open for row in tallies),
            )
        )
    return rows
