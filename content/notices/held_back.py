"""Whom a target would match if nobody paused, and who of those it matches sleeps at that moment: for the confirm page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import today_jst
from content.notices.audience_counts import count_paused
from content.notices.digests import next_morning
from content.notices.segments import Target, audience, heeds_settings, rules_of
from content.notices.states import TargetKind
from content.quiet_hours import end_of
from content.register.states import Pace
from content.register.subscribers import subscriber
from content.town import Town, Urgency


@dataclass(frozen=True, slots=True)
class HeldBack:
    """Registrations of one account: `paused` get nothing, `resting` get it later, the first of them at `rest_until`."""

    paused: int = 0
    resting: int = 0
    rest_until: int = 0


async def count_held_back(
    connection: AsyncConnection,
    town: Town,
    target: Target,
    category: str,
    urgency: str,
    accounts: Sequence[str],
    moment: int,
) -> dict[str, HeldBack]:
    """By account, as it would be at this moment; those without anybody are not in it. Raises NobodyMatches."""
    today = today_jst(moment)
    if not heeds_settings(town, target, category):
        return {}
    paused = await count_paused(connection, rules_of(town, target, category, today), today)
    ends: dict[str, dict[int, int]] = {}
    if urgency != Urgency.URGENT:
        rows = await connection.execute(
            select(subscriber.c.account, subscriber.c.quiet_hours, subscriber.c.pace, func.count())
            .where(audience(town, target, category, today), subscriber.c.account.in_(accounts))
            .group_by(subscriber.c.account, subscriber.c.quiet_hours, subscriber.c.pace)
        )
        for account, quiet, pace, number in rows:
            in_digest = pace == Pace.MORNING and target.kind in (TargetKind.SUBSCRIBED, TargetKind.SEGMENT)
            end = next_morning(town, moment) if in_digest else end_of(quiet or town.quiet_hours, moment)
            if end:
                own = ends.setdefault(account, {})
                own[end] = own.get(end, 0) + int(number)
    return {
        account: HeldBack(
            paused.get(account, 0),
            sum(ends.get(account, {}).values()),
            min(ends.get(account, {}), default=0),
        )
        for account in accounts
        if paused.get(account) or account in ends
    }
