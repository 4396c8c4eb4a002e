"""What the pages of segments, templates and calendars share: find, save with the version that was seen, audit."""

from __future__ import annotations

import secrets

from aiohttp import web

from bot.console.access import StaffRequest
from content.clock import now_ms
from content.notices.records import Content, RecordKind, TownRecord, add_record, change_record, find_record
from content.staff import audit


async def find_or_404(staff_request: StaffRequest, kind: RecordKind) -> TownRecord:
    async with staff_request.service.database.read() as connection:
        found = await find_record(connection, kind, staff_request.request.match_info["key"])
    if found is None:
        raise web.HTTPNotFound
    return found


async def save(staff_request: StaffRequest, kind: RecordKind, content: Content, *, version: int) -> bool:
    """Add it (version 0) or change the version that was seen; False when that is not the newest any more."""
    at, login = now_ms(), staff_request.staff.login
    async with staff_request.service.database.write() as connection:
        if version:
            saved = await change_record(connection, kind, content, version=version, staff=login, at=at)
        else:
            saved = await add_record(connection, kind, content, staff=login, at=at)
        if saved:
            await audit.record(
                connection,
                at=at,
                actor=login,
                action=f"{kind}.{'changed' if version else 'added'}",
                subject=f"{kind} {content.key}",
            )
    return saved


def free_key(letter: str) -> str:
    """Staff give a name; the key that machines use is made."""
    return f"{letter}-{secrets.token_hex(4)}"
