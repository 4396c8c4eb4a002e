"""New registrations, many at once: each with its address sealed and its event."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from secrets import token_bytes

from sqlalchemy import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from content.keys import Keys
from content.register import addresses
from content.register.registration_events import noted
from content.register.states import EventKind, Route, SubscriberState
from content.register.subscriber_ids import next_ids
from content.register.subscribers import (
    Preferences,
    address,
    preference,
    registration_event,
    seal_place,
    subscriber,
)


@dataclass(frozen=True, slots=True)
class PastEvent:
    """One event of a registration that comes from another database; `choices` as in `registration_events`."""

    kind: EventKind
    at: int
    reason: str
    route: str
    choices: str


@dataclass(frozen=True, slots=True)
class Registration:
    """One new registration, for `register_many`. `address` is normalised; times in ms.

    `event_at` is the platform's time of the event that registers it. With a `history` it brings its events along;
    without one it joins at `registered_at`. `state` and `history` are for imports. One that was erased has no address.
    """

    channel: str
    account: str
    address: str = field(repr=False)
    preferences: Preferences = field(default_factory=Preferences)
    registered_at: int = 0
    left_at: int | None = None
    left_reason: str = "blocked"
    history: tuple[PastEvent, ...] = ()
    state: SubscriberState = SubscriberState.ACTIVE
    event_at: int = 0


async def register_many(
    connection: AsyncConnection,
    keys: Keys,
    registrations: Sequence[Registration],
    *,
    reason: str,
    route: Route = Route.SERVICE,
) -> list[int]:
    """Insert new registrations with their events; the ids in the same order.

    The addresses must be normalised and unknown so far: a double raises IntegrityError.
    """
    if not registrations:
        return []
    ids = await next_ids(connection, len(registrations))
    pairs = list(zip(ids, registrations, strict=True))
    await connection.execute(
        insert(subscriber),
        [
            {
                "id": new_id,
                "account": item.account,
                "state": _first_state(item),
                **item.preferences.columns(),
                "joined_at": item.registered_at,
                "changed_at": item.left_at or item.registered_at,
                "event_at": item.event_at,
            }
            for new_id, item in pairs
        ],
    )
    await connection.execute(insert(address), [address_row(keys, new_id, item) for new_id, item in pairs])
    chosen = [
        row
        for new_id, item in pairs
        for row in item.preferences.rows(new_id, item.account, _first_state(item))
    ]
    if chosen:
        await connection.execute(insert(preference), chosen)
    await connection.execute(insert(registration_event), list(_event_rows(pairs, reason, route)))
    return ids


def _first_state(item: Registration) -> SubscriberState:
    return SubscriberState.ACTIVE if item.left_at is None else SubscriberState.LEFT


def address_row(keys: Keys, subscriber_id: int, item: Registration) -> dict[str, object]:
    """Somebody who was erased has none: then a lookup that no address has, for the stage alone."""
    if not item.address:
        return {
            "subscriber_id": subscriber_id,
            "account": item.account,
            "lookup": token_bytes(16),
            "sealed": b"",
        }
    return {
        "subscriber_id": subscriber_id,
        "account": item.account,
        "lookup": keys.lookup(item.account, addresses.lookup_part(item.channel, item.address)),
        "sealed": keys.seal(item.address, seal_place(subscriber_id, item.account)),
    }


def _event_rows(
    pairs: list[tuple[int, Registration]], reason: str, route: Route
) -> Iterable[dict[str, object]]:
    for new_id, item in pairs:
        common = {
            "subscriber_id": new_id,
            "account": item.account,
            "route": route,
            "choices": noted(item.preferences),
        }
        yield {**common, "kind": EventKind.JOINED, "reason": reason, "at": item.registered_at}
        if item.left_at is not None:
            yield {**common, "kind": EventKind.LEFT, "reason": item.left_reason, "at": item.left_at}
