"""Where a member is signed in: seen and ended one by one, one's own and those of a colleague."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import ip_network

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.forms import read_fields
from bot.pages import redirect
from content.clock import now_ms
from content.staff import audit, member_changes, members, sessions
from content.staff.rights import Permission

ACCOUNT = "/console/account"
PEOPLE = "/console/people"


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session as a page shows it; `is_this` is the one that asks."""

    id: int
    device: str
    place: str
    began_at: int
    seen_at: int
    is_this: bool


async def session_rows(
    connection: AsyncConnection, staff_id: int, this: int | None = None
) -> list[SessionRow]:
    """The one that asks first, then the last used ones."""
    found = await sessions.of_member(connection, staff_id, at=now_ms())
    rows = [
        SessionRow(
            item.id,
            item.device,
            place_words(item.network),
            item.began_at,
            item.seen_at,
            item.id == this,
        )
        for item in found
    ]
    return sorted(rows, key=lambda row: not row.is_this)


def place_words(network: str) -> str:
    """A network as a person can tell it from another."""
    if not network:
        return "不明"
    found = ip_network(network)
    shown = f"{network.rpartition('.')[0]}.*" if found.version == 4 else f"{str(found.network_address)[:-1]}*"
    return f"内部のネットワーク({shown})" if found.is_private else shown


async def end_own(staff_request: StaffRequest) -> web.Response:
    """One other session of one's own, or all others."""
    member, this = staff_request.staff, staff_request.session.id
    chosen = _number((await read_fields(staff_request.request)).get("session", ""))
    if chosen == this:
        return redirect(f"{ACCOUNT}?note=this-session")
    async with staff_request.service.database.write() as connection:
        ended = (
            await sessions.end_others(connection, member.id, but=this)
            if chosen is None
            else await sessions.end(connection, member.id, chosen)
        )
        if ended:
            await _record(connection, staff_request, member.id, int(ended))
    return redirect(f"{ACCOUNT}?note={'sessions' if ended else 'no-session'}")


async def end_of_colleague(staff_request: StaffRequest) -> web.Response:
    """One session of somebody else, or all of them."""
    staff_id = staff_request.notice_id
    chosen = _number((await read_fields(staff_request.request)).get("session", ""))
    async with staff_request.service.database.write() as connection:
        await members.require(connection, staff_request.staff.login, Permission.ADMINISTER, None)
        member = await members.get_any(connection, staff_id)
        if member is None:
            raise web.HTTPNotFound
        number = len(await sessions.of_member(connection, staff_id, at=now_ms()))
        if chosen is None:
            await member_changes.end_sessions(connection, staff_id)
        else:
            number = int(await sessions.end(connection, staff_id, chosen))
        if number:
            await _record(connection, staff_request, staff_id, number, login=member.login)
    return redirect(f"{PEOPLE}/{staff_id}?note={'sessions' if number else 'no-session'}")


def _number(typed: str) -> int | None:
    """None for all; a number that nobody has for what is none."""
    if not typed:
        return None
    return int(typed) if typed.isascii() and typed.isdigit() and len(typed) < 19 else 0


async def _record(
    connection: AsyncConnection, staff_request: StaffRequest, staff_id: int, number: int, **detail: str
) -> None:
    await audit.record(
        connection,
        at=now_ms(),
        actor=staff_request.staff.login,
        action="staff.sessions_ended",
        subject=f"staff {staff_id}",
        number=number,
        **detail,
    )
