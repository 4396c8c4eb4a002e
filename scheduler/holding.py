"""Why an approved notice does not go out by itself: asked when it is due, and when a person wants to let it go."""

from __future__ import annotations

from content.clock import MINUTE, today_jst, words
from content.notices.maintenance import Maintenance
from content.notices.notices import Notice
from content.notices.segments import NobodyMatches, audience
from content.notices.states import NoticeKind, TrialKind
from content.staff.machines import is_machine
from content.town import Urgency
from scheduler.occurrence_words import missing_words
from scheduler.town_context import TownContext, chosen_accounts

IN_MAINTENANCE = (
    "保守モードの間に配信の時刻になったため、送っていません。"
    "保守モードが終わったら内容を確かめて、配信するか取り消すかを選んでください。"
)


def reason_to_hold(context: TownContext, notice: Notice, now: int, mode: Maintenance | None) -> str:
    """ "" when it goes out now."""
    return (
        cannot_go(context, notice, now, mode)
        or _expired(notice, now)
        or _too_late(context, notice, notice.due_at or now, now)
    )


def cannot_go(context: TownContext, notice: Notice, now: int, mode: Maintenance | None) -> str:
    """What a person cannot overrule by letting it go: it would be held again at once."""
    try:
        # Of what corrects another the audience stands in the ledger, and not in the profile.
        if notice.kind == NoticeKind.ORIGINAL:
            audience(context.town, notice.spec.target, notice.spec.category, today_jst(now))
    except NobodyMatches as error:
        return str(error)
    if not notice.spec.target.fits(notice.spec.mode):
        return "試験は住民に送れないため、送っていません。取り消してください。"
    if not chosen_accounts(context, notice.spec):
        return "このお知らせを送れるアカウントが、町の設定からなくなっています。"
    if wordless := missing_words(notice):
        return wordless
    return IN_MAINTENANCE if mode is not None and not goes_in_maintenance(notice) else ""


def goes_in_maintenance(notice: Notice) -> bool:
    """An urgent notice that a person sends now, or lets go now after it was held; and a trial to oneself."""
    if notice.spec.target.kind == TrialKind.ONESELF:
        return True
    by_itself = notice.spec.at is not None or notice.spec.series is not None or notice.spec.rule is not None
    by_hand = not by_itself and not is_machine(notice.approved_by)
    return notice.spec.urgency == Urgency.URGENT and (by_hand or notice.released_at is not None)


def _expired(notice: Notice, now: int) -> str:
    expires = notice.spec.expires
    if expires is None or now < expires:
        return ""
    return (
        f"有効期限の {words(expires)} を過ぎたため、送っていません。"
        "それでも送るなら配信する、送らないなら取り消すを選んでください。"
    )


def _too_late(context: TownContext, notice: Notice, due_at: int, now: int) -> str:
    if now <= due_at + context.town.category[notice.spec.category].max_late_minutes * MINUTE:
        return ""
    return (
        f"配信予定の {words(due_at)} から時間がたちすぎています。"
        "内容が今も正しいか確かめてから、配信するか取り消すかを選んでください。"
    )
