"""What is due: fire it once, or hold it for a person when it is too late to go out by itself.

A recurring notice that is due first becomes the notice of this occurrence, in the same transaction.
"""

from __future__ import annotations

from dataclasses import replace

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import iso
from content.ledger import deliveries, due, reached
from content.notices import chains, maintenance, notices, publicity, records, triggers
from content.notices.notices import Notice
from content.notices.states import NoticeKind
from content.staff import audit
from scheduler.holding import reason_to_hold
from scheduler.occurrence_words import fill_occurrence
from scheduler.town_context import TownContext, chosen_accounts, lane_of

log = structlog.get_logger(__name__)


async def fire_due(context: TownContext, now: int | None = None) -> int:
    """Fire or hold every approved notice whose time has come; the number fired.

    Each is one transaction that claims the trigger and opens its deliveries, so a crash leaves
    either a waiting trigger or deliveries to plan, and a second process finds nothing to claim.
    """
    if now is None and context.database.stands_aside:
        return 0
    moment = context.database.now() if now is None else now
    async with context.database.read() as connection:
        waiting = await triggers.due(connection, moment)
    fired = 0
    for notice_id in waiting:
        try:
            async with context.database.write(wake="planning") as connection:
                fired += await _fire_or_hold(context, connection, notice_id, moment)
        except Exception:
            # One notice that cannot be fired must not keep the others waiting.
            log.exception("firing_failed", notice=notice_id)
    return fired


async def _fire_or_hold(context: TownContext, connection: AsyncConnection, notice_id: int, now: int) -> bool:
    if not await triggers.lock_approved(connection, notice_id):
        return False
    notice = await notices.get(connection, notice_id)
    # It may have been taken back, and approved again for another time, since it was found due.
    if notice is None or (notice.due_at or 0) > now:
        return False
    context = replace(context, town=await records.town_now(connection, context.town))
    notice = await fill_occurrence(connection, notice, now)
    if notice.spec.rule:
        occurrence = await _go_on(connection, notice, now)
        return occurrence is not None and await _fire_or_hold(context, connection, occurrence, now)
    reason = reason_to_hold(context, notice, now, await maintenance.read(connection))
    if reason:
        if await triggers.hold(connection, notice_id, reason):
            log.warning("notice_held", notice=notice_id)
            await audit.record(
                connection, at=now, actor="scheduler", action="notice.held", subject=f"notice {notice_id}"
            )
        return False
    if not await triggers.fire(connection, notice_id, now):
        return False
    await publicity.write_down(connection, context.town, notice)
    for account, channel in (await _accounts(context, connection, notice)).items():
        await deliveries.open_delivery(
            connection,
            notice_id=notice_id,
            version_id=notice.version_id,
            account=account,
            channel=channel,
            lane=lane_of(notice.spec),
            at=now,
            send_until=notice.spec.expires,
        )
    log.info("notice_fired", notice=notice_id, lane=lane_of(notice.spec))
    return True


async def hold_overdue(context: TownContext, reason: str, now: int) -> list[int]:
    """Nothing whose time has come goes out by itself: each waits for a person, who sends or cancels it. Their numbers.

    For after another site may have sent it.
    """
    async with context.database.read() as connection:
        overdue = [item.notice_id for item in await due.waiting(connection) if item.due_at <= now]
    held = []
    for notice_id in overdue:
        async with context.database.write() as connection:
            if not await triggers.lock_approved(connection, notice_id):
                continue
            notice = await notices.get(connection, notice_id)
            assert notice is not None
            number = await _go_on(connection, notice, now) if notice.spec.rule else notice_id
            if number is not None and await triggers.hold(connection, number, reason):
                held.append(number)
                await audit.record(
                    connection, at=now, actor="takeover", action="notice.held", subject=f"notice {number}"
                )
    return held


async def _accounts(context: TownContext, connection: AsyncConnection, notice: Notice) -> dict[str, str]:
    """account → channel. What corrects another goes out where that went out, whichever account fits today."""
    if notice.kind == NoticeKind.ORIGINAL:
        return chosen_accounts(context, notice.spec)
    root = await chains.root_of(connection, notice.id)
    return {
        account: channel
        for _, account, channel in await reached.deliveries_of(connection, root)
        if channel in notice.spec.channels
    }


async def _go_on(connection: AsyncConnection, series: Notice, now: int) -> int | None:
    """A recurring notice becomes its next occurrence, which then fires or is held like any other."""
    # Another process may have moved it on since it was found due.
    is_due = series.due_at is not None and series.due_at <= now
    step = await triggers.next_occurrence(connection, series, now) if is_due else None
    if step is None:
        return None
    subject = f"notice {series.id}"
    log.info("series_went_on", series=series.id, notice=step.notice_id, missed=len(step.missed))
    await audit.record(
        connection,
        at=now,
        actor="scheduler",
        action="series.occurred",
        subject=subject,
        notice=step.notice_id,
        due_at=iso(step.due_at),
    )
    if step.missed:
        log.warning("occurrences_missed", series=series.id, number=len(step.missed))
        await audit.record(
            connection,
            at=now,
            actor="scheduler",
            action="series.missed",
            subject=subject,
            due_at=[iso(due_at) for due_at in step.missed],
        )
    if step.ended:
        await audit.record(connection, at=now, actor="scheduler", action="series.ended", subject=subject)
    return step.notice_id
