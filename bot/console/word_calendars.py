"""Word calendars (文の暦) on the screen: pasted as a table, kept by date."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.record_pages import find_or_404, free_key, save
from bot.forms import read_fields
from bot.pages import redirect
from channels.rendering import clean
from content.clock import today_jst
from content.notices.calendars import CalendarError, WordCalendar, read_calendar
from content.notices.record_uses import uses_of_calendar
from content.notices.records import RecordKind, all_records

KIND = RecordKind.CALENDAR


async def show_list(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        records = await all_records(connection, KIND)
    return staff_request.page("console/word_calendars.html", records=records)


async def show_new(staff_request: StaffRequest) -> web.Response:
    return await _form_page(staff_request, None, None, "", "", 0, "")


async def show_edit(staff_request: StaffRequest) -> web.Response:
    found = await find_or_404(staff_request, KIND)
    return await _form_page(
        staff_request,
        found.key,
        found.content,
        found.content.name if found.content else "",
        "",
        found.version,
        "",
    )


async def create(staff_request: StaffRequest) -> web.Response:
    return await _store(staff_request, None, None)


async def change(staff_request: StaffRequest) -> web.Response:
    found = await find_or_404(staff_request, KIND)
    return await _store(staff_request, found.key, found.content)


async def _store(staff_request: StaffRequest, key: str | None, known: WordCalendar | None) -> web.Response:
    fields = await read_fields(staff_request.request)
    name, table = clean(fields.get("name", "")).strip(), fields.get("table", "")
    sent = fields.get("version", "")
    version = int(sent) if sent.isascii() and sent.isdigit() and len(sent) < 10 else 0
    try:
        if not name:
            raise CalendarError("名前を書いてください。")
        columns, days = read_calendar(table.replace("\t", ",").encode())
    except CalendarError as error:
        return await _form_page(staff_request, key, known, name, table, version, str(error))
    calendar = WordCalendar(key=key or free_key("c"), name=name, columns=columns, days=days)
    if await save(staff_request, KIND, calendar, version=version):
        return redirect("/console/word-calendars")
    return await _form_page(
        staff_request,
        key,
        known,
        name,
        table,
        version,
        "ほかの人が先に保存しました。一覧から開き直してください。まだ保存していません。",
    )


async def _form_page(
    staff_request: StaffRequest,
    key: str | None,
    known: WordCalendar | None,
    name: str,
    table: str,
    version: int,
    problem: str,
) -> web.Response:
    uses = []
    if key is not None:
        async with staff_request.service.database.read() as connection:
            uses = await uses_of_calendar(connection, key)
    today = today_jst().isoformat()
    coming = [(day, words) for day, words in known.days.items() if day >= today] if known else []
    return staff_request.page(
        "console/word_calendar.html",
        status=422 if problem else 200,
        key=key,
        name=name,
        table=table,
        version=version,
        problem=problem,
        columns=known.columns if known else (),
        coming=coming[:60],
        uses=uses,
    )
