"""Groups on screen: made and closed, their members by number, their invitation codes, and what ends when."""

from __future__ import annotations

from datetime import date
from itertools import zip_longest

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.console.words import channel_words
from bot.forms import Fields, read_fields
from bot.pages import redirect
from channels.rendering import clean
from content.clock import DAY, end_of_day, now_ms, today_jst
from content.notices.group_ends import told_groups
from content.register import invitations, memberships, town_groups
from content.register.group_counts import count_members
from content.register.invitations import MOST_CODES, MOST_USES
from content.register.states import Route
from content.staff import audit
from content.town import Group, Town

LONGEST_NAME = 40
LONGEST_LABEL = 40
# After so long somebody should look through the members again.
CONFIRM_AFTER = 365 * DAY
SOON = 30
NOTES = {
    "made": "グループを作りました。招待コードを作って、入る人に渡してください。",
    "closed-code": "招待コードを止めました。もう使えません。",
    "removed": "グループから外しました。町のお知らせは、これまでどおり届きます。",
    "not-removed": "その登録は、このグループに入っていません。",
    "confirmed": "会員を確かめたことを記録しました。",
}


async def show_groups(staff_request: StaffRequest) -> web.Response:
    return await _list_page(staff_request)


async def create(staff_request: StaffRequest) -> web.Response:
    name = clean((await read_fields(staff_request.request)).get("name", "")).strip()
    names = {group.name() for group in staff_request.service.town.groups}
    if not name or len(name) > LONGEST_NAME or name in names:
        problem = (
            f"「{name}」は、もうあります。別の名前にしてください。"
            if name in names
            else f"名前を{LONGEST_NAME}字までで書いてください。"
        )
        return await _list_page(staff_request, problem, name)
    now = now_ms()
    async with staff_request.service.database.write() as connection:
        key = await town_groups.make_group(connection, name, staff=staff_request.staff.login, at=now)
        await _record(connection, staff_request, "group.added", key)
    return redirect(f"/console/groups/{key}?note=made")


async def show_group(staff_request: StaffRequest) -> web.Response:
    return await _group_page(staff_request, _group(staff_request))


async def make_codes(staff_request: StaffRequest) -> web.Response:
    """The codes are on this answer alone: only their hashes are kept."""
    group, fields = _group(staff_request), await read_fields(staff_request.request)
    today = today_jst()
    number, most = _whole(fields, "number"), _whole(fields, "most")
    expires, until = _day(fields, "expires"), _day(fields, "until")
    labels = [clean(line).strip() for line in fields.get("labels", "").splitlines() if line.strip()]
    problem = ""
    if labels and "number" in fields:
        number = max(number, len(labels))
    if any(len(label) > LONGEST_LABEL for label in labels):
        problem = f"渡す先は、1行に{LONGEST_LABEL}字までで書いてください。"
    elif not (1 <= number <= MOST_CODES):
        problem = f"枚数は1〜{MOST_CODES}で書いてください。"
    elif not (1 <= most <= MOST_USES):
        problem = f"1枚で入れる数は1〜{MOST_USES}で書いてください。"
    elif expires is None or not today <= expires <= date(today.year + 2, 12, 31):
        problem = "有効期限は、今日から再来年までの日にしてください。"
    elif fields.get("until", "").strip() and (until is None or until < today):
        problem = "会員の終わりの日は、今日より後の日にするか、空けてください。"
    if problem or expires is None:
        return await _group_page(staff_request, group, problem=problem)
    async with staff_request.service.database.write() as connection:
        codes = await invitations.make_codes(
            connection,
            group.key,
            number=number,
            labels=labels,
            most=most,
            expires_at=end_of_day(expires),
            member_until=until,
            staff=staff_request.staff.login,
            at=now_ms(),
        )
        await _record(connection, staff_request, "group.codes_made", group.key)
    return staff_request.page(
        "console/group_codes.html",
        group=group,
        codes=list(zip_longest(codes, labels, fillvalue="")),
        most=most,
        expires=expires,
    )


async def close_code(staff_request: StaffRequest) -> web.Response:
    group = _group(staff_request)
    number = _whole(await read_fields(staff_request.request), "code")
    async with staff_request.service.database.write() as connection:
        if await invitations.close_code(connection, group.key, number, at=now_ms()):
            await _record(connection, staff_request, "group.code_closed", group.key)
    return redirect(f"/console/groups/{group.key}?note=closed-code")


