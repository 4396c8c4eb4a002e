"""表示板: the displays on stations and counters, their addresses, and which of them were seen when."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.console.access import StaffRequest
from bot.forms import Fields, read_fields
from bot.pages import redirect
from content.clock import MINUTE
from content.notices import displays
from content.notices.displays import LONGEST_NAME, Display, DisplayAudience, DisplayRefused
from content.staff import audit, members
from content.staff.rights import Permission

PAGE = "/console/displays"
AUDIENCES = {
    DisplayAudience.CITIZENS: "町の人(日本語。すべての分野)",
    DisplayAudience.VISITORS: "町を訪れる人(日本語とほかのことば。ほかのことばがあるお知らせと、緊急)",
}
NOTES = {
    "ended": "表示板を止めました。そのアドレスには、もう何も出ません。",
    "gone": "この表示板は、もう止まっています。何も変えていません。",
}
# Longer unseen, and somebody should go and look; a display asks every few seconds.
SILENT_AFTER = 3 * MINUTE
# Further off, and its clock is worth a visit. What it shows does not depend on it.
CLOCK_OFF_AFTER = MINUTE


@dataclass(frozen=True, slots=True)
class Wanted:
    """The fields as typed."""

    name: str = ""
    audience: str = DisplayAudience.CITIZENS
    place: str = ""
    chime: bool = False


async def show_displays(staff_request: StaffRequest) -> web.Response:
    return await _list_page(staff_request, Wanted())


async def add_display(staff_request: StaffRequest) -> web.Response:
    """The address is shown on this page, once."""
    wanted, service, by = (
        _read(await read_fields(staff_request.request)),
        staff_request.service,
        staff_request.staff.login,
    )
    now = service.database.now()
    try:
        if wanted.place and wanted.place not in service.town.area:
            raise DisplayRefused("place", "地区を選び直してください。")
        async with service.database.write() as connection:
            await members.require(connection, by, Permission.ADMINISTER, None)
            display_id, key = await displays.add(
                connection,
                name=wanted.name,
                audience=wanted.audience,
                place=wanted.place,
                chime=wanted.chime,
                by=by,
                at=now,
            )
            await audit.record(
                connection,
                at=now,
                actor=by,
                action="display.added",
                subject=f"display {display_id}",
                name=wanted.name,
                audience=wanted.audience,
                place=wanted.place,
            )
    except DisplayRefused as error:
        return await _list_page(staff_request, wanted, error)
    return staff_request.page(
        "console/display_address.html",
        name=wanted.name,
        address=f"{service.settings.public_url}/signage/{key}",
    )


async def end_display(staff_request: StaffRequest) -> web.Response:
    service, by = staff_request.service, staff_request.staff.login
    now = service.database.now()
    async with service.database.write() as connection:
        await members.require(connection, by, Permission.ADMINISTER, None)
        found = await displays.get(connection, staff_request.notice_id)
        if found is None:
            raise web.HTTPNotFound
        ended = await displays.end(connection, found.id, at=now)
        if ended:
            await audit.record(
                connection,
                at=now,
                actor=by,
                action="display.ended",
                subject=f"display {found.id}",
                name=found.name,
            )
    return redirect(f"{PAGE}?note={'ended' if ended else 'gone'}")


async def _list_page(
    staff_request: StaffRequest, wanted: Wanted, error: DisplayRefused | None = None
) -> web.Response:
    service = staff_request.service
    now = service.database.now()
    async with service.database.read() as connection:
        found = await displays.everyone(connection)
    return staff_request.page(
        "console/displays.html",
        status=422 if error else 200,
        rows=[
            {
                "display": item,
                "place": service.town.area[item.place].name()
                if item.place in service.town.area
                else "町全体",
                "audience": AUDIENCES[item.audience].partition("(")[0],
                "silent": _is_silent(item, now),
                "clock": _clock_words(item),
            }
            for item in sorted(found, key=lambda item: (item.ended_at is not None, item.id))
        ],
        audiences=AUDIENCES,
        wanted=wanted,
        error=str(error) if error else "",
        wrong=error.field if error else "",
        longest_name=LONGEST_NAME,
        may_change=staff_request.staff.may(Permission.ADMINISTER),
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
    )


def _is_silent(item: Display, now: int) -> bool:
    return item.seen_at is not None and now - item.seen_at > SILENT_AFTER


def _clock_words(item: Display) -> str:
    """ "" for a clock that is right enough, or that nobody knows."""
    ahead = item.clock_ahead or 0
    if abs(ahead) <= CLOCK_OFF_AFTER:
        return ""
    minutes = abs(ahead) // MINUTE
    return f"表示板の時計が約{minutes}分{'進んで' if ahead > 0 else '遅れて'}います(表示には影響しません)"


def _read(fields: Fields) -> Wanted:
    return Wanted(
        name=" ".join(fields.get("name", "").split()),
        audience=fields.get("audience", ""),
        place=fields.get("place", ""),
        chime="chime" in fields,
    )
