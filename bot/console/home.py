"""The first page after logging in: today, what waits for a person, and how the accounts are doing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.accounts import account_rows
from bot.console.alarms import alarm_row
from bot.console.calendar import entries_between
from bot.console.waiting import waiting_for
from bot.console.words import category_words, channel_words, mode_words, shown_state, state_words
from bot.heartbeat import WORDS as HELD_WORDS
from content.clock import now_ms, today_jst
from content.database import identity
from content.figures.counts import active_now
from content.ledger import alarms, due
from content.ledger.tallies import progress_state, refusal_reasons, tally
from content.notices import searching, submissions
from content.notices.notices import Notice
from content.notices.searching import Phase, Wanted
from content.register.inbound_events import count_set_aside
from content.town import Mode, Urgency
from scheduler.occurrence_words import coming_without_words

ON_HOME = 8
MOST_WAITING = 20
# Days beyond today, and entries of them.
LOOK_AHEAD = 31
MOST_COMING = 5


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
    today, seen = today_jst(), staff_request.staff.categories("see")
    async with service.database.read() as connection:
        active = await active_now(connection)
        set_aside = await count_set_aside(connection)
        held = await _held(connection)
        days = await entries_between(connection, today, today, seen)
        coming = await entries_between(
            connection, today + timedelta(days=1), today + timedelta(days=LOOK_AHEAD), seen
        )
        waiting = await _found(staff_request, connection, Wanted(phase=Phase.HELD), MOST_WAITING)
        drafts = await _found(
            staff_request, connection, Wanted(phase=Phase.DRAFT, author=staff_request.staff.login), ON_HOME
        )
        urgent = await _found(staff_request, connection, Wanted(urgency=Urgency.URGENT, phase=Phase.SENT), 3)
        rows = await _found(staff_request, connection, Wanted(), ON_HOME)
        accounts = await account_rows(staff_request, connection)
        wordless = await coming_without_words(connection, now_ms())
        alarms_now = [alarm_row(item) for item in await alarms.going_on(connection)]
        to_confirm = await waiting_for(connection, service.town, staff_request.staff, now_ms())
    counts = [
        (channel_words(account.channel), active.get(account.key, 0))
        for account in service.town.accounts
        if account.mode == Mode.LIVE and not account.posts
    ]
    return staff_request.page(
        "console/home.html",
        wordless=wordless,
        rows=rows,
        counts=counts,
        set_aside=set_aside,
        held=held,
        now=now_ms(),
        today=[item for item in days.get(today, []) if item.at],
        coming=[(day, item) for day, items in sorted(coming.items()) for item in items if item.at][
            :MOST_COMING
        ],
        waiting=waiting,
        drafts=drafts,
        urgent=urgent,
        accounts=accounts,
        alarms=alarms_now,
        to_confirm=to_confirm,
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


async def _found(
    staff_request: StaffRequest, connection: AsyncConnection, wanted: Wanted, limit: int
) -> list[NoticeRow]:
    seen = staff_request.staff.categories("see")
    found = await searching.search(connection, wanted, limit=limit, seen=seen)
    return await rows_of(staff_request, connection, found)


async def rows_of(
    staff_request: StaffRequest, connection: AsyncConnection, items: Iterable[Notice]
) -> list[NoticeRow]:
    """Notices with their figures, as a list shows them."""
    town = staff_request.service.town
    rows, items = [], list(items)
    submitted = await submissions.waiting_ids(connection, [item.id for item in items])
    for item in items:
        tallies = await tally(connection, item.id)
        state = shown_state(
            progress_state(item, tallies), tallies, await refusal_reasons(connection, item.id)
        )
        if item.id in submitted:
            state = "submitted"
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
