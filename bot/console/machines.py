"""機械からの投稿: the keys of machines, made and ended by those who administer."""

from __future__ import annotations

from aiohttp import web

from bot import machine_keys
from bot.console.access import StaffRequest
from bot.console.staff_words import PERMISSION_WORDS
from bot.console.words import category_words
from bot.forms import Fields, read_fields
from bot.machine_keys import PER_HOUR, USUAL_DAYS, Wanted
from bot.pages import redirect
from content.staff import machines, rights
from content.staff.machines import GIVEN_TO_MACHINES, LONGEST_NAME, MOST_PER_HOUR, Machine, MachineRefused
from content.staff.rights import Permission

PAGE = "/console/machines"
NOTES = {
    "ended": "接続キーを終わらせました。この機械からは、もう何も受け付けません。",
    "gone": "この接続キーは、もう終わっています。何も変えていません。",
}
USUAL = Wanted("", permissions=(Permission.SEE, Permission.WRITE))


async def show_machines(staff_request: StaffRequest) -> web.Response:
    return await _list_page(staff_request, USUAL)


async def make_key(staff_request: StaffRequest) -> web.Response:
    """The key is shown on this page, once."""
    wanted = _read(await read_fields(staff_request.request))
    try:
        token = await machine_keys.make(staff_request.service, wanted, by=staff_request.staff.login)
    except MachineRefused as error:
        return await _list_page(staff_request, wanted, error)
    return staff_request.page(
        "console/machine_key.html",
        name=wanted.name,
        token=token,
        address=f"{staff_request.service.settings.public_url}/api/v1/notices",
    )


async def end_key(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        found = await machines.get(connection, staff_request.notice_id)
    if found is None:
        raise web.HTTPNotFound
    ended = await machine_keys.end(staff_request.service, found, by=staff_request.staff.login)
    return redirect(f"{PAGE}?note={'ended' if ended else 'gone'}")


async def _list_page(
    staff_request: StaffRequest, wanted: Wanted, error: MachineRefused | None = None
) -> web.Response:
    now = staff_request.service.database.now()
    async with staff_request.service.database.read() as connection:
        everyone = await machines.everyone(connection)
        departments = await rights.departments(connection)
    names = {item.key: item.name for item in departments}
    return staff_request.page(
        "console/machines.html",
        status=422 if error else 200,
        rows=[
            {
                "machine": item,
                "department": names[item.department],
                "may": _in_words(staff_request, item),
                "good": item.is_good(now),
            }
            for item in sorted(everyone, key=lambda item: (not item.is_good(now), item.id))
        ],
        departments=departments,
        permissions=[(item, PERMISSION_WORDS[item]) for item in GIVEN_TO_MACHINES],
        wanted=wanted,
        error=str(error) if error else "",
        wrong=error.field if error else "",
        longest_name=LONGEST_NAME,
        most_per_hour=MOST_PER_HOUR,
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
    )


def _read(fields: Fields) -> Wanted:
    return Wanted(
        name=" ".join(fields.get("name", "").split()),
        department=fields.get("department", ""),
        permissions=tuple(fields.getall("permission", [])),
        categories=tuple(fields.getall("category", [])),
        networks=fields.get("networks", "").strip(),
        per_hour=_number(fields.get("per_hour", ""), PER_HOUR),
        days=_number(fields.get("days", ""), USUAL_DAYS),
    )


def _number(typed: str, usual: int) -> int:
    """What is no number is out of every bound, and so refused at its field."""
    typed = typed.strip()
    if not typed:
        return usual
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 6 else 0


def _in_words(staff_request: StaffRequest, machine: Machine) -> str:
    permissions = sorted(
        {item.permission for item in machine.rights},
        key=lambda item: GIVEN_TO_MACHINES.index(Permission(item)),
    )
    chosen = sorted({item.category for item in machine.rights} - {""})
    where = "・".join(category_words(staff_request.service.town, key) for key in chosen)
    what = "・".join(PERMISSION_WORDS[item] for item in permissions)
    return f"{what}({where or '課の分野すべて'})"
