"""Watching over the service: troubles become alarms, operators are told once, then rarely, then of the end.

It goes by a small road of its own: nothing of the ledger's lanes is asked, so it goes out when they are clogged.
"""

from __future__ import annotations

from collections.abc import Callable

import structlog
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR, words
from content.ledger import account_health, alarms, presence
from content.ledger.alarms import Alarm
from scheduler.alarm_checks import Disk, disk_of, find_troubles
from scheduler.alarm_codes import OF_ONE_MACHINE, find_alarm
from scheduler.quota import ask_figures
from scheduler.town_context import OperatorMessage, TownContext

log = structlog.get_logger(__name__)

# Until an alarm that goes on is told again: first, and from then on.
FIRST_REPEAT, REPEAT = 6 * HOUR, 24 * HOUR
# Quota figures are older than this before they are asked for again.
ASK_QUOTA = 10 * 60 * 1000


async def watch(context: TownContext, disk: Callable[[TownContext], Disk | None] = disk_of) -> int:
    """One look; the number of messages that operators were sent."""
    await _renew_quotas(context)
    troubles = await find_troubles(context, disk)
    now = context.database.now()
    async with context.database.write() as connection:
        for item in troubles:
            if await alarms.begin(connection, item.code, item.subject, item.detail, now):
                log.warning("alarm_began", code=item.code, subject=item.subject)
        wrong = {(item.code, item.subject) for item in troubles}
        others = await _others(connection, context, now)
        still = [
            item.id
            for item in await alarms.going_on(connection)
            if (item.code, item.subject) in wrong or (item.code in OF_ONE_MACHINE and item.subject in others)
        ]
        if ended := await alarms.end_all_but(connection, still, now):
            log.warning("alarms_ended", number=ended)
        waiting = [item for item in await alarms.to_tell(connection) if is_due(item, now)]
    return sum([await _tell(context, item, now) for item in waiting])


async def _others(connection: AsyncConnection, context: TownContext, now: int) -> set[str]:
    """Machines and processes that look after their own alarms."""
    this = context.this_process
    owners = await presence.owners(connection, now)
    # An owner is machine, process and a random end.
    names = {name for owner in owners for name in (owner.partition(":")[0], owner.rpartition(":")[0])}
    return names - {this.machine, this.name}


def is_due(item: Alarm, now: int) -> bool:
    """Whether operators have to be told of it now."""
    if item.ended_at is not None or item.told_at is None:
        return True
    return now - item.told_at >= (FIRST_REPEAT if item.told == 1 else REPEAT)


async def _tell(context: TownContext, item: Alarm, now: int) -> bool:
    """Claimed first, so that of several processes one tells; given back when nobody could be told."""
    if context.tell_operators is None:
        return False
    async with context.database.write() as connection:
        if not await alarms.claim(connection, item, now):
            return False
    try:
        await context.tell_operators(message(context, item))
    except Exception as error:
        log.error("operators_not_told", code=item.code, error=type(error).__name__)
        async with context.database.write() as connection:
            await alarms.give_back(connection, item)
        return False
    return True


def message(context: TownContext, item: Alarm) -> OperatorMessage:
    what, remedy = find_alarm(item.code)
    town = context.town.name
    if item.ended_at is not None:
        return OperatorMessage(
            f"【復旧】{town} {what}",
            f"次の警報は終わりました。対応は不要です。\n\n{what}\n{item.detail}\n\n"
            f"始まり: {words(item.since)}\n終わり: {words(item.ended_at)}\n警報コード: {item.code}",
            item.code,
            ended=True,
        )
    again = "(続いています)" if item.told else ""
    return OperatorMessage(
        f"【警報】{town} {what}{again}",
        f"{what}{again}\n{item.detail}\n\nすること: {remedy}\n\n始まり: {words(item.since)}\n警報コード: {item.code}\n"
        "直ると、自動で「復旧」をお知らせします。",
        item.code,
        ended=False,
    )


async def _renew_quotas(context: TownContext) -> None:
    now = context.database.now()
    async with context.database.read() as connection:
        known = {
            item.account: item.quota
            for item in await account_health.health_of(connection, list(context.town.account))
        }
    for account, quota in known.items():
        if quota is not None and 0 <= now - quota.asked_at < ASK_QUOTA:
            continue
        found = await ask_figures(context, account)
        if found is not None:
            async with context.database.write() as connection:
                await account_health.keep_quota(
                    connection, account, limit=found.limit, used=found.used, at=now
                )
