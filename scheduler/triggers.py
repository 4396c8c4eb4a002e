"""What is due: fire it once, or hold it for a person when it is too late to go out by itself."""

from __future__ import annotations

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from content import audit, ledger, notices
from content.clock import MINUTE, now_ms, today_jst, words
from content.notices import Notice
from content.segments import NobodyMatches, audience
from scheduler.office import Office, lane_of
from scheduler.posting import chosen_accounts

log = structlog.get_logger(__name__)


async def fire_due(office: Office, now: int | None = None) -> int:
    """Fire or hold every approved notice whose time has come; the number fired.

    Each is one transaction that claims the trigger and opens its deliveries, so a crash leaves
    either a waiting trigger or deliveries to plan, and a second process finds nothing to claim.
    """
    moment = now_ms() if now is None else now
    async with office.database.read() as connection:
        due = await notices.due(connection, moment)
    fired = 0
    for notice_id in due:
        try:
            async with office.database.write(wake="planning") as connection:
                fired += await _fire_or_hold(office, connection, notice_id, moment)
        except Exception:
            # One notice that cannot be fired must not keep the others waiting.
            log.exception("firing_failed", notice=notice_id)
    return fired


async def _fire_or_hold(office: Office, connection: AsyncConnection, notice_id: int, now: int) -> bool:
    notice = await notices.get(connection, notice_id)
    if notice is None:
        return False
    reason = _reason_to_hold(office, notice, now)
    if reason:
        if await notices.hold(connection, notice_id, reason):
            log.warning("notice_held", notice=notice_id)
            await audit.record(
                connection, at=now, actor="scheduler", action="notice.held", subject=f"notice {notice_id}"
            )
        return False
    if not await notices.fire(connection, notice_id, now):
        return False
    for account, channel in chosen_accounts(office, notice.draft).items():
        await ledger.open_delivery(
            connection,
            notice_id=notice_id,
            version_id=notice.version_id,
            account=account,
            channel=channel,
            lane=lane_of(notice.draft),
            at=now,
        )
    log.info("notice_fired", notice=notice_id, lane=lane_of(notice.draft))
    return True


def _reason_to_hold(office: Office, notice: Notice, now: int) -> str:
    try:
        audience(office.town, notice.draft.target, notice.draft.category, today_jst(now))
    except NobodyMatches as error:
        return str(error)
    if not chosen_accounts(office, notice.draft):
        return "このお知らせを送れるアカウントが、町の設定からなくなっています。"
    due_at = notice.due_at or now
    latest = due_at + office.town.category[notice.draft.category].max_late_minutes * MINUTE
    if now > latest:
        return (
            f"配信予定の {words(due_at)} から時間がたちすぎています。"
            "内容が今も正しいか確かめてから、配信するか取り消すかを選んでください。"
        )
    return ""
