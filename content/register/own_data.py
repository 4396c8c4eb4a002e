"""All that is stored about one registration, as its owner may have it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import iso
from content.keys import Keys
from content.register import address_book
from content.register.bounces import suppressed_since
from content.register.children import children_of
from content.register.subscribers import UNTIL_CHANGED, Subscriber, registration_event
from content.town import Named, Town


async def own_data(connection: AsyncConnection, keys: Keys, town: Town, found: Subscriber) -> dict[str, Any]:
    """Names beside keys, times as ISO 8601; ready for JSON."""
    chosen = found.preferences
    opened = await connection.run_sync(
        partial(
            address_book.open_addresses,
            keys=keys,
            account=found.account,
            subscriber_ids=[found.id],
            with_left=True,
        )
    )
    events = await connection.execute(
        select(registration_event)
        .where(registration_event.c.subscriber_id == found.id)
        .order_by(registration_event.c.id)
    )
    stopped = await suppressed_since(connection, found.id)
    paused = chosen.paused_until
    return {
        "town": town.name,
        "registration": found.id,
        "account": found.account,
        "address": opened.clear[found.id][0] if found.id in opened.clear else None,
        "state": found.state,
        "mail_stopped_since": None if stopped is None else iso(stopped),
        "registered_at": iso(found.joined_at),
        "language": chosen.language,
        "categories": _named(chosen.categories, town.category),
        "areas": _named(chosen.areas, town.area),
        "groups": _named(chosen.groups, town.group),
        "children": [
            {"birth_month": child.birth_month, "word": child.word}
            for child in await children_of(connection, keys, found.id)
        ],
        "quiet_hours": chosen.quiet_hours or town.quiet_hours,
        "pace": chosen.pace,
        "paused_until": None
        if paused is None
        else ("changed" if paused == UNTIL_CHANGED else paused.isoformat()),
        "events": [
            {
                "kind": row.kind,
                "at": iso(row.at),
                "reason": row.reason,
                "route": row.route,
                "choices": row.choices,
            }
            for row in events
        ],
    }


async def latest_events(connection: AsyncConnection, subscriber_id: int, most: int) -> Sequence[Row[Any]]:
    """The newest events of a registration, the last one first."""
    rows = await connection.execute(
        select(registration_event)
        .where(registration_event.c.subscriber_id == subscriber_id)
        .order_by(registration_event.c.id.desc())
        .limit(most)
    )
    return rows.all()


def _named(keys: frozenset[str], known: Mapping[str, Named]) -> list[dict[str, str]]:
    return [{"key": key, "name": known[key].name() if key in known else key} for key in sorted(keys)]
