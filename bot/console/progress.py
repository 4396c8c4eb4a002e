"""A notice after approval: how far it is, what became of it, and what a person can still decide."""

from __future__ import annotations

from math import ceil
from typing import Any

from aiohttp import web
from sqlalchemy.ext.asyncio import AsyncConnection

from bot.console.access import DECIDE, SEND, StaffRequest
from bot.console.cancelling import acts_on, can_be_taken_back
from bot.console.post_rows import post_row
from bot.console.refusals import link_of
from bot.console.series import outline, past_occurrences
from bot.console.words import (
    MORE_QUOTA,
    account_words,
    category_words,
    channel_words,
    language_words,
    mode_words,
    reason_words,
    shown_state,
    state_words,
    urgency_words,
)
from bot.pages import redirect
from channels.reasons import find_reason
from content.clock import SECOND, now_ms, words
from content.figures.effect import Effect, effect_of
from content.notices import chains, notices, submissions
from content.notices.publicity import is_public
from content.notices.states import NoticeState
from content.town import Mode
from scheduler import notice_service
from scheduler.attention import is_usual
from scheduler.checks import NoticeRefused
from scheduler.notice_status import Status
from scheduler.permits import permission_to_send
from scheduler.shortages import shortage_words
from scheduler.suspending import give_up_rest
from scheduler.town_context import BUDGET

RUNNING = ("planning", "sending")
EACH_SECOND = 1 * SECOND
EACH_MINUTE = 60 * SECOND
NOTES = {
    "no-draft": "このお知らせはもう下書きではないため、内容は変えていません。",
    "sending-stopped": "配信を止めました。まだ出ていなかった分は送りません。届いた人に伝えることがあれば、下の「訂正を送る」か「取り消しを知らせる」を選んでください。",
    "nothing-to-stop": "止めるものは残っていませんでした。今の状態を下で確かめてください。",
    "retried": "断られた分を送り直しています。",
    "released": "配信を始めました。",
    "cannot-release": "まだ配信していません。下の理由がなくなるまで、このお知らせは送れません。理由をなくしてからもう一度押すか、取り消して新しいお知らせを作ってください。",
    "not-released": "保留ではなかったため、何も変えていません。今の状態を下で確かめてください。",
    "cancelled": "取り消しました。このお知らせは送られません。",
    "given-up": "残りの配信をやめました。送っていない宛先は「不達」に数えています。",
    "not-given-up": "止まっている配信がなかったため、何も変えていません。今の状態を下で確かめてください。",
    "not-cancelled": "配信が始まっているため、取り消せませんでした。",
    "not-taken-back": "予約中ではないため、下書きに戻していません。今の状態を下で確かめてください。",
    "stopped": "くり返しを止めました。これからの予定は送られません。",
    "not-stopped": "このくり返しは、もう止まっているか終わっています。",
}


async def show_progress(staff_request: StaffRequest) -> web.Response:
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    category = status.notice.spec.category
    if status.state == NoticeState.DRAFT and staff_request.staff.may_any(DECIDE, category):
        return redirect(f"/console/notices/{staff_request.notice_id}/confirm")
    note = NOTES.get(_true_note(staff_request.request.query.get("note", ""), status), "")
    past = await past_occurrences(staff_request, staff_request.notice_id) if status.notice.spec.rule else []
    async with staff_request.service.database.read() as connection:
        review = await submissions.review_of(connection, staff_request.notice_id)
        root = await chains.root_of(connection, staff_request.notice_id)
        chain = [await notices.get(connection, number) for number in await chains.members(connection, root)]
        acts = await acts_on(connection, staff_request.notice_id) if status.state == "cancelled" else []
        effect = await _effect(connection, status)
    return staff_request.page(
        "console/notice.html",
        note=note,
        past=past,
        review=review,
        acts=acts,
        effect=effect,
        chain=[item for item in chain if item and item.id != staff_request.notice_id],
        now=now_ms(),
        may_review=review is not None
        and review.sent_by != staff_request.staff.login
        and staff_request.staff.may_any(SEND, category),
        **_values(staff_request, status),
    )


async def _effect(connection: AsyncConnection, status: Status) -> Effect | None:
    """Of a live notice that went out to residents."""
    found = status.notice
    accounts = {row.account for row in status.tallies}
    if found.fired_at is None or found.spec.mode != Mode.LIVE or found.spec.trial or not accounts:
        return None
    return await effect_of(connection, found.id, found.fired_at, accounts, now_ms())


async def show_fragment(staff_request: StaffRequest) -> web.Response:
    """The changing part alone, for the page that asks again by itself."""
    status = await notice_service.status(staff_request.service.context, staff_request.notice_id)
    return staff_request.page("console/_progress.html", **_values(staff_request, status))


