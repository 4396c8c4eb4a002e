"""パスキー: added and removed on one's own page, and asked for at the sign-in in place of a code."""

from __future__ import annotations

from aiohttp import web

from bot.console.access import StaffRequest
from bot.console.account import PAGE, account_page, record, without_password
from bot.console.carried import carried_in
from bot.console.login import TOO_MANY_CODES, code_page, entered, local_path
from bot.console.relying import party_of
from bot.console.sessions import half_entered
from bot.console.sign_ins import SIGN_INS
from bot.door.source import household
from bot.errors import error_page
from bot.forms import read_fields
from bot.pages import redirect, service_of
from bot.same_site import comes_from_here
from content.clock import now_ms
from content.staff import passkeys, second_factor
from content.staff.challenges import Asked
from content.staff.passkeys import LONGEST_NAME, MOST, Added

NOT_PROVEN = "パスキーを確かめられませんでした。まだ登録していません。もう一度押してください。"
NOT_ADDED = {
    Added.NOT_PROVEN: NOT_PROVEN,
    Added.KNOWN: "このパスキーは、もう登録されています。",
    Added.TOO_MANY: f"パスキーは{MOST}個までです。使っていないものを外してから、登録してください。",
}
NO_NAME = f"パスキーの名前を{LONGEST_NAME}文字までで書いてください。まだ登録していません。"
WRONG_PASSKEY = (
    "パスキーを確かめられませんでした。もう一度押すか、アプリのコードか予備コードを入れてください。"
)


async def ask_to_add(staff_request: StaffRequest) -> web.Response:
    """What the browser is to ask the device for, as JSON."""
    service, member = staff_request.service, staff_request.staff
    party = party_of(service)
    if party is None:
        raise web.HTTPNotFound
    async with service.database.write() as connection:
        options = await passkeys.begin_adding(
            connection, _asked(staff_request), member.login, party, at=now_ms()
        )
    return web.json_response(text=options)


async def add(staff_request: StaffRequest) -> web.Response:
    service, member = staff_request.service, staff_request.staff
    party = party_of(service)
    fields = await read_fields(staff_request.request)
    name = " ".join(fields.get("name", "").split())
    if party is None:
        raise web.HTTPNotFound
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        return await account_page(staff_request, NO_NAME)
    recovery: list[str] = []
    async with service.database.write() as connection:
        became = await passkeys.add(
            connection, _asked(staff_request), party, fields.get("credential", ""), name, at=now_ms()
        )
        if became == Added.ADDED:
            recovery = await second_factor.first_recovery_codes(connection, member.id)
            await record(connection, member, "staff.passkey_added", name=name)
    if became != Added.ADDED:
        return await account_page(staff_request, NOT_ADDED[became])
    if recovery:
        return staff_request.page("console/recovery_codes.html", codes=recovery)
    return redirect(f"{PAGE}?note=passkey")


async def remove(staff_request: StaffRequest) -> web.Response:
    """With the password, so that an open screen is not enough."""
    service, member = staff_request.service, staff_request.staff
    fields = await read_fields(staff_request.request)
    if refused := await without_password(staff_request, "パスキーは外していません。"):
        return refused
    typed = fields.get("passkey", "")
    passkey_id = int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0
    async with service.database.write() as connection:
        name = await second_factor.remove_passkey(connection, member.id, passkey_id)
        if name is not None:
            await record(connection, member, "staff.passkey_removed", name=name)
    return redirect(f"{PAGE}?note={'no-passkey' if name is None else 'passkey-gone'}")


async def ask_to_enter(request: web.Request) -> web.Response:
    """What the browser is to ask the device for, of whoever has typed the right password, as JSON."""
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    half, party = await half_entered(request, service), party_of(service)
    if half is None or party is None:
        raise web.HTTPNotFound
    async with service.database.write() as connection:
        asked = Asked(half.member.id, half.session)
        options = await passkeys.begin_check(connection, asked, party, at=now_ms())
    if not options:
        raise web.HTTPNotFound
    return web.json_response(text=options)


async def enter(request: web.Request) -> web.Response:
    """The second step with a passkey; tries count together with those of codes."""
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    form = await read_fields(request)
    half, party = await half_entered(request, service), party_of(service)
    if half is None or party is None:
        return redirect("/console/login")
    member, source, sign_ins = half.member, household(request.remote or ""), request.app[SIGN_INS]
    target, carried = local_path(form.get("next", "")), carried_in(form)
    if not sign_ins.may_try_code(member, source):
        return await code_page(request, member, target, TOO_MANY_CODES, 429, carried)
    async with service.database.write() as connection:
        asked = Asked(member.id, half.session)
        proven = await passkeys.check(connection, asked, party, form.get("credential", ""), at=now_ms())
    if not proven:
        sign_ins.code_failed(member, source)
        return await code_page(request, member, target, WRONG_PASSKEY, 401, carried)
    sign_ins.code_fitted(member, source)
    return await entered(request, member, target, carried, second_factor="passkey")


def _asked(staff_request: StaffRequest) -> Asked:
    return Asked(staff_request.staff.id, f"session {staff_request.session.id}")
