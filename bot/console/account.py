"""自分の設定: one's own password, second factor and recovery codes; and setting a password with a code."""

from __future__ import annotations

import pyotp
import segno
from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.relying import party_of
from bot.console.session_pages import session_rows
from bot.console.sessions import begin_session, open_session
from bot.console.sign_ins import SIGN_INS
from bot.console.staff_words import ROLE_WORDS
from bot.door.source import household
from bot.errors import error_page
from bot.forms import read_fields
from bot.pages import page, redirect, service_of
from bot.same_site import comes_from_here
from bot.service import Service
from content.clock import MINUTE, now_ms
from content.staff import audit, codes, member_changes, members, passkeys, second_factor
from content.staff.codes import CodePurpose
from content.staff.hashing import Busy
from content.staff.members import Staff
from content.staff.passwords import PasswordRefused, new_hash
from content.staff.sign_in import Attempt

PAGE = "/console/account"
NO_GOOD_CODE = "ログイン名かコードが違うか、期限が切れています。管理者に、新しいコードを頼んでください。"
NOT_SAME = "新しいパスワードの2つの欄が違います。もう一度入力してください。まだ変えていません。"
NOTES = {
    "password": "パスワードを変えました。ほかの端末で開いていた画面は、すべてログアウトされました。",
    "factor": "二段階認証を外しました。",
    "app": "認証アプリを設定しました。予備コードは、前のものがそのまま使えます。",
    "passkey": "パスキーを登録しました。次のログインから使えます。",
    "passkey-gone": "パスキーを外しました。",
    "no-passkey": "そのパスキーは、もう外れています。",
    "sessions": "ほかの端末の画面をログアウトさせました。その端末では、次の操作からログインが要ります。",
    "no-session": "その画面は、もうログアウトしています。",
    "this-session": "それは今お使いの画面です。終えるときは「ログアウト」を押してください。",
    "needed": "お知らせを送る人には二段階認証が要ります。設定すると、ほかのページを使えます。",
}


async def show_account(staff_request: StaffRequest) -> web.Response:
    return await account_page(staff_request)


async def without_password(staff_request: StaffRequest, unchanged: str) -> web.Response | None:
    """The page for who did not type the password of now in `password`; None for who did."""
    request, member = staff_request.request, staff_request.staff
    typed = (await read_fields(request)).get("password", "")
    try:
        same = await request.app[SIGN_INS].enter(
            Attempt(member.login, typed, household(request.remote or ""))
        )
    except Busy:
        return await account_page(
            staff_request, "ただいま混み合っています。少し待って、もう一度押してください。"
        )
    return None if same else await account_page(staff_request, f"今のパスワードが違います。{unchanged}")


async def change_password(staff_request: StaffRequest) -> web.Response:
    """With the password of now; every other session ends."""
    request, member, service = staff_request.request, staff_request.staff, staff_request.service
    fields = await read_fields(request)
    if refused := await without_password(staff_request, "まだ変えていません。"):
        return refused
    if fields.get("new", "") != fields.get("again", ""):
        return await account_page(staff_request, NOT_SAME)
    try:
        password_hash = await new_hash(fields.get("new", ""), member.login)
        async with service.database.write() as connection:
            await member_changes.set_password(connection, member, password_hash, at=now_ms())
            await record(connection, member, "staff.password_changed")
            changed = await members.get(connection, member.id)
            session_id = await begin_session(connection, request, member)
    except PasswordRefused as error:
        return await account_page(staff_request, str(error))
    response = redirect(f"{PAGE}?note=password")
    if changed is not None:
        open_session(service, response, changed, session_id)
    return response


