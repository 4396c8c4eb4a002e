"""Evaluation sheets on the screen: the sheet as it is printed, its files, one policy's words, and its state."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from aiohttp import web
from pydantic import ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import StaffRequest
from bot.forms import Fields, read_fields
from bot.pages import TEMPLATES, redirect
from bot.pdf import has_pdf
from bot.record_problems import problem_words
from bot.sheets.files import sheet_csv, sheet_excel, sheet_json_text
from bot.sheets.paper import STATE_WORDS, Paper, paper, state_words
from bot.sheets.pdf import sheet_pdf
from channels.rendering import clean
from content.clock import now_ms
from content.figures.sheet_changes import Outcome, move_sheet, write_entry
from content.figures.sheets import frozen_counts
from content.notices.records import RecordKind, find_record
from content.plans.models import Policy
from content.plans.sheets import NEXT, Entry, SheetState
from content.staff import audit

EXCEL = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
PROSE = {
    "progress": "進捗状況",
    "done": "主な取組内容",
    "issues": "今後の取組や課題",
    "next": "次年度の方向",
    "remark": "評価の理由",
}
MOVES = {
    SheetState.CONFIRMED: "この内容で確認済みにする",
    SheetState.PUBLISHED: "公表済みにする",
    SheetState.DRAFT: "下書きに戻す",
}
TOLD = {
    Outcome.STALE: "ほかの人が先に変えました。下がいまの内容です。あなたの変更はまだ保存していません。",
    Outcome.NOT_A_DRAFT: "この評価表は確認済みか公表済みです。直すときは、先に評価表を「下書きに戻す」にしてください。",
    Outcome.UNREADABLE: "この評価表の記録を読み取れません。管理者に知らせてください。",
}


async def show_sheet(staff_request: StaffRequest) -> web.Response:
    found = await _paper_or_404(staff_request)
    file = await _file(staff_request, found)
    return file or await _page(staff_request, found)


async def move(staff_request: StaffRequest) -> web.Response:
    """Confirm, publish, or back to draft."""
    found = await _paper_or_404(staff_request)
    fields = await read_fields(staff_request.request)
    wanted, version = fields.get("state", ""), fields.get("version", "")
    if wanted not in set(SheetState) or not (version.isascii() and version.isdigit() and len(version) < 10):
        return await _page(staff_request, found, "操作を選び直してください。", status=422)
    async with staff_request.service.database.write() as connection:
        outcome = await move_sheet(
            connection,
            found.view.plan.key,
            found.view.sheet.year,
            SheetState(wanted),
            version=int(version),
            frozen=frozen_counts(found.view),
            staff=staff_request.staff.login,
            at=now_ms(),
        )
        await _audit(connection, staff_request, found, outcome, wanted)
    if outcome not in TOLD:
        return redirect(_path(found))
    return await _page(
        staff_request,
        await _paper_or_404(staff_request),
        TOLD[outcome] + "内容を見て、もう一度選んでください。",
        409,
    )


async def show_entry(staff_request: StaffRequest) -> web.Response:
    found = await _paper_or_404(staff_request)
    policy = _policy_or_404(staff_request, found)
    entry = found.view.entry(policy)
    return _entry_page(staff_request, found, policy, entry, entry)


async def write(staff_request: StaffRequest) -> web.Response:
    found = await _paper_or_404(staff_request)
    policy = _policy_or_404(staff_request, found)
    fields = await read_fields(staff_request.request)
    try:
        entry, seen = _typed(found, fields), Entry.model_validate_json(fields.get("seen", "{}"))
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        name = PROSE.get(str(problem["loc"][0]) if problem["loc"] else "", "入力")
        return _entry_page(
            staff_request,
            found,
            policy,
            found.view.entry(policy),
            found.view.entry(policy),
            f"{name}: {problem_words(problem)}。まだ保存していません。",
            typed={key: fields.get(key, "") for key in PROSE},
            status=422,
        )
    async with staff_request.service.database.write() as connection:
        outcome = await write_entry(
            connection,
            found.view.plan.key,
            found.view.sheet.year,
            policy.key,
            entry,
            seen=seen,
            staff=staff_request.staff.login,
            at=now_ms(),
        )
        await _audit(connection, staff_request, found, outcome, policy.key)
    if outcome not in TOLD:
        return redirect(f"{_path(found)}#{policy.key}")
    # Both are shown: what stands there now, and what was typed, so that nothing is lost.
    newest = await _paper_or_404(staff_request)
    return _entry_page(
        staff_request, newest, policy, entry, newest.view.entry(policy), TOLD[outcome], status=409
    )


async def _audit(
    connection: AsyncConnection, staff_request: StaffRequest, found: Paper, outcome: Outcome, what: str
) -> None:
    if outcome == Outcome.SAVED:
        await audit.record(
            connection,
            at=now_ms(),
            actor=staff_request.staff.login,
            action="sheet.changed",
            subject=f"sheet {found.view.sheet.key}",
            what=what,
        )


def _typed(found: Paper, fields: Fields) -> Entry:
    """What was typed; a grade that the scale does not have counts as none. Raises ValidationError."""
    grades = {}
    for scale in found.view.plan.scales:
        chosen = fields.get(f"grade.{scale.key}", "")
        if chosen in {item.name for item in scale.grades}:
            grades[scale.key] = chosen
    words = {key: clean(fields.get(key, "").replace("\r\n", "\n")).strip() for key in PROSE}
    return Entry.model_validate(words | {"grades": grades})


async def _paper_or_404(staff_request: StaffRequest) -> Paper:
    match = staff_request.request.match_info
    year = match["year"]
    found = await paper(staff_request.service, match["plan"], int(year) if len(year) < 5 else 0)
    if found is None:
        raise web.HTTPNotFound
    return found


def _policy_or_404(staff_request: StaffRequest, found: Paper) -> Policy:
    key = staff_request.request.match_info["policy"]
    policy = next((item for item in found.view.policies if item.key == key), None)
    if policy is None:
        raise web.HTTPNotFound
    return policy


def _path(found: Paper) -> str:
    return f"/console/sheets/{found.view.plan.key}/{found.view.sheet.year}"


async def _page(
    staff_request: StaffRequest, found: Paper, problem: str = "", status: int = 200
) -> web.Response:
    async with staff_request.service.database.read() as connection:
        record = await find_record(connection, RecordKind.SHEET, found.view.sheet.key)
    state = found.view.sheet.state
    return staff_request.page(
        "console/sheet.html",
        status=status,
        paper=found,
        state=state_words(found.view),
        is_draft=state == SheetState.DRAFT,
        moves=[(item.value, MOVES[item]) for item in NEXT[state]] if found.view.policies else [],
        version=record.version if record else 0,
        problem=problem,
        has_pdf=has_pdf(),
        own=_path(found),
    )


def _entry_page(
    staff_request: StaffRequest,
    found: Paper,
    policy: Policy,
    entry: Entry,
    stands: Entry,
    problem: str = "",
    typed: dict[str, str] | None = None,
    status: int = 200,
) -> web.Response:
    """`stands` is what the record holds now; it goes along as what this officer has seen."""
    words: dict[str, Any] = {key: getattr(entry, key) for key in PROSE} | (typed or {})
    return staff_request.page(
        "console/sheet_entry.html",
        status=status,
        paper=found,
        policy=policy,
        words=words,
        labels=PROSE,
        grades=entry.grades,
        stands=stands,
        differs=bool(problem) and stands != entry and not typed,
        seen=json.dumps(stands.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False),
        is_draft=found.view.sheet.state == SheetState.DRAFT,
        state=STATE_WORDS[found.view.sheet.state],
        results=found.view.results_of(policy),
        problem=problem,
        own=_path(found),
    )


async def _file(staff_request: StaffRequest, found: Paper) -> web.Response | None:
    """A file when `?format=` asks for one."""
    match staff_request.request.query.get("format", ""):
        case "csv":
            body, kind, ending = sheet_csv(found), "text/csv", "csv"
        case "json":
            body, kind, ending = sheet_json_text(found).encode(), "application/json", "json"
        case "xlsx":
            body, kind, ending = await asyncio.to_thread(sheet_excel, found), EXCEL, "xlsx"
        case "pdf" if has_pdf():
            templates = staff_request.request.app[TEMPLATES]
            body, kind, ending = await sheet_pdf(templates, found), "application/pdf", "pdf"
        case _:
            return None
    return web.Response(
        body=body,
        headers={
            "Content-Type": f"{kind}; charset=utf-8" if ending in ("csv", "json") else kind,
            "Content-Disposition": f'attachment; filename="{found.file_name}.{ending}"',
        },
    )
