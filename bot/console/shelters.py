"""Evacuation sites on the screen: which are open, and the list from the open-data file."""

from __future__ import annotations

from dataclasses import dataclass

from aiohttp import web

from bot.console.access import StaffRequest
from bot.forms import read_fields
from bot.pages import redirect
from content.clock import now_ms
from content.notices.records import RecordKind, all_records
from content.notices.shelter_list import ListChange, compare, take_in
from content.notices.shelters import Opening, OpeningState, Shelter, openings, set_opening
from content.notices.shelters_csv import ShelterFileError, SheltersFile, read_shelters
from content.staff import audit

STATES = {"": "登録なし", OpeningState.CLOSED: "未開設", OpeningState.OPEN: "開設", OpeningState.FULL: "満員"}
STALE = "ほかの人が同時に変えました。もう一度確かめてください。まだ取り込んでいません。"
PATH = "/console/shelters"


@dataclass(frozen=True, slots=True)
class Row:
    shelter: Shelter
    opening: Opening | None

    @property
    def state(self) -> str:
        return self.opening.state if self.opening else ""


async def show_list(staff_request: StaffRequest) -> web.Response:
    async with staff_request.service.database.read() as connection:
        records = await all_records(connection, RecordKind.SHELTER)
        known = await openings(connection, now_ms())
    shelters = [item.content for item in records if item.content is not None and not item.content.closed]
    town = staff_request.service.town
    order = {area.key: number for number, area in enumerate(town.areas)}
    shelters.sort(key=lambda item: (order.get(item.area, len(order)), item.name()))
    return staff_request.page(
        "console/shelters.html",
        rows=[Row(item, known.get(item.key)) for item in shelters],
        states=STATES,
        areas={area.key: area.name() for area in town.areas},
        saved=staff_request.request.query.get("saved", ""),
    )


async def set_states(staff_request: StaffRequest) -> web.Response:
    """Only what this person has changed: a colleague's news of another site stays."""
    fields = await read_fields(staff_request.request)
    at, login = now_ms(), staff_request.staff.login
    number = 0
    async with staff_request.service.database.write() as connection:
        known = {item.key for item in await all_records(connection, RecordKind.SHELTER)}
        for key in sorted(known):
            wanted = fields.get(f"state-{key}")
            if wanted is None or wanted not in STATES or wanted == fields.get(f"was-{key}"):
                continue
            state = OpeningState(wanted) if wanted else None
            await set_opening(connection, key, state, staff=login, at=at)
            await audit.record(
                connection,
                at=at,
                actor=login,
                action="shelter.opening_set",
                subject=f"shelter {key}",
                state=wanted or "none",
            )
            number += 1
    return redirect(f"{PATH}?saved={number}")


async def show_import(staff_request: StaffRequest) -> web.Response:
    return _import_page(staff_request)


async def import_list(staff_request: StaffRequest) -> web.Response:
    """Says first what would change; with `take` it is taken in."""
    fields = await read_fields(staff_request.request)
    table = fields.get("table", "")
    try:
        read = read_shelters(table.replace("\t", ",").encode(), staff_request.service.town)
    except ShelterFileError as error:
        return _import_page(staff_request, table, problem=str(error), status=422)
    if "take" not in fields:
        async with staff_request.service.database.read() as connection:
            change = await compare(connection, read.shelters)
        return _import_page(staff_request, table, read=read, change=change)
    if await _take_in(staff_request, read):
        return redirect(PATH)
    return _import_page(staff_request, table, problem=STALE, status=409)


class _Stale(Exception):
    """Rolls back what was taken in so far."""


async def _take_in(staff_request: StaffRequest, read: SheltersFile) -> bool:
    at, login = now_ms(), staff_request.staff.login
    try:
        async with staff_request.service.database.write() as connection:
            change = await compare(connection, read.shelters)
            if not await take_in(connection, change, staff=login, at=at):
                raise _Stale
            await audit.record(connection, at=at, actor=login, action="shelters.imported", subject="shelters")
    except _Stale:
        return False
    return True


def _import_page(
    staff_request: StaffRequest,
    table: str = "",
    *,
    problem: str = "",
    read: SheltersFile | None = None,
    change: ListChange | None = None,
    status: int = 200,
) -> web.Response:
    return staff_request.page(
        "console/shelters_import.html", status=status, table=table, problem=problem, read=read, change=change
    )
