"""Adding a picture to a notice that is being written, taking one away, and showing it to staff."""

from __future__ import annotations

from dataclasses import replace

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.attached_fields import AttachedFields
from bot.console.compose import form_page
from bot.console.form import NoticeForm, read_form
from bot.multipart import SentFile, read_form_with_file
from bot.pictures import picture_response
from content.clock import now_ms
from content.notices import pictures
from content.notices.attachments import MOST_PICTURES
from content.notices.picture_files import BadPicture, read_picture
from scheduler.checks import Problem

NOTHING_CHOSEN = "画像のファイルを選んでから、「画像を足す」を押してください。"
ENOUGH = f"画像は{MOST_PICTURES}枚までです。ほかの画像を外してから足してください。"
TWICE = "同じ画像が、もう入っています。"
# As with everything that is named after its content: what the address leads to never changes.
CACHE = "private, max-age=86400, immutable"


async def change(staff_request: StaffRequest) -> web.Response:
    """The page with everything that was typed, and one picture more or less. No notice is stored by this."""
    fields, sent = await read_form_with_file(staff_request.request)
    form = read_form(staff_request.service.town, fields)
    form, problem = await _changed(staff_request, form, fields.get("remove_picture", ""), sent)
    draft = fields.get("notice_id", "")
    return await form_page(
        staff_request,
        form,
        [problem] if problem else [],
        notice_id=int(draft) if draft.isascii() and draft.isdigit() and len(draft) < 19 else None,
        opened="part-attached",
    )


async def show(staff_request: StaffRequest) -> web.Response:
    name = staff_request.request.match_info["name"]
    async with staff_request.service.database.read() as connection:
        content = await pictures.content_of(connection, name)
    if content is None:
        raise web.HTTPNotFound
    return picture_response(staff_request.request, name, content, CACHE)


async def _changed(
    staff_request: StaffRequest, form: NoticeForm, taken_away: str, sent: SentFile | None
) -> tuple[NoticeForm, Problem | None]:
    attached = replace(form.attached, not_added="")
    if taken_away:
        return _with(form, attached, [name for name in attached.pictures if name != taken_away]), None
    if sent is None:
        return _with(form, attached, attached.pictures), Problem("picture_file", NOTHING_CHOSEN)
    if len(attached.pictures) >= MOST_PICTURES:
        return _with(form, attached, attached.pictures), Problem("picture_file", ENOUGH)
    try:
        clean = await read_picture(sent.content)
    except BadPicture as refused:
        said = f"「{sent.name[:60]}」は足せません。{refused}"
        return _with(form, attached, attached.pictures), Problem("picture_file", said)
    if clean.name in attached.pictures:
        return _with(form, attached, attached.pictures), Problem("picture_file", TWICE)
    async with staff_request.service.database.write() as connection:
        await pictures.keep(connection, clean, at=now_ms())
    return _with(form, attached, [*attached.pictures, clean.name]), None


def _with(form: NoticeForm, attached: AttachedFields, names: list[str] | tuple[str, ...]) -> NoticeForm:
    return replace(form, attached=replace(attached, pictures=tuple(names)))
