"""職員: who may enter, since when, with which rights; invited, disabled, reset by those who administer."""

from __future__ import annotations

from typing import Any

from aiohttp import web
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.session_pages import session_rows
from bot.console.staff_words import PERMISSION_WORDS, ROLE_WORDS
from bot.forms import read_fields
from bot.pages import redirect
from content.clock import now_ms
from content.staff import audit, codes, member_changes, members, rights, second_factor
from content.staff.codes import CodePurpose
from content.staff.member_changes import LastAdministrator, LoginRefused
from content.staff.members import Staff
from content.staff.rights import OF_THE_WHOLE_OFFICE, OFFICE, ROLES, Permission, Right, RightRefused

PAGE = "/console/people"
NOTES = {
    "last": "最後の管理者です。先に、ほかの職員を管理者にしてください。何も変えていません。",
    "self": "自分自身には行えません。ほかの管理者に頼むか、「自分の設定」を使ってください。何も変えていません。",
    "disabled": "無効にしました。開いている画面も、次の操作から使えません。",
    "enabled": "有効に戻しました。",
    "rights": "権限を変えました。次の操作から効きます。",
    "wrong-right": "管理と宛先の閲覧は、全庁でだけ与えられます。何も変えていません。",
    "sessions": "開いている画面をログアウトさせました。次の操作からログインが要ります。",
    "no-session": "その画面は、もうログアウトしています。",
    "factor": "二段階認証を外しました。次のログインから、設定し直せます。",
    "department": "課を登録しました。",
    "categories": "課の分野を変えました。",
}


async def show_people(staff_request: StaffRequest) -> web.Response:
    return await _list_page(staff_request)


