"""操作の記録: who did what and when, narrowed and page by page, as a file, and whether it is what was written."""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlencode

from aiohttp import web

from bot.audit_words import WORDS
from bot.console.access import StaffRequest
from bot.console.staff_words import PERMISSION_WORDS, ROLE_WORDS
from bot.console.words import channel_words, reason_words
from channels.reasons import Reason
from content.clock import end_of_day, iso, start_of_day
from content.register.csv_cells import harmless
from content.staff import audit, audit_chain
from content.staff.audit import Entry
from content.staff.audit_chain import Broken
from content.staff.rights import OFFICE
from scheduler.words import MODE_NAMES, URGENCY_NAMES

ON_PAGE = 50
MOST_IN_FILE = 100_000
LONGEST = 200
FIELDS = ("actor", "action", "subject", "from", "to")
SUBJECT = re.compile(r"(notice|staff) (\d{1,18})")
SUBJECT_WORDS = {"notice": "お知らせ", "staff": "職員"}
# What stands beside an act, where it has a word for people; anything else is shown as it was written.
DETAIL_WORDS = {
    "login": "ログイン名",
    "name": "名前",
    "role": "権限",
    "rights": "権限",
    "second_factor": "二段階認証",
    "urgency": "緊急度",
    "mode": "種別",
    "target": "宛先",
    "accepted": "承知した指摘",
    "reason": "理由",
    "number": "数",
    "channel": "配信手段",
    "registrations": "登録番号",
    "categories": "分野",
    "first_at": "はじめ",
    "last_at": "おわり",
    "wrong": "パスワード違い",
    "wrong_code": "コード違い",
    "waiting": "待ち時間中",
    "turned_away": "混雑でお断り",
    "other_sources": "ほかの接続元",
}
VALUE_WORDS = {
    **URGENCY_NAMES,
    **MODE_NAMES,
    **{key: word for key, word in ROLE_WORDS.items() if key},
    "subscribed": "分野を選んだ登録者",
    "segment": "配信対象",
    "group": "グループ",
    "areas": "地区",
    "everyone": "登録者全員",
    "app": "アプリ",
    "passkey": "パスキー",
    "recovery": "予備コード",
    "emergency": "緊急コード",
}
BROKEN = {
    "changed": "内容が、書かれたときと違います",
    "gone": "記録が消されています",
    "not_as_noted": "控えておいた印と合いません",
}


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One entry as the page shows it. `link`: the page of what it was about, when there is one."""

    entry: Entry
    what: str
    about: str
    link: str


async def show_audit(staff_request: StaffRequest) -> web.Response:
    return await _page(staff_request)


async def check_chain(staff_request: StaffRequest) -> web.Response:
    """A button, since entries without their link get it first."""
    found = await audit_chain.verify(staff_request.service.database, staff_request.service.keys)
    return await _page(staff_request, found)


async def send_csv(staff_request: StaffRequest) -> web.Response:
    wanted, _ = _wanted(staff_request)
    async with staff_request.service.database.read() as connection:
        found = await audit.entries(connection, limit=MOST_IN_FILE, **wanted)
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(("番号", "日時", "だれが", "何をした", "何について", "くわしく"))
    for row in map(_row, found):
        cells = (iso(row.entry.at) or "", row.entry.actor, row.what, row.about, _details(row.entry))
        writer.writerow((row.entry.id, *map(harmless, cells)))
    return web.Response(
        # Excel takes UTF-8 for what it is by its mark.
        body=("\ufeff" + text.getvalue()).encode(),
        content_type="text/csv",
        charset="utf-8",
        headers={"Content-Disposition": 'attachment; filename="audit.csv"'},
    )


async def _page(staff_request: StaffRequest, checked: Any = None) -> web.Response:
    query = staff_request.request.query
    wanted, problems = _wanted(staff_request)
    before = query.get("before", "")
    before_id = int(before) if before.isascii() and before.isdigit() and len(before) < 19 else None
    async with staff_request.service.database.read() as connection:
        found = await audit.entries(connection, limit=ON_PAGE + 1, before_id=before_id, **wanted)
        actors = await audit.actors(connection)
    typed = _typed(staff_request)
    asked = {name: value for name, value in typed.items() if value}
    older = {**asked, "before": str(found[ON_PAGE - 1].id)} if len(found) > ON_PAGE else None
    return staff_request.page(
        "console/audit.html",
        status=422 if problems else 200,
        rows=[_row(entry) for entry in found[:ON_PAGE]],
        typed=typed,
        problems=problems,
        narrowed=bool(asked),
        words=WORDS,
        actors=actors,
        details=_details,
        newest=f"/console/audit?{urlencode(asked)}" if before_id else "",
        older=f"/console/audit?{urlencode(older)}" if older else "",
        file=f"/console/audit.csv?{urlencode(asked)}",
        whole=None if checked is None or isinstance(checked, Broken) else checked,
        broken=(checked.number, BROKEN[checked.why]) if isinstance(checked, Broken) else None,
    )


def _typed(staff_request: StaffRequest) -> dict[str, str]:
    query = staff_request.request.query
    return {name: query.get(name, "").strip()[:LONGEST] for name in FIELDS}


def _wanted(staff_request: StaffRequest) -> tuple[dict[str, Any], list[str]]:
    """What `audit.entries` is asked for, and what could not be read."""
    typed = _typed(staff_request)
    days = {name: _read_day(typed[name]) for name in ("from", "to")}
    problems = [
        f"{label}の日付を読み取れません。2026-04-07 のように書いてください。"
        for name, label in (("from", "はじめ"), ("to", "おわり"))
        if typed[name] and days[name] is None
    ]
    wanted = {
        "actor": typed["actor"] or None,
        "action": typed["action"] or None,
        "subject": typed["subject"] or None,
        "since": start_of_day(days["from"]) if days["from"] else None,
        "before": end_of_day(days["to"]) if days["to"] else None,
    }
    return wanted, problems


def _read_day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if 1970 < found.year < 9999 else None


def _row(entry: Entry) -> AuditRow:
    found = SUBJECT.fullmatch(entry.subject)
    if found is None:
        return AuditRow(entry, WORDS.get(entry.action, entry.action), entry.subject, "")
    folder = {"notice": "notices", "staff": "people"}[found[1]]
    about = f"{SUBJECT_WORDS[found[1]]} {found[2]}"
    return AuditRow(entry, WORDS.get(entry.action, entry.action), about, f"/console/{folder}/{found[2]}")


def _details(entry: Entry) -> str:
    return "、".join(
        f"{DETAIL_WORDS.get(name, name)}:{_plain(name, value)}"
        for name, value in entry.detail.items()
        if value not in ("", [], None)
    )


def _plain(name: str, value: object) -> str:
    if name == "rights" and isinstance(value, list):
        return " ".join(map(_right_words, value))
    if name == "reason" and value in set(Reason):
        return reason_words(str(value))[0]
    if name == "channel":
        return channel_words(str(value))
    parts = value if isinstance(value, list) else [value]
    return " ".join(VALUE_WORDS.get(str(part), str(part)) for part in parts)


def _right_words(written: str) -> str:
    """ "write:office:kenko" as it was given."""
    permission, _, where = written.partition(":")
    place = " ".join(part for part in where.replace(f"{OFFICE}:", "全庁:", 1).split(":") if part)
    return f"{PERMISSION_WORDS.get(permission, permission)}({place})"
