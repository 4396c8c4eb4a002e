"""The list of notices: found by words, narrowed by state, category, author, day and mode, page by page."""

from __future__ import annotations

from datetime import date
from urllib.parse import urlencode

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.home import rows_of
from content.clock import end_of_day, start_of_day
from content.notices import searching
from content.notices.searching import Phase, Wanted
from scheduler.words import MODE_NAMES

ON_PAGE = 30
LONGEST = 200
PHASE_WORDS: dict[str, str] = {
    Phase.DRAFT: "下書き",
    Phase.SCHEDULED: "予約",
    Phase.RECURRING: "くり返し中",
    Phase.HELD: "保留",
    Phase.SENT: "配信したもの",
    Phase.CANCELLED: "取消",
}
FIELDS = ("words", "state", "category", "author", "mode", "from", "to")


async def show_list(staff_request: StaffRequest) -> web.Response:
    query = staff_request.request.query
    typed = {name: query.get(name, "").strip()[:LONGEST] for name in FIELDS}
    problems = [
        f"{label}の日付を読み取れません。2026-04-07 のように書いてください。"
        for name, label in (("from", "はじめ"), ("to", "おわり"))
        if typed[name] and _read_day(typed[name]) is None
    ]
    wanted = _wanted(typed)
    before = query.get("before", "")
    older_than = int(before[:18]) if before.isascii() and before.isdigit() else None
    seen = staff_request.staff.categories("see")
    async with staff_request.service.database.read() as connection:
        found = await searching.search(
            connection, wanted, limit=ON_PAGE + 1, older_than=older_than, seen=seen
        )
        rows = await rows_of(staff_request, connection, found[:ON_PAGE])
        total = await searching.count(connection, wanted, seen)
        authors = await searching.authors(connection)
    asked = {name: value for name, value in typed.items() if value}
    older = {**asked, "before": str(rows[-1].notice.id)} if len(found) > ON_PAGE else None
    return staff_request.page(
        "console/notices.html",
        status=422 if problems else 200,
        rows=rows,
        total=total,
        typed=typed,
        problems=problems,
        narrowed=bool(wanted),
        first=older_than is None,
        newest=f"/console/notices?{urlencode(asked)}" if asked else "/console/notices",
        older=f"/console/notices?{urlencode(older)}" if older else "",
        authors=authors,
        phases=PHASE_WORDS,
        modes=MODE_NAMES,
    )


def _wanted(typed: dict[str, str]) -> Wanted:
    since, until = _read_day(typed["from"]), _read_day(typed["to"])
    return Wanted(
        words=typed["words"],
        phase=typed["state"],
        category=typed["category"],
        author=typed["author"],
        mode=typed["mode"],
        since=start_of_day(since) if since else None,
        before=end_of_day(until) if until else None,
    )


def _read_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 9999 else None