async def invite(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    login, role = fields.get("login", "").strip(), fields.get("role", "")
    if role not in ROLES:
        return await _list_page(staff_request, "権限を選んでください。", login)
    now = now_ms()
    try:
        async with staff_request.service.database.write() as connection:
            await _require(connection, staff_request)
            staff_id, code = await member_changes.invite(connection, login=login, role=role, at=now)
            await _record(connection, staff_request, "staff.invited", staff_id, login=login, role=role)
    except LoginRefused as error:
        return await _list_page(staff_request, str(error), login)
    except IntegrityError:
        return await _list_page(staff_request, f"職員「{login}」は、もう登録されています。", login)
    return _code_page(staff_request, login, code, CodePurpose.PASSWORD)


async def show_person(staff_request: StaffRequest) -> web.Response:
    member = await _member(staff_request)
    async with staff_request.service.database.read() as connection:
        last = await audit.last_times(connection, "staff.logged_in")
        known = await rights.departments(connection)
        has_factor = await second_factor.is_on(connection, member.id)
        sessions = await session_rows(connection, member.id, staff_request.session.id)
    return staff_request.page(
        "console/person.html",
        member=member,
        last=last.get(f"staff {member.id}"),
        departments=known,
        has_factor=has_factor,
        sessions=sessions,
        office=OFFICE,
        permissions=PERMISSION_WORDS,
        of_the_office=OF_THE_WHOLE_OFFICE,
        role=ROLE_WORDS[member.role],
        held={(item.permission, item.department) for item in member.rights if not item.category},
        single=sorted(item for item in member.rights if item.category),
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
    )


async def disable(staff_request: StaffRequest) -> web.Response:
    member = await _member(staff_request)
    if member.id == staff_request.staff.id:
        return _back(member, "self")
    try:
        async with staff_request.service.database.write() as connection:
            await _require(connection, staff_request)
            await member_changes.disable(connection, member, at=now_ms())
            await _record(connection, staff_request, "staff.disabled", member.id, login=member.login)
    except LastAdministrator:
        return _back(member, "last")
    return _back(member, "disabled")


async def enable(staff_request: StaffRequest) -> web.Response:
    member = await _member(staff_request)
    async with staff_request.service.database.write() as connection:
        await _require(connection, staff_request)
        await member_changes.enable(connection, member)
        await _record(connection, staff_request, "staff.enabled", member.id, login=member.login)
    return _back(member, "enabled")


async def reset(staff_request: StaffRequest) -> web.Response:
    """The password of before ends; a code to set a new one is shown once."""
    member = await _member(staff_request)
    if member.id == staff_request.staff.id:
        return _back(member, "self")
    async with staff_request.service.database.write() as connection:
        await _require(connection, staff_request)
        code = await member_changes.forget_password(connection, member, at=now_ms())
        await _record(connection, staff_request, "staff.password_reset", member.id, login=member.login)
    return _code_page(staff_request, member.login, code, CodePurpose.PASSWORD)


async def make_code(staff_request: StaffRequest) -> web.Response:
    """For somebody whose phone is lost at three in the morning: once in place of the second factor."""
    member = await _member(staff_request)
    if member.id == staff_request.staff.id:
        return _back(member, "self")
    async with staff_request.service.database.write() as connection:
        await _require(connection, staff_request)
        code = await codes.make(connection, member.id, CodePurpose.SECOND_FACTOR, at=now_ms())
        await _record(connection, staff_request, "staff.code_made", member.id, login=member.login)
    return _code_page(staff_request, member.login, code, CodePurpose.SECOND_FACTOR)


async def remove_factor(staff_request: StaffRequest) -> web.Response:
    member = await _member(staff_request)
    if member.id == staff_request.staff.id:
        return _back(member, "self")
    async with staff_request.service.database.write() as connection:
        await _require(connection, staff_request)
        await second_factor.remove(connection, member.id)
        await member_changes.end_sessions(connection, member.id)
        await _record(connection, staff_request, "staff.factor_removed", member.id, login=member.login)
    return _back(member, "factor")


async def change_rights(staff_request: StaffRequest) -> web.Response:
    member = await _member(staff_request)
    fields = await read_fields(staff_request.request)
    async with staff_request.service.database.read() as connection:
        known = {item.key for item in await rights.departments(connection)}
    typed = [tuple(value.split(":")) for value in fields.getall("right", [])]
    typed.append((fields.get("permission", ""), fields.get("department", ""), fields.get("category", "")))
    wanted = {
        Right(*parts)
        for parts in typed
        if len(parts) == 3
        and parts[0] in set(Permission)
        and parts[1] in known
        and (not parts[2] or parts[2] in staff_request.service.town.category)
    }
    try:
        async with staff_request.service.database.write() as connection:
            await _require(connection, staff_request)
            await member_changes.set_rights(connection, member, wanted)
            await _record(
                connection,
                staff_request,
                "staff.rights_changed",
                member.id,
                login=member.login,
                rights=sorted(map(str, wanted)),
            )
    except LastAdministrator:
        return _back(member, "last")
    except RightRefused:
        return _back(member, "wrong-right")
    return _back(member, "rights")


async def add_department(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    key, name = fields.get("key", "").strip(), fields.get("name", "").strip()
    owned = [item for item in fields.getall("category", []) if item in staff_request.service.town.category]
    try:
        async with staff_request.service.database.write() as connection:
            await _require(connection, staff_request)
            await rights.add_department(connection, key, name, owned, at=now_ms())
            await _record_department(connection, staff_request, "department.added", key, owned)
    except RightRefused as error:
        return await _list_page(staff_request, str(error))
    return redirect(f"{PAGE}?note=department")


async def change_department(staff_request: StaffRequest) -> web.Response:
    fields = await read_fields(staff_request.request)
    key = staff_request.request.match_info["key"]
    owned = [item for item in fields.getall("category", []) if item in staff_request.service.town.category]
    async with staff_request.service.database.write() as connection:
        await _require(connection, staff_request)
        if key == OFFICE or key not in {item.key for item in await rights.departments(connection)}:
            raise web.HTTPNotFound
        await rights.set_categories(connection, key, owned)
        await _record_department(connection, staff_request, "department.changed", key, owned)
    return redirect(f"{PAGE}?note=categories")


async def _list_page(staff_request: StaffRequest, error: str = "", login: str = "") -> web.Response:
    async with staff_request.service.database.read() as connection:
        everybody = await members.everybody(connection)
        last = await audit.last_times(connection, "staff.logged_in")
        known = await rights.departments(connection)
        invited = await codes.waiting_for_password(connection, now_ms())
        factors = await second_factor.with_factor(connection)
    names = {item.key: item.name for item in known}
    rows = [
        {
            "member": member,
            "role": ROLE_WORDS[member.role],
            "departments": "、".join(
                names[key] for key in sorted({item.department for item in member.rights})
            ),
            "last": last.get(f"staff {member.id}"),
            "invited": member.id in invited,
            "factor": member.id in factors,
        }
        for member in everybody
    ]
    return staff_request.page(
        "console/people.html",
        status=422 if error else 200,
        rows=rows,
        departments=known,
        roles={key: ROLE_WORDS[key] for key in ROLES},
        error=error,
        typed=login,
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
    )


def _code_page(staff_request: StaffRequest, login: str, code: str, purpose: CodePurpose) -> web.Response:
    return staff_request.page(
        "console/person_code.html",
        login=login,
        code=code,
        is_password=purpose == CodePurpose.PASSWORD,
        until=now_ms() + codes.LASTS[purpose],
        address=f"{staff_request.service.settings.public_url}/console/password",
    )


async def _member(staff_request: StaffRequest) -> Staff:
    async with staff_request.service.database.read() as connection:
        found = await members.get_any(connection, staff_request.notice_id)
    if found is None:
        raise web.HTTPNotFound
    return found


def _back(member: Staff, note: str) -> web.Response:
    return redirect(f"{PAGE}/{member.id}?note={note}")


async def _require(connection: AsyncConnection, staff_request: StaffRequest) -> None:
    await members.require(connection, staff_request.staff.login, Permission.ADMINISTER, None)


async def _record(
    connection: AsyncConnection, staff_request: StaffRequest, action: str, staff_id: int, **detail: Any
) -> None:
    await audit.record(
        connection,
        at=now_ms(),
        actor=staff_request.staff.login,
        action=action,
        subject=f"staff {staff_id}",
        **detail,
    )


async def _record_department(
    connection: AsyncConnection, staff_request: StaffRequest, action: str, key: str, owned: list[str]
) -> None:
    await audit.record(
        connection,
        at=now_ms(),
        actor=staff_request.staff.login,
        action=action,
        subject=f"department {key}",
        categories=sorted(owned),
    )
