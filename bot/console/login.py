"""Logging in and out."""

from __future__ import annotations

import re
from urllib.parse import quote

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.carried import carried_in, go_on_page, sign_in_page
from bot.console.devices import device_of, remember_device
from bot.console.relying import party_of
from bot.console.sessions import (
    begin_session,
    forget_half,
    forget_session,
    half_entered,
    open_half,
    open_session,
)
from bot.console.sign_ins import SIGN_INS
from bot.door.source import household
from bot.errors import error_page, message_page
from bot.forms import read_fields
from bot.pages import page, redirect, service_of
from bot.same_site import comes_from_here
from content.clock import now_ms
from content.staff import audit, member_changes, passkeys, second_factor
from content.staff.hashing import Busy
from content.staff.members import Staff
from content.staff.sign_in import Attempt

HOME = "/console/"
# The same words whether the name is unknown, the password wrong or the source has to wait.
NOT_ENTERED = (
    "ログインできませんでした。ログイン名とパスワードを確かめて、もう一度入力してください。"
    "間違いが続くと、正しいパスワードでも5分ほどログインできません。"
)
WRONG_CODE = (
    "コードが合いません。使ったコードは、もう一度は使えません。次のコードが出るまで待って入れてください。"
    "スマートフォンの時計がずれていると、正しいコードでも合いません。時計を「自動」にしてください。"
)
TOO_MANY_CODES = "間違いが続いたため、5分ほど入れません。急ぐときは、ほかの職員か管理者に頼んでください。"
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
    carried = carried_in(form)
    if member is None and carried:
        return sign_in_page(request, *carried, login=login, error=NOT_ENTERED, status=401)
    if member is None:
        return _login_page(request, target, login, NOT_ENTERED, status=401)
    async with service.database.read() as connection:
        has_factor = await second_factor.is_on(connection, member.id)
    if has_factor:
        # What was being written is sent along, since a redirect would drop it.
        response = (
            await code_page(request, member, target, carried=carried)
            if carried
            else redirect(f"/console/login/code?next={quote(target, safe='')}")
        )
        open_half(service, response, member)
        return response
    return await entered(request, member, target, carried)


async def show_code(request: web.Request) -> web.Response:
    half = await half_entered(request, service_of(request))
    if half is None:
        return redirect("/console/login")
    return await code_page(request, half.member, local_path(request.query.get("next", "")))


async def enter_code(request: web.Request) -> web.Response:
    """The second step of whoever has typed the right password a few minutes ago."""
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    form = await read_fields(request)
    half = await half_entered(request, service)
    if half is None:
        return redirect("/console/login")
    member = half.member
    target, carried = local_path(form.get("next", "")), carried_in(form)
    sign_ins = request.app[SIGN_INS]
    if not sign_ins.may_try_code(member, household(_address(request))):
        return await code_page(request, member, target, TOO_MANY_CODES, 429, carried)
    async with service.database.write() as connection:
        how = await second_factor.check(
            connection, service.keys, member.id, form.get("code", ""), at=now_ms()
        )
    if how is None:
        sign_ins.code_failed(member, household(_address(request)))
        return await code_page(request, member, target, WRONG_CODE, 401, carried)
    sign_ins.code_fitted(member, household(_address(request)))
    return await entered(request, member, target, carried, second_factor=how)


async def entered(
    request: web.Request, member: Staff, target: str, carried: tuple[str, str] | None, **detail: str
) -> web.Response:
    """In: to the page that was asked for, or on with what was being written."""
    service = service_of(request)
    async with service.database.write() as connection:
        await _record(connection, request, member, "staff.logged_in", **detail)
        session_id = await begin_session(connection, request, member)
    response = go_on_page(request, *carried, member) if carried else redirect(target)
    open_session(service, response, member, session_id)
    forget_half(service, response)
    remember_device(service, response, device_of(request, service), member)
    return response


async def code_page(
    request: web.Request,
    member: Staff,
    target: str,
    error: str = "",
    status: int = 200,
    carried: tuple[str, str] | None = None,
) -> web.Response:
    service = service_of(request)
    party = party_of(service)
    async with service.database.read() as connection:
        has_app = await second_factor.has_app(connection, member.id)
        has_passkey = await passkeys.has_any(connection, member.id)
    return page(
        request,
        "console/login_code.html",
        status=status,
        has_app=has_app,
        has_passkey=has_passkey,
        party=party,
        next=target,
        error=error,
        now=now_ms(),
        carried=carried,
    )


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


async def _record(
    connection: AsyncConnection, request: web.Request, member: Staff, action: str, **detail: str
) -> None:
    await audit.record(
        connection,
        at=now_ms(),
        actor=member.login,
        action=action,
        subject=f"staff {member.id}",
        source=_address(request),
        **detail,
    )


def _address(request: web.Request) -> str:
    return request.remote or ""
