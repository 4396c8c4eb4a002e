"""A recurring notice on the console: its rule and dates, what it has become so far, and stopping it."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.home import NoticeRow, rows_of
from bot.console.words import category_words, mode_words
from bot.pages import redirect
from bot.recurrence_words import (
    beyond_first_exception,
    next_dates,
    occurrence_words,
    rule_details,
    rule_words,
)
from content.notices import notices, triggers
from content.notices.notices import Notice
from scheduler import notice_service

PAST = 30


@dataclass(frozen=True, slots=True)
class Outline:
    """A rule in words, with the next dates."""

    words: str
    details: tuple[tuple[str, str], ...]
    dates: tuple[str, ...]
    beyond: tuple[str, ...] = ()


def outline(notice: Notice) -> Outline | None:
    """None for a notice that does not come again."""
    rule = notice.spec.rule
    if rule is None:
        return None
    dates = tuple(occurrence_words(rule, item) for item in next_dates(notice))
    return Outline(rule_words(rule), tuple(rule_details(rule)), dates, beyond_first_exception(notice))


async def past_occurrences(staff_request: StaffRequest, series_id: int) -> list[NoticeRow]:
    """The newest of what a recurring notice has become."""
    async with staff_request.service.database.read() as connection:
        ids = await triggers.occurrences_of(connection, series_id, PAST)
        found = [await notices.get(connection, number) for number in ids]
        return await rows_of(staff_request, connection, [item for item in found if item])


async def show_stop(staff_request: StaffRequest) -> web.Response:
    """Asks once more before a series is stopped."""
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    if status.state != "recurring":
        return redirect(f"/console/notices/{staff_request.notice_id}")
    return staff_request.page(
        "console/stop.html",
        notice=status.notice,
        outline=outline(status.notice),
        mode=mode_words(status.notice.spec.mode),
        category=category_words(staff_request.service.town, status.notice.spec.category),
    )
