"""Keeping what is being typed: by itself while somebody types, and with a button where there is no script."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.form import form_key, read_form
from bot.forms import Fields, read_fields
from bot.pages import redirect
from content.clock import now_ms
from content.notices import kept_forms
from content.notices.kept_forms import KeptForm

# A token is no words, a file is more than its name, and the version must be that which is on the screen.
NOT_KEPT = ("csrf", "replace", "use_template", "picture_file", "remove_picture")


async def keep(staff_request: StaffRequest) -> web.Response:
    """204 for the script, the page again for a person."""
    fields = await read_fields(staff_request.request)
    key = form_key(fields.get("submission_key", ""))
    draft = fields.get("notice_id", "")
    notice_id = int(draft) if draft.isascii() and draft.isdigit() and len(draft) < 19 else None
    async with staff_request.service.database.write() as connection:
        await kept_forms.keep(
            connection,
            key,
            staff_id=staff_request.staff.id,
            notice_id=notice_id,
            fields=[(name, value) for name, value in fields.items() if name not in NOT_KEPT],
            at=now_ms(),
        )
    if "X-Autosave" in staff_request.request.headers:
        return web.Response(status=204)
    path = f"/console/notices/{notice_id}/edit" if notice_id else "/console/notices/new"
    return redirect(f"{path}?kept={key}&saved=1")


async def throw_away(staff_request: StaffRequest) -> web.Response:
    key = (await read_fields(staff_request.request)).get("key", "")
    async with staff_request.service.database.write() as connection:
        await kept_forms.forget(connection, key, staff_request.staff.id)
    return redirect("/console/notices/new")


async def find_kept(staff_request: StaffRequest, key: str, notice_id: int | None) -> KeptForm | None:
    """Of this person and of this notice, or of a new one."""
    if not key:
        return None
    async with staff_request.service.database.read() as connection:
        found = await kept_forms.find(connection, key, staff_request.staff.id)
    return found if found and found.notice_id == notice_id else None


async def kept_of(staff_request: StaffRequest) -> list[KeptForm]:
    async with staff_request.service.database.read() as connection:
        return await kept_forms.of_staff(connection, staff_request.staff.id)


async def forget_kept(staff_request: StaffRequest, fields: Fields) -> None:
    """Once it is a draft there is nothing left to keep."""
    key = read_form(staff_request.service.town, fields).submission_key
    async with staff_request.service.database.write() as connection:
        await kept_forms.forget(connection, key, staff_request.staff.id)