async def release(staff_request: StaffRequest) -> web.Response:
    """The page says what has become of it: still held is never called sent."""
    try:
        released = await notice_service.release(
            staff_request.service.context, staff_request.notice_id, staff=staff_request.staff.login
        )
        note = "released" if released else "not-released"
    except NoticeRefused:
        note = "cannot-release"
    return redirect(f"/console/notices/{staff_request.notice_id}?note={note}")


async def give_up(staff_request: StaffRequest) -> web.Response:
    await notice_service.find(staff_request.service.context, staff_request.notice_id)
    given_up = await give_up_rest(
        staff_request.service.context, staff_request.notice_id, staff=staff_request.staff.login
    )
    note = "given-up" if given_up else "not-given-up"
    return redirect(f"/console/notices/{staff_request.notice_id}?note={note}")


def _true_note(note: str, status: Status) -> str:
    """A page that is opened again later must not claim what is not so any more."""
    return "cannot-release" if note == "released" and status.state == "held" else note


def ask_again_after(status: Status, now: int) -> int:
    """Milliseconds until the page should look again; 0 when nothing more will happen by itself."""
    if status.state in RUNNING:
        return EACH_SECOND
    if status.state == "resting":
        return EACH_MINUTE
    if status.state != "scheduled":
        return 0
    due_in = (status.notice.due_at or now) - now
    return EACH_SECOND if due_in < EACH_MINUTE else EACH_MINUTE


def summary(status: Status, word: str) -> str:
    """The state of things in one sentence, for the eye and for a screen reader."""
    if status.state == "recurring" and status.notice.due_at is not None:
        return f"次は {words(status.notice.due_at)} に送ります。"
    if not status.tallies:
        return f"{word}です。"
    rest = f"、残り{status.open:,}件" if status.open else ""
    failed = sum(row.refused for row in status.tallies)
    unknown = sum(row.unknown for row in status.tallies)
    return (
        f"{word}:宛先{status.planned:,}件のうち受付{status.accepted:,}件{rest}、"
        f"不達{failed:,}件、不明{unknown:,}件です。"
    )


def _values(staff_request: StaffRequest, status: Status) -> dict[str, Any]:
    town, spec = staff_request.service.town, status.notice.spec
    state = shown_state(status.state, status.tallies, status.reasons)
    word, meaning = state_words(state, spec)
    # A scheduled or a held notice waits after its approval, and that is not the time that sending takes.
    started = status.notice.fired_at or status.notice.approved_at
    return {
        "notice": status.notice,
        "spec": spec,
        "is_public": is_public(town, status.notice),
        "result": status,
        "shown_state": state,
        "outline": outline(status.notice),
        "word": word,
        "meaning": meaning,
        "summary": summary(status, word),
        "next_ms": ask_again_after(status, now_ms()),
        "seconds": lambda at: seconds_after(started, at),
        "reasons": [
            (
                channel_words(channel),
                *reason_words(reason),
                number,
                is_usual(status.tallies, channel, reason, number),
                link_of(f"/console/notices/{status.notice.id}/refusals", channel, reason),
            )
            for channel, reason, number in status.reasons
        ],
        "may_see_refused": staff_request.staff.may_any(DECIDE, spec.category),
        "can_retry": status.state == "partly"
        and any(find_reason(reason).can_pass for _, reason, _ in status.reasons),
        "reason_words": reason_words,
        "shortages": [(account_words(town, item.account), shortage_words(item)) for item in status.shortages],
        "more_quota": MORE_QUOTA,
        "suspended": [row for row in status.tallies if row.suspended_at is not None],
        "send_until": (status.notice.fired_at or 0) + BUDGET[spec.urgency],
        "target": spec.target.describe(town, spec.category),
        "category": category_words(town, spec.category),
        "mode": mode_words(spec.mode),
        "urgency": urgency_words(spec.urgency),
        "language_name": language_words,
        "channel_name": channel_words,
        # What a town has taken out of its profile keeps the name of its service.
        "account_name": lambda row: (
            account_words(town, row.account) if row.account in town.account else channel_words(row.channel)
        ),
        "posts": [post_row(town, item) for item in status.posts],
        "can_be_taken_back": can_be_taken_back(status),
        "undo_left": max(0, ceil(((status.notice.due_at or 0) - now_ms()) / SECOND)),
        "needed": permission_to_send(spec),
    }


def seconds_after(start: int | None, at: int | None) -> str:
    """ "12.3秒", or — while there is nothing to measure."""
    return "—" if start is None or at is None else f"{max(at - start, 0) / SECOND:,.1f}秒"
