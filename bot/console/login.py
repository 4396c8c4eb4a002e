"""Logging in and out."""

from __future__ import annotations

import re

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.devices import device_of, remember_device
from bot.console.sessions import comes_from_here, forget_session, open_session
from bot.console.sign_ins import SIGN_INS
from bot.door.source import household
from bot.errors import error_page, message_page
from bot.forms import read_fields
from bot.pages import page, redirect, service_of
from content.clock import now_ms
from content.staff import audit, member_changes
from content.staff.hashing import Busy
from content.staff.members import Staff
from content.staff.sign_in import Attempt

HOME = "/console/"
# The same words whether the name is unknown, the password wrong or the source has to wait.
NOT_ENTERED = (
    "ログインできませんでした。ログイン名とパスワードを確かめて、もう一度入力してください。"
    "間違いが続くと、正しいパスワードでも5分ほどログインできません。"
)
RETRY_AFTER = "5"
PLAIN = re.compile(r"[!-\[\]-~]{1,2000}")
CLIMBS = re.compile(r"/(\.|%2e){1,2}(/|$|\?)|//", re.IGNORECASE)


async def show_login(request: web.Request) -> web.Response:
    return _login_page(request, local_path(request.query.get("next", "")))


async def log_in(request: web.Request) -> web.Response:
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    form = await read_fields(request)
    login, target = form.get("login", "").strip(), local_path(form.get("next", ""))
    device = device_of(request, service)
    attempt = Attempt(login, form.get("password", ""), household(_address(request)), device)
    try:
        member = await request.app[SIGN_INS].enter(attempt)
    except Busy:
        return _busy_page(request)
    if member is None:
        return _login_page(request, target, login, NOT_ENTERED, status=401)
    async with service.database.write() as connection:
        await _record(connection, request, member, "staff.logged_in")
    response = redirect(target)
    open_session(service, response, member)
    remember_device(service, response, device, member)
    return response


async def log_out(staff_request: StaffRequest) -> web.Response:
    """Ends every session of this member, also one left open at another desk."""
    member = staff_request.staff
    async with staff_request.service.database.write() as connection:
        await member_changes.end_sessions(connection, member.id)
        await _record(connection, staff_request.request, member, "staff.logged_out")
    response = redirect("/console/login")
    forget_session(staff_request.service, response)
    return response


def local_path(target: str) -> str:
    """A page of the console, else its home: a link must not lead from our login to another site."""
    is_ours = target == "/console" or target.startswith("/console/")
    # As a browser sends it: anything else it would read in its own way, such as \ or a path that climbs.
    is_plain = PLAIN.fullmatch(target) and not CLIMBS.search(target)
    return target if is_ours and is_plain and not target.startswith("/console/login") else HOME


def _login_page(
    request: web.Request, target: str, login: str = "", error: str = "", status: int = 200
) -> web.Response:
    return page(request, "console/login.html", status=status, next=target, login=login, error=error)


def _busy_page(request: web.Request) -> web.Response:
    response = message_page(
        request,
        503,
        "ただいま混み合っています",
        "ログインする人が重なっています。少し待って(10秒ほど)、もう一度ログインしてください。"
        "お知らせの配信は、この画面と関係なく続いています。",
        "Many people are signing in at this moment. Please try again in a few seconds.",
    )
    response.headers["Retry-After"] = RETRY_AFTER
    return response


async def _record(connection: AsyncConnection, request: web.Request, member: Staff, action: str) -> None:
    await audit.record(
        connection,
        at=now_ms(),
        actor=member.login,
        action=action,
        subject=f"staff {member.id}",
        source=_address(request),
    )


def _address(request: web.Request) -> str:
    return request.remote or ""