async def begin_factor(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.write() as connection:
        secret = await second_factor.begin(connection, staff_request.service.keys, staff_request.staff.id)
    return _factor_page(staff_request, secret) if secret else redirect(PAGE)


async def confirm_factor(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    service, member = staff_request.service, staff_request.staff
    async with service.database.write() as connection:
        made = await second_factor.confirm(
            connection, service.keys, member.id, fields.get("code", ""), at=now_ms()
        )
        if made is not None:
            await record(connection, member, "staff.factor_added")
        typed = fields.get("code", "")
        off = (
            None
            if made is not None
            else await second_factor.phone_is_off(connection, service.keys, member.id, typed, at=now_ms())
        )
        secret = "" if made is not None else await second_factor.begin(connection, service.keys, member.id)
    if made is None:
        return _factor_page(staff_request, secret, wrong=wrong_code(off)) if secret else redirect(PAGE)
    if not made:
        return redirect(f"{PAGE}?note=app")
    return staff_request.page("console/recovery_codes.html", codes=made)


async def make_recovery_codes(staff_request: StaffRequest) -> web.Response:
    member = staff_request.staff
    async with staff_request.service.database.write() as connection:
        if not await second_factor.is_on(connection, member.id):
            return redirect(PAGE)
        made = await second_factor.new_recovery_codes(connection, member.id)
        await record(connection, member, "staff.recovery_made")
    return staff_request.page("console/recovery_codes.html", codes=made)


async def remove_factor(staff_request: StaffRequest) -> web.Response:
    """With a code, so that an open screen is not enough."""
    fields = await read_fields(staff_request.request)
    service, member = staff_request.service, staff_request.staff
    async with service.database.write() as connection:
        how = await second_factor.check(
            connection, service.keys, member.id, fields.get("code", ""), at=now_ms()
        )
        if how is not None:
            await second_factor.remove(connection, member.id)
            await record(connection, member, "staff.factor_removed")
    if how is None:
        return await account_page(staff_request, "コードが違います。二段階認証は外していません。")
    return redirect(f"{PAGE}?note=factor")


async def show_password(request: web.Request) -> web.Response:
    """For whoever was handed a code: open to all, like the login."""
    return page(request, "console/password.html", error="", login="")


async def set_password(request: web.Request) -> web.Response:
    service = service_of(request)
    if not comes_from_here(request, service):
        return error_page(request, 403)
    fields = await read_fields(request)
    login, new = fields.get("login", "").strip().replace("\0", ""), fields.get("new", "")
    error = NOT_SAME if new != fields.get("again", "") else ""
    if not error:
        try:
            if not await _set_with_code(service, login, fields.get("code", ""), new):
                error = NO_GOOD_CODE
        except PasswordRefused as refused:
            # The code has not been used and stays good.
            error = str(refused)
    if error:
        return page(request, "console/password.html", status=422, error=error, login=login)
    return redirect("/console/login")


async def _set_with_code(service: Service, login: str, code: str, new: str) -> bool:
    """False when the code is not good. Raises PasswordRefused."""
    async with service.database.read() as connection:
        member = await members.find(connection, login)
        if member is None or not await codes.is_good(
            connection, member.id, code, CodePurpose.PASSWORD, at=now_ms()
        ):
            return False
    # Behind the code, so that nobody without one makes us hash; before the transaction, which it would hold up.
    password_hash = await new_hash(new, member.login)
    async with service.database.write() as connection:
        # Asked anew: meanwhile another may have used it, or an administrator have disabled the member.
        member = await members.find(connection, login)
        if member is None or not await codes.use(
            connection, member.id, code, CodePurpose.PASSWORD, at=now_ms()
        ):
            return False
        await member_changes.set_password(connection, member, password_hash, at=now_ms())
        await record(connection, member, "staff.password_set")
    return True


async def account_page(staff_request: StaffRequest, error: str = "") -> web.Response:
    async with staff_request.service.database.read() as connection:
        has_factor = await second_factor.is_on(connection, staff_request.staff.id)
        has_app = await second_factor.has_app(connection, staff_request.staff.id)
        keys = await passkeys.of_member(connection, staff_request.staff.id)
        left = await second_factor.recovery_codes_left(connection, staff_request.staff.id)
        sessions = await session_rows(connection, staff_request.staff.id, staff_request.session.id)
    return staff_request.page(
        "console/account.html",
        status=422 if error else 200,
        has_factor=has_factor,
        has_app=has_app,
        passkeys=keys,
        party=party_of(staff_request.service),
        address=staff_request.service.settings.public_url,
        longest_name=passkeys.LONGEST_NAME,
        left=left,
        sessions=sessions,
        role=ROLE_WORDS[staff_request.staff.role],
        error=error,
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
    )


def wrong_code(off: int | None) -> str:
    """Why the code of a phone did not fit, whose clock may be ahead by so much."""
    if off is None:
        return "コードが合いません。アプリに今出ている6桁を入れてください。"
    by = f"約{max(1, round(abs(off) / MINUTE))}分"
    return f"スマートフォンの時計が{by}{'進んで' if off > 0 else '遅れて'}いるため、コードが合いません。"


def _factor_page(staff_request: StaffRequest, secret: str, *, wrong: str = "") -> web.Response:
    issuer = f"{staff_request.service.town.name} 回覧板"
    address = pyotp.TOTP(secret).provisioning_uri(name=staff_request.staff.login, issuer_name=issuer)
    return staff_request.page(
        "console/factor.html",
        status=422 if wrong else 200,
        secret=" ".join(secret[at : at + 4] for at in range(0, len(secret), 4)),
        picture=segno.make(address, micro=False).svg_inline(omitsize=True, svgclass="qr", lineclass=None),
        wrong=wrong,
        now=now_ms(),
    )


async def record(connection: AsyncConnection, member: Staff, action: str, **detail: str) -> None:
    await audit.record(
        connection, at=now_ms(), actor=member.login, action=action, subject=f"staff {member.id}", **detail
    )
