"""The report of a drill: who did what after how many seconds, from the audit trail and the ledger."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass

from aiohttp import web

from bot.audit_words import WORDS
from bot.console.access import StaffRequest
from bot.console.staff_words import BY_ITSELF, actor_words
from bot.console.words import category_words, channel_words, mode_words
from content.clock import SECOND, iso
from content.notices.notices import Notice
from content.register.csv_cells import harmless
from content.staff import audit
from content.town import Mode
from scheduler import notice_service
from scheduler.notice_status import Status


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened, `after` ms since the first of them."""

    at: int
    after: int
    who: str
    what: str

    @property
    def seconds(self) -> str:
        return f"{self.after / SECOND:,.1f}"


async def show_report(staff_request: StaffRequest) -> web.Response:
    status = await _drill(staff_request)
    return staff_request.page(
        "console/drill.html",
        notice=status.notice,
        mode=mode_words(status.notice.spec.mode),
        category=category_words(staff_request.service.town, status.notice.spec.category),
        steps=await steps_of(staff_request, status),
        result=status,
        channel_name=channel_words,
    )


async def download_report(staff_request: StaffRequest) -> web.Response:
    """The same as CSV, with a byte order mark: spreadsheets then read the Japanese."""
    status = await _drill(staff_request)
    out = io.StringIO()
    table = csv.writer(out)
    table.writerow(["日時", "始めからの秒数", "だれが", "何をした"])
    for step in await steps_of(staff_request, status):
        table.writerow([iso(step.at), f"{step.after / SECOND:.1f}", harmless(step.who), harmless(step.what)])
    return web.Response(
        body=out.getvalue().encode("utf-8-sig"),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": f'attachment; filename="kunren-{status.notice.id}.csv"'},
    )


async def steps_of(staff_request: StaffRequest, status: Status) -> list[Step]:
    async with staff_request.service.database.read() as connection:
        entries = await audit.entries(connection, f"notice {status.notice.id}", limit=1000)
    found = [(item.at, actor_words(item.actor), WORDS.get(item.action, item.action)) for item in entries]
    found += _sent(status.notice, status)
    found.sort()
    start = found[0][0] if found else 0
    return [Step(at, at - start, who, what) for at, who, what in found]


def _sent(notice: Notice, status: Status) -> list[tuple[int, str, str]]:
    found = [(notice.fired_at, BY_ITSELF, "配信を始めた")]
    for row in status.tallies:
        name = channel_words(row.channel)
        found.append((row.first_accepted_at, BY_ITSELF, f"{name}:最初の受付"))
        found.append(
            (
                row.last_accepted_at,
                BY_ITSELF,
                f"{name}:最後の受付(受付{row.accepted:,}件/宛先{row.planned:,}件)",
            )
        )
    return [(at, who, what) for at, who, what in found if at is not None]


async def _drill(staff_request: StaffRequest) -> Status:
    """Raises LookupError for a notice that is none or not for practice."""
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    if status.notice.spec.mode == Mode.LIVE:
        raise LookupError(f"notice {staff_request.notice_id} is no drill")
    return status
