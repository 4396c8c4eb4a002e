"""What somebody was writing when the session ended: carried through the sign-in on the same page.

Only what is written, never an act: an approval is read and typed again.
"""

from __future__ import annotations

import json
import re

from aiohttp import web

from bot.console.sessions import csrf_token, current_staff
from bot.forms import Fields, read_fields
from bot.multipart import read_form_with_file
from bot.pages import page, service_of
from bot.same_site import comes_from_here
from content.staff.members import Staff

# Where words are typed. No other path that is sent to us is followed.
WRITING = re.compile(r"/console/notices/(new|look|keep|template|picture|[0-9]{1,18}/edit)")
NOT_CARRIED = "csrf"
NOT_YET = (
    "まだログインしていません。ここでログインするか、別のタブでログインしてから、もう一度押してください。"
)


async def session_ended(request: web.Request) -> web.Response | None:
    """The sign-in with the written fields in it; None for what is no writing of ours."""
    if not WRITING.fullmatch(request.path) or not comes_from_here(request, service_of(request)):
        return None
    sent, _ = await read_form_with_file(request)
    fields = [(name, value) for name, value in sent.items() if name != NOT_CARRIED]
    return sign_in_page(request, request.path, json.dumps(fields, ensure_ascii=False), status=401)


def sign_in_page(
    request: web.Request, path: str, carried: str, *, login: str = "", error: str = "", status: int = 200
) -> web.Response:
    return page(
        request,
        "console/session_ended.html",
        status=status,
        carried_path=path,
        carried=carried,
        login=login,
        error=error,
    )


def carried_in(fields: Fields) -> tuple[str, str] | None:
    """The path and the fields that a sign-in brings with it."""
    path = fields.get("carried_path", "")
    return (path, fields.get("carried", "")) if WRITING.fullmatch(path) else None


def go_on_page(request: web.Request, path: str, carried: str, member: Staff) -> web.Response:
    """After the sign-in: one tap, and the written fields are where they were."""
    token = csrf_token(service_of(request), member)
    return page(
        request, "console/go_on.html", carried_path=path, fields=read_carried(carried), carried_csrf=token
    )


async def resume_here(request: web.Request) -> web.Response:
    """Signed in again in another tab: the fields of this one go on."""
    service = service_of(request)
    fields = await read_fields(request)
    carried = carried_in(fields)
    if carried is None or not comes_from_here(request, service):
        raise web.HTTPForbidden
    member = await current_staff(request, service)
    if member is None:
        return sign_in_page(request, *carried, error=NOT_YET, status=401)
    return go_on_page(request, *carried, member)


def read_carried(carried: str) -> list[tuple[str, str]]:
    try:
        found = json.loads(carried)
        return [(name, value) for name, value in found if isinstance(name, str) and isinstance(value, str)]
    except (ValueError, TypeError):
        return []
