"""What the town has said to everybody: the newest first, by words, topic and month, a page at a time."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import date, timedelta

from aiohttp import web

from bot.pages import page, service_of
from content.clock import month_end, start_of_day, to_jst
from content.notices import searching
from content.notices.publicity import is_listed
from content.notices.searching import for_everybody

PAGE = 20
LONGEST_WORDS = 80
LONGEST_ID = 18
MONTH = re.compile(r"(20[0-9]{2})-(0[1-9]|1[0-2])")
# Whoever floods the list gets the same page for so many seconds.
CACHE = "public, max-age=15"


async def show_archive(request: web.Request) -> web.Response:
    """Drills, closed circles, what is not out and what has ended stand in no public list."""
    service, query = service_of(request), request.query
    words, category, month = query.get("q", "").strip(), query.get("category", ""), query.get("month", "")
    older = query.get("before", "")
    wrong = _wrong(words, category, month, older, set(service.town.category))
    found, more = [], False
    if not wrong:
        since, until = _span(month)
        wanted = replace(for_everybody(category), words=words, since=since, before=until)
        async with service.database.read() as connection:
            rows = await searching.search(
                connection, wanted, limit=PAGE + 1, older_than=int(older) if older else None
            )
        more = len(rows) > PAGE
        found = [item for item in rows[:PAGE] if is_listed(service.town, item, service.database.now())]
    response = page(
        request,
        "resident/archive.html",
        status=400 if wrong else 200,
        wrong=wrong,
        found=found,
        next_before=rows[PAGE - 1].id if more else None,
        words=words[:LONGEST_WORDS],
        category=category,
        month=month,
        months=_months(to_jst(service.database.now()).date()),
    )
    response.headers["Cache-Control"] = CACHE
    return response


def _wrong(words: str, category: str, month: str, older: str, known: set[str]) -> str:
    """What cannot be looked for, in words; "" when all can."""
    if len(words) > LONGEST_WORDS or "\0" in words:
        return f"探すことばは{LONGEST_WORDS}文字までにしてください。"
    if category and category not in known:
        return "その種類のお知らせはありません。種類を選び直してください。"
    if month and not MONTH.fullmatch(month):
        return "年月を選び直してください。"
    if older and not (older.isascii() and older.isdigit() and len(older) <= LONGEST_ID):
        return "ページを選び直してください。"
    return ""


def _span(month: str) -> tuple[int | None, int | None]:
    """Its first moment and that of the next one, in ms."""
    if not month:
        return None, None
    year, number = map(int, month.split("-"))
    last = month_end(year, number)
    return start_of_day(last.replace(day=1)), start_of_day(last + timedelta(days=1))


def _months(today: date) -> list[tuple[str, str]]:
    """(value, words) of the last two years, the newest first."""
    newest = today.year * 12 + today.month - 1
    pairs = [divmod(newest - back, 12) for back in range(24)]
    return [(f"{year}-{index + 1:02}", f"{year}年{index + 1}月") for year, index in pairs]