async def remove_member(staff_request: StaffRequest) -> web.Response:
    group = _group(staff_request)
    number = _whole(await read_fields(staff_request.request), "subscriber")
    async with staff_request.service.database.write() as connection:
        members = {item.number for item in await memberships.members_of(connection, group.key)}
        removed = number in members and await memberships.remove_member(
            connection, group.key, number, route=Route.COUNTER, at=now_ms()
        )
        if removed:
            await _record(connection, staff_request, "group.member_removed", group.key, member=str(number))
    return redirect(f"/console/groups/{group.key}?note={'removed' if removed else 'not-removed'}")


async def confirm(staff_request: StaffRequest) -> web.Response:
    group = _group(staff_request)
    async with staff_request.service.database.write() as connection:
        await town_groups.confirm_members(connection, group.key, staff=staff_request.staff.login, at=now_ms())
        await _record(connection, staff_request, "group.confirmed", group.key)
    return redirect(f"/console/groups/{group.key}?note=confirmed")


async def close(staff_request: StaffRequest) -> web.Response:
    """Only of those made on the screen; what the profile brings, the profile ends."""
    group = _group(staff_request)
    async with staff_request.service.database.write() as connection:
        if await town_groups.close_group(connection, group.key):
            await _record(connection, staff_request, "group.closed", group.key)
    return redirect("/console/groups")


async def _record(
    connection: AsyncConnection, staff_request: StaffRequest, action: str, key: str, **detail: str
) -> None:
    login = staff_request.staff.login
    await audit.record(connection, at=now_ms(), actor=login, action=action, subject=f"group {key}", **detail)


async def _list_page(staff_request: StaffRequest, problem: str = "", name: str = "") -> web.Response:
    town, now = staff_request.service.town, now_ms()
    async with staff_request.service.database.read() as connection:
        counts = await count_members(connection, list(town.group))
        confirmed = await town_groups.confirmations(connection)
    rows = [
        (
            group,
            sum(counts[group.key].values()),
            [(_channel(town, account), number) for account, number in sorted(counts[group.key].items())],
            _needs_look(confirmed, group.key, sum(counts[group.key].values()), now),
        )
        for group in town.groups
    ]
    return staff_request.page(
        "console/groups.html",
        status=422 if problem else 200,
        rows=rows,
        now=now,
        problem=problem,
        name=name,
    )


async def _group_page(staff_request: StaffRequest, group: Group, problem: str = "") -> web.Response:
    town, now, today = staff_request.service.town, now_ms(), today_jst()
    async with staff_request.service.database.read() as connection:
        members = await memberships.members_of(connection, group.key)
        codes = await invitations.invitations_of(connection, group.key)
        confirmed = (await town_groups.confirmations(connection)).get(group.key)
        is_made = any(item.key == group.key for item in await town_groups.made_groups(connection))
        is_told = group.key in await told_groups(connection, now)
    ending = [item for item in members if item.until is not None and (item.until - today).days <= SOON]
    return staff_request.page(
        "console/group.html",
        status=422 if problem else 200,
        group=group,
        members=[(item, _channel(town, item.account)) for item in members],
        codes=codes,
        confirmed=confirmed,
        needs_look=_needs_look(
            {} if confirmed is None else {group.key: confirmed}, group.key, len(members), now
        ),
        is_made=is_made,
        ending=len(ending),
        first_end=min((item.until for item in ending if item.until is not None), default=None),
        is_told=is_told,
        now=now,
        today=today,
        problem=problem,
        note=NOTES.get(staff_request.request.query.get("note", ""), ""),
    )


def _needs_look(confirmed: dict[str, tuple[str, int]], key: str, members: int, now: int) -> bool:
    return members > 0 and (key not in confirmed or now - confirmed[key][1] > CONFIRM_AFTER)


def _group(staff_request: StaffRequest) -> Group:
    found = staff_request.service.town.group.get(staff_request.request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return found


def _channel(town: Town, account: str) -> str:
    return (
        channel_words(town.account[account].channel) if account in town.account else "町の設定にない配信手段"
    )


def _whole(fields: Fields, name: str) -> int:
    text = fields.get(name, "").strip()
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else 0


def _day(fields: Fields, name: str) -> date | None:
    try:
        return date.fromisoformat(fields.get(name, "").strip())
    except ValueError:
        return None
