"""The history of registrations in a file of subscribers: every event, also of those who left or were erased.

A file of today's survivors would make a past of its own: 2,100 registrations of three years ago become the 1,358 who
are still there. With the events every figure comes out again as it was.

In the columns: `number` of the registration where it came from, `state`, and `events` as JSON,
[[kind, ISO time, reason, route, choices], …] in their order.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import from_datetime, iso
from content.register.registration import PastEvent
from content.register.registration_events import is_well_formed
from content.register.states import EventKind, Route, SubscriberState
from content.register.subscribers import registration_event, subscriber

HISTORY_COLUMNS = ("number", "state", "events")
MOST_EVENTS = 500
REASON = re.compile(r"[a-z0-9_-]{1,40}")


class BadHistory(ValueError):
    """`column` names the field."""

    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


@dataclass(frozen=True, slots=True)
class History:
    state: SubscriberState
    events: tuple[PastEvent, ...]


def read_history(state: str, events: str, now: int) -> History:
    """Raises BadHistory."""
    try:
        found = SubscriberState(state)
    except ValueError:
        raise BadHistory("state", f"使えるもの: {'、'.join(SubscriberState)}") from None
    try:
        rows = json.loads(events)
        if not isinstance(rows, list) or not 0 < len(rows) <= MOST_EVENTS:
            raise TypeError
        past = tuple(_event(*row) for row in rows)
    except (ValueError, TypeError, RecursionError):
        raise BadHistory(
            "events",
            f"書き出したままの記録(1〜{MOST_EVENTS}件)を書いてください: [[kind, time, reason, …], …]",
        ) from None
    if any(event.at > now for event in past):
        raise BadHistory("events", "これから先の日時の記録があります")
    _follow(past, found)
    return History(found, past)


def write_history(events: Sequence[PastEvent]) -> str:
    rows = [[event.kind, iso(event.at), event.reason, event.route, event.choices] for event in events]
    return json.dumps(rows, ensure_ascii=False, separators=(",", ":"))


async def histories(connection: AsyncConnection, first: int, last: int) -> dict[int, list[PastEvent]]:
    """The events of the registrations with these numbers, in their order."""
    rows = await connection.execute(
        select(registration_event)
        .where(registration_event.c.subscriber_id.between(first, last))
        .order_by(registration_event.c.id)
    )
    found: dict[int, list[PastEvent]] = {}
    for row in rows:
        event = PastEvent(EventKind(row.kind), row.at, row.reason, row.route, row.choices)
        found.setdefault(row.subscriber_id, []).append(event)
    return found


async def erased_histories(
    connection: AsyncConnection, accounts: Collection[str]
) -> set[tuple[str, tuple[PastEvent, ...]]]:
    """Of everybody who was erased: no address tells any more whether a line of a file is known."""
    rows = await connection.execute(
        select(registration_event)
        .join(subscriber, subscriber.c.id == registration_event.c.subscriber_id)
        .where(subscriber.c.state == SubscriberState.ERASED, subscriber.c.account.in_(list(accounts)))
        .order_by(registration_event.c.id)
    )
    found: dict[tuple[str, int], list[PastEvent]] = {}
    for row in rows:
        event = PastEvent(EventKind(row.kind), row.at, row.reason, row.route, row.choices)
        found.setdefault((row.account, row.subscriber_id), []).append(event)
    return {(account, tuple(events)) for (account, _), events in found.items()}


def _event(kind: str, at: str, reason: str, route: str, choices: str) -> PastEvent:
    if not REASON.fullmatch(reason) or (route and route not in set(Route)) or not is_well_formed(choices):
        raise ValueError
    return PastEvent(EventKind(kind), from_datetime(datetime.fromisoformat(at)), reason, route, choices)


def _follow(past: Sequence[PastEvent], state: SubscriberState) -> None:
    """Who joins is not there yet, who leaves or changes is (or had left: choices may change then too)."""
    active = False
    for number, event in enumerate(past):
        if (event.kind == EventKind.JOINED and active) or (event.kind == EventKind.LEFT and not active):
            raise BadHistory("events", f"{number + 1}番目の記録が、その前の記録とつながりません")
        if number == 0 and event.kind != EventKind.JOINED:
            raise BadHistory("events", "最初の記録は joined です")
        active = event.kind == EventKind.JOINED or (active and event.kind != EventKind.LEFT)
    if active != (state == SubscriberState.ACTIVE):
        raise BadHistory("state", "記録と合いません")
