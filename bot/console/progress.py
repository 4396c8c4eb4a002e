"""A notice after approval: how far it is, what became of it, and what a person can still decide."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from bot.console.access import Visit
from bot.console.words import (
    category_words,
    channel_words,
    language_words,
    mode_words,
    reason_words,
    state_words,
    urgency_words,
)
from bot.pages import redirect
from content.clock import SECOND, now_ms
from scheduler import posting
from scheduler.posting import Status

RUNNING = ("planning", "sending")
EACH_SECOND = 1 * SECOND
EACH_MINUTE = 60 * SECOND
NOTES = {
    "no-draft": "このお知らせはもう下書きではないため、内容は変えていません。",
    "released": "配信を始めました。",
    "not-released": "保留ではなかったため、何も変えていません。今の状態を下で確かめてください。",
    "cancelled": "取り消しました。このお知らせは送られません。",
    "not-cancelled": "配信が始まっているため、取り消せませんでした。",
}


async def show_progress(visit: Visit) -> web.Response:
    status = await posting.status(visit.service.office, visit.notice_id)
    if status.state == "draft" and visit.staff.may("write"):
        return redirect(f"/console/notices/{visit.notice_id}/confirm")
    note = NOTES.get(visit.request.query.get("note", ""), "")
    return visit.page("console/notice.html", note=note, **_values(visit, status))


async def show_fragment(visit: Visit) -> web.Response:
    """The changing part alone, for the page that asks again by itself."""
    status = await posting.status(visit.service.office, visit.notice_id)
    return visit.page("console/_progress.html", **_values(visit, status))


async def release(visit: Visit) -> web.Response:
    await posting.find(visit.service.office, visit.notice_id)
    released = await posting.release(visit.service.office, visit.notice_id, staff=visit.staff.login)
    note = "released" if released else "not-released"
    return redirect(f"/console/notices/{visit.notice_id}?note={note}")


async def cancel(visit: Visit) -> web.Response:
    await posting.find(visit.service.office, visit.notice_id)
    cancelled = await posting.cancel(visit.service.office, visit.notice_id, staff=visit.staff.login)
    note = "cancelled" if cancelled else "not-cancelled"
    return redirect(f"/console/notices/{visit.notice_id}?note={note}")


def ask_again_after(status: Status, now: int) -> int:
    """Milliseconds until the page should look again; 0 when nothing more will happen by itself."""
    if status.state in RUNNING:
        return EACH_SECOND
    if status.state != "scheduled":
        return 0
    due_in = (status.notice.due_at or now) - now
    return EACH_SECOND if due_in < EACH_MINUTE else EACH_MINUTE


def summary(status: Status, word: str) -> str:
    """The state of things in one sentence, for the eye and for a screen reader."""
    if not status.tallies:
        return f"{word}です。"
    rest = f"、残り{status.open:,}件" if status.open else ""
    failed = sum(row.refused for row in status.tallies)
    unknown = sum(row.unknown for row in status.tallies)
    return (
        f"{word}:宛先{status.planned:,}件のうち受付{status.accepted:,}件{rest}、"
        f"不達{failed:,}件、不明{unknown:,}件です。"
    )


def _values(visit: Visit, status: Status) -> dict[str, Any]:
    town, draft = visit.service.town, status.notice.draft
    word, meaning = state_words(status.state, draft)
    # A scheduled or a held notice waits after its approval, and that is not the time that sending takes.
    started = status.notice.fired_at or status.notice.approved_at
    return {
        "notice": status.notice,
        "draft": draft,
        "result": status,
        "word": word,
        "meaning": meaning,
        "summary": summary(status, word),
        "next_ms": ask_again_after(status, now_ms()),
        "seconds": lambda at: seconds_after(started, at),
        "reasons": [
            (channel_words(channel), *reason_words(reason), number)
            for channel, reason, number in status.reasons
        ],
        "reason_words": reason_words,
        "target": draft.target.describe(town, draft.category),
        "category": category_words(town, draft.category),
        "mode": mode_words(draft.mode),
        "urgency": urgency_words(draft.urgency),
        "language_name": language_words,
        "channel_name": channel_words,
    }


def seconds_after(start: int | None, at: int | None) -> str:
    """ "12.3秒", or — while there is nothing to measure."""
    return "—" if start is None or at is None else f"{max(at - start, 0) / SECOND:,.1f}秒"
