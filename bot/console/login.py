"""Logging in and out."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.sessions import comes_from_here, forget_session, open_session
from bot.errors import error_page, read_fields
from bot.pages import page, redirect, service_of
from content.clock import now_ms, to_jst
from content.staff import audit, members
from content.staff.members import Locked, Staff

HOME = "/console/"
NOT_FITTING = "ログイン名かパスワードが違います。もう一度入力してください。"


async def show_login(request: web.Request) -> web.Response:
    return _login_page(request, local_path(request.query.get("next", "")))


async def log_in(request: web.Request) -> web.Response:
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    form = await read_fields(request)
    login, target = str(form.get("login", "")).strip(), local_path(str(form.get("next", "")))
    try:
        member = await members.log_in(service.database, login, str(form.get("password", "")), now_ms())
    except Locked as locked:
        return _login_page(request, target, login, _lock_message(locked), status=429)
    if member is None:
        return _login_page(request, target, login, NOT_FITTING, status=401)
    await _record(request, member, "staff.logged_in")
    response = redirect(target)
    open_session(service, response, member)
    return response


async def log_out(staff_request: StaffRequest) -> web.Response:
    """Ends every session of this member, also one left open at another desk."""
    async with staff_request.service.database.write() as connection:
        await members.end_sessions(connection, staff_request.staff.id)
    await _record(staff_request.request, staff_request.staff, "staff.logged_out")
    response = redirect("/console/login")
    forget_session(response)
    return response


def local_path(target: str) -> str:
    """A page of the console, else its home: a link must not lead from our login to another site."""
    is_ours = target == "/console" or target.startswith("/console/")
    is_plain = "\\" not in target and all(char > " " for char in target)
    return target if is_ours and is_plain and not target.startswith("/console/login") else HOME


def _login_page(
    request: web.Request, target: str, login: str = "", error: str = "", status: int = 200
) -> web.Response:
    return page(request, "console/login.html", status=status, next=target, login=login, error=error)


def _lock_message(locked: Locked) -> str:
    return (
        f"パスワードの間違いが続いたため、{to_jst(locked.until):%H:%M:%S} までログインできません。"
        "急ぐときは、ほかの職員がログインしてください。"
    )


async def _record(request: web.Request, member: Staff, action: str) -> None:
    async with service_of(request).database.write() as connection:
        await audit.record(
            connection, at=now_ms(), actor=member.login, action=action, subject=f"staff {member.id}"
        )
