"""Leaving, gently: fewer topics, only what is life-critical, a pause, an end. The same acts behind every door.

Who ends can take it back for a week, with everything that was chosen.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import date

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY
from content.register.states import EventKind, Pace, Route, SubscriberState
from content.register.subscriber_changes import alter_preferences, come_back, leave
from content.register.subscribers import UNTIL_CHANGED, Preferences, Subscriber, registration_event
from content.town import Town

CHANGED = "resident"
# Of an end that the resident asked for herself: the only one that can be taken back.
ENDED = "unsubscribed"
UNDONE = "undone"
UNDO_TIME = 7 * DAY


async def keep_topics(
    connection: AsyncConnection,
    town: Town,
    subscriber_id: int,
    categories: Collection[str],
    *,
    route: Route,
    at: int,
) -> Subscriber:
    """Keep these of the categories chosen; what is life-critical stays whatever is asked."""

    def fewer(before: Preferences) -> Preferences:
        kept = before.categories & set(categories)
        return replace(before, categories=kept | set(town.always_categories))

    return await alter_preferences(connection, subscriber_id, fewer, reason=CHANGED, at=at, route=route)


async def choose_topics(
    connection: AsyncConnection,
    town: Town,
    subscriber_id: int,
    categories: Collection[str],
    *,
    route: Route,
    at: int,
) -> Subscriber:
    """Exactly these categories, as far as they are open or were chosen before; what is life-critical stays."""
    is_open = {item.key for item in town.categories if not item.closed}

    def anew(before: Preferences) -> Preferences:
        chosen = set(categories) & (is_open | before.categories)
        return replace(before, categories=frozenset(chosen | set(town.always_categories)))

    return await alter_preferences(connection, subscriber_id, anew, reason=CHANGED, at=at, route=route)


async def pause(
    connection: AsyncConnection,
    subscriber_id: int,
    until: date = UNTIL_CHANGED,
    *,
    route: Route,
    at: int,
) -> Subscriber:
    """Only what is life-critical up to and with this day; without a day until it is changed.

    Everything that was chosen stays for the time after it.
    """
    return await _pause_until(connection, subscriber_id, until, route, at)


async def resume(connection: AsyncConnection, subscriber_id: int, *, route: Route, at: int) -> Subscriber:
    """The end of a pause."""
    return await _pause_until(connection, subscriber_id, None, route, at)


async def set_pace(
    connection: AsyncConnection, subscriber_id: int, pace: Pace, *, route: Route, at: int
) -> Subscriber:
    """Routine notices at once, or those of a day together in the morning."""
    return await alter_preferences(
        connection,
        subscriber_id,
        lambda before: replace(before, pace=pace),
        reason=CHANGED,
        at=at,
        route=route,
    )


async def stop(connection: AsyncConnection, subscriber_id: int, *, route: Route, at: int) -> bool:
    """End the registration; True when it was active."""
    return await leave(connection, subscriber_id, reason=ENDED, at=at, route=route)


async def may_undo(connection: AsyncConnection, ended: Subscriber, *, at: int) -> bool:
    """Whether its end was asked for by the resident, within the last week."""
    if ended.state != SubscriberState.LEFT:
        return False
    last = (
        await connection.execute(
            select(registration_event.c.kind, registration_event.c.reason, registration_event.c.at)
            .where(registration_event.c.subscriber_id == ended.id)
            .order_by(registration_event.c.id.desc())
            .limit(1)
        )
    ).one_or_none()
    return (
        last is not None and (last.kind, last.reason) == (EventKind.LEFT, ENDED) and at - last.at <= UNDO_TIME
    )


async def undo_stop(connection: AsyncConnection, ended: Subscriber, *, route: Route, at: int) -> bool:
    """Take the registration back with everything that was chosen; False when it is too late, or was not asked for."""
    return await may_undo(connection, ended, at=at) and await come_back(
        connection, ended.id, reason=UNDONE, at=at, route=route
    )


async def _pause_until(
    connection: AsyncConnection, subscriber_id: int, until: date | None, route: Route, at: int
) -> Subscriber:
    return await alter_preferences(
        connection,
        subscriber_id,
        lambda before: replace(before, paused_until=until),
        reason=CHANGED,
        at=at,
        route=route,
    )
