"""What happens to a subscriber: it comes, comes back, chooses anew, leaves, is erased. Each leaves its event."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlalchemy import ColumnElement, delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import addresses
from content.register.bounces import bounce, suppression
from content.register.registration import Registration, address_row, register_many
from content.register.registration_events import has_events, record_event
from content.register.states import EventKind, Route, SubscriberState
from content.register.subscriber_ids import next_ids
from content.register.subscribers import (
    Preferences,
    Subscriber,
    address,
    child_word,
    find,
    membership,
    preference,
    require,
    seal_place,
    subscriber,
)

# Of the event that notes the language that a platform told of somebody new.
FIRST_LANGUAGE = "profile"


async def join(
    connection: AsyncConnection,
    keys: Keys,
    *,
    account: str,
    channel: str,
    plain: str,
    preferences: Preferences,
    reason: str,
    at: int,
    event_at: int = 0,
    route: Route = Route.SERVICE,
) -> tuple[Subscriber, bool]:
    """Register an address, or take it back with the preferences it had.

    Returns the subscriber and whether anything changed. `event_at` is the platform's time of the
    event; one that is not newer than the stored state changes nothing. Raises BadAddress.
    """
    plain = addresses.normalise(channel, plain)
    known = await find(connection, keys, account, channel, plain)
    if known is None:
        registration = Registration(channel, account, plain, preferences, at, event_at=event_at)
        (new_id,) = await register_many(connection, keys, [registration], reason=reason, route=route)
        return await require(connection, new_id), True
    changed = await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == known, subscriber.c.state == SubscriberState.LEFT, _not_older(event_at))
        .values(state=SubscriberState.ACTIVE, changed_at=at, event_at=event_at or subscriber.c.event_at)
    )
    if changed.rowcount:
        await _mark_choices(connection, known, active=True)
        if not await has_events(connection, known):
            # Known so far only from a departure that overtook its arrival, so nothing was chosen yet.
            await _write_choices(connection, known, preferences, joined_at=at)
            sealed = keys.seal(plain, seal_place(known, account))
            await connection.execute(
                update(address).where(address.c.subscriber_id == known).values(sealed=sealed)
            )
        await record_event(connection, known, EventKind.JOINED, reason, at, route)
    elif event_at:
        await _remember_event(connection, known, event_at)
    return await require(connection, known), bool(changed.rowcount)


async def come_back(
    connection: AsyncConnection, subscriber_id: int, *, reason: str, at: int, route: Route = Route.SERVICE
) -> bool:
    """Take a registration that was ended back with what it had chosen; False when it is not one."""
    changed = await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id, subscriber.c.state == SubscriberState.LEFT)
        .values(state=SubscriberState.ACTIVE, changed_at=at)
    )
    if not changed.rowcount:
        return False
    await _mark_choices(connection, subscriber_id, active=True)
    await record_event(connection, subscriber_id, EventKind.JOINED, reason, at, route)
    return True


async def leave(
    connection: AsyncConnection,
    subscriber_id: int,
    *,
    reason: str,
    at: int,
    event_at: int = 0,
    route: Route = Route.SERVICE,
) -> bool:
    """End a registration; True when it was active. An event older than the stored state changes nothing."""
    changed = await connection.execute(
        update(subscriber)
        .where(
            subscriber.c.id == subscriber_id,
            subscriber.c.state == SubscriberState.ACTIVE,
            _not_older(event_at),
        )
        .values(state=SubscriberState.LEFT, changed_at=at, event_at=event_at or subscriber.c.event_at)
    )
    if not changed.rowcount:
        if event_at:
            await _remember_event(connection, subscriber_id, event_at)
        return False
    await _mark_choices(connection, subscriber_id, active=False)
    await record_event(connection, subscriber_id, EventKind.LEFT, reason, at, route)
    return True


async def leave_address(
    connection: AsyncConnection,
    keys: Keys,
    *,
    account: str,
    channel: str,
    plain: str,
    reason: str,
    at: int,
    event_at: int,
    route: Route = Route.SERVICE,
) -> bool:
    """`leave` by address. A departure that overtakes its own arrival is remembered, so that the
    older arrival cannot register somebody who has gone."""
    plain = addresses.normalise(channel, plain)
    known = await find(connection, keys, account, channel, plain)
    if known is not None:
        return await leave(connection, known, reason=reason, at=at, event_at=event_at, route=route)
    (gone,) = await next_ids(connection, 1)
    await connection.execute(
        insert(subscriber).values(
            id=gone,
            account=account,
            state=SubscriberState.LEFT,
            language="ja",
            joined_at=at,
            changed_at=at,
            event_at=event_at,
        )
    )
    # Nothing is ever sent to somebody who left before joining, so the address itself is not kept.
    row = address_row(keys, gone, Registration(channel, account, plain))
    await connection.execute(insert(address).values({**row, "sealed": b""}))
    return False


async def change_preferences(
    connection: AsyncConnection,
    subscriber_id: int,
    preferences: Preferences,
    *,
    reason: str,
    at: int,
    route: Route = Route.SERVICE,
) -> Subscriber:
    """Replace what a registration chose; recorded as `changed` when it differs."""
    return await alter_preferences(
        connection, subscriber_id, lambda _: preferences, reason=reason, at=at, route=route
    )


async def alter_preferences(
    connection: AsyncConnection,
    subscriber_id: int,
    change: Callable[[Preferences], Preferences],
    *,
    reason: str,
    at: int,
    route: Route = Route.SERVICE,
) -> Subscriber:
    """Change a part of what a registration chose; two devices that do so at once both have their way."""
    await connection.execute(
        select(subscriber.c.id).where(subscriber.c.id == subscriber_id).with_for_update()
    )
    before = await require(connection, subscriber_id)
    preferences = change(before.preferences)
    if before.preferences == preferences:
        return before
    if not await _write_choices(connection, subscriber_id, preferences, changed_at=at):
        return await require(connection, subscriber_id)
    await record_event(connection, subscriber_id, EventKind.CHANGED, reason, at, route)
    return replace(before, preferences=preferences)


async def set_first_language(
    connection: AsyncConnection, subscriber_id: int, language: str, *, at: int, route: Route
) -> bool:
    """Part of a registration that is still as it was made; False when it is not."""
    changed = await connection.execute(
        update(subscriber)
        .where(
            subscriber.c.id == subscriber_id,
            subscriber.c.state == SubscriberState.ACTIVE,
            subscriber.c.changed_at == subscriber.c.joined_at,
        )
        .values(language=language)
    )
    if changed.rowcount:
        await record_event(connection, subscriber_id, EventKind.CHANGED, FIRST_LANGUAGE, at, route)
    return bool(changed.rowcount)


async def erase(
    connection: AsyncConnection,
    subscriber_id: int,
    *,
    reason: str,
    at: int,
    route: Route = Route.SERVICE,
) -> None:
    """Remove address and preferences for good; counts and ledger keep the bare number."""
    await leave(connection, subscriber_id, reason=reason, at=at, route=route)
    await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id)
        .values(state=SubscriberState.ERASED, changed_at=at, **Preferences().columns())
    )
    await connection.execute(delete(preference).where(preference.c.subscriber_id == subscriber_id))
    for table in (child_word, membership, bounce, suppression):
        await connection.execute(delete(table).where(table.c.subscriber_id == subscriber_id))
    await connection.execute(delete(address).where(address.c.subscriber_id == subscriber_id))


def _not_older(event_at: int) -> ColumnElement[bool]:
    # Without a platform time (mail, staff) the change is made now, so it is the newest.
    return subscriber.c.event_at < event_at if event_at else subscriber.c.event_at >= 0


async def _write_choices(
    connection: AsyncConnection, subscriber_id: int, preferences: Preferences, **times: int
) -> bool:
    """Replace the choices of a subscriber, unless it was erased; `times` are columns of its row."""
    changed = await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id, subscriber.c.state != SubscriberState.ERASED)
        .values(**preferences.columns(), **times)
        .returning(subscriber.c.account, subscriber.c.state)
    )
    found = changed.one_or_none()
    if found is None:
        return False
    await connection.execute(delete(preference).where(preference.c.subscriber_id == subscriber_id))
    await connection.execute(
        delete(child_word).where(
            child_word.c.subscriber_id == subscriber_id,
            child_word.c.birth_month.not_in(preferences.birth_months),
        )
    )
    rows = preferences.rows(subscriber_id, found.account, found.state)
    if rows:
        await connection.execute(insert(preference), rows)
    return True


async def _mark_choices(connection: AsyncConnection, subscriber_id: int, *, active: bool) -> None:
    await connection.execute(
        update(preference).where(preference.c.subscriber_id == subscriber_id).values(active=active)
    )


async def _remember_event(connection: AsyncConnection, subscriber_id: int, event_at: int) -> None:
    await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id, subscriber.c.event_at < event_at)
        .values(event_at=event_at)
    )
