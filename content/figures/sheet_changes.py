"""Writing in an evaluation sheet and moving it on: one policy's words at a time, so that two officers share a sheet."""

from __future__ import annotations

from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncConnection

from content.notices.records import RecordKind, add_record, change_record, find_record
from content.plans.sheets import NEXT, Entry, Frozen, Sheet, SheetState, sheet_key

KIND = RecordKind.SHEET


class Outcome(StrEnum):
    """What became of it; all but SAVED changed nothing."""

    SAVED = "saved"
    SAME = "same"  # it stands there already: a form that was sent twice
    STALE = "stale"  # somebody else wrote these words, or moved the sheet, in the meantime
    NOT_A_DRAFT = "not_a_draft"
    UNREADABLE = "unreadable"


async def write_entry(
    connection: AsyncConnection,
    plan: str,
    year: int,
    policy: str,
    entry: Entry,
    *,
    seen: Entry,
    staff: str,
    at: int,
) -> Outcome:
    """Put `entry` in the place of `seen`, what the officer had before her. Call it in a write transaction."""
    found = await find_record(connection, KIND, sheet_key(plan, year))
    if found is not None and found.content is None:
        return Outcome.UNREADABLE
    sheet: Sheet = found.content if found else Sheet(key=sheet_key(plan, year), plan=plan, year=year)
    if sheet.state != SheetState.DRAFT:
        return Outcome.NOT_A_DRAFT
    stands = sheet.entries.get(policy, Entry())
    written = entry.model_copy(update={"written_by": staff})
    if stands == written:
        return Outcome.SAME
    if stands != seen:
        return Outcome.STALE
    changed = sheet.model_copy(update={"entries": {**sheet.entries, policy: written}})
    return await _store(connection, changed, found.version if found else 0, staff, at)


async def move_sheet(
    connection: AsyncConnection,
    plan: str,
    year: int,
    state: SheetState,
    *,
    version: int,
    frozen: dict[str, dict[int, Frozen]],
    staff: str,
    at: int,
) -> Outcome:
    """Confirm, publish or take back the version that was seen (0: nobody has written in it yet).
    `frozen` are the counts of now, which a confirmed sheet holds from here on."""
    found = await find_record(connection, KIND, sheet_key(plan, year))
    if found is not None and found.content is None:
        return Outcome.UNREADABLE
    sheet: Sheet = found.content if found else Sheet(key=sheet_key(plan, year), plan=plan, year=year)
    if sheet.state == state:
        return Outcome.SAME
    if state not in NEXT[sheet.state] or (found.version if found else 0) != version:
        return Outcome.STALE
    update: dict[str, object] = {"state": state}
    if state == SheetState.CONFIRMED:
        update |= {"confirmed_by": staff, "confirmed_at": at, "frozen": frozen}
    return await _store(connection, sheet.model_copy(update=update), version, staff, at)


async def _store(connection: AsyncConnection, sheet: Sheet, version: int, staff: str, at: int) -> Outcome:
    if version:
        stored = await change_record(connection, KIND, sheet, version=version, staff=staff, at=at)
    else:
        stored = await add_record(connection, KIND, sheet, staff=staff, at=at)
    return Outcome.SAVED if stored else Outcome.STALE
