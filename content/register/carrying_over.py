"""Choices of what the town merged or split are carried over to what stands for it: nobody gets less than she chose.

A registration that had chosen the old one has all that stand for it from then on, with an event of its own, by the
route `profile`. Until that is done an audience asks for both (`Town.reach`), so nothing depends on the hour.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import delete, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import insert_unless_known
from content.register.imports import has_come_in
from content.register.registration_events import NOTED_KINDS, noted
from content.register.states import EventKind, Route, SubscriberState
from content.register.subscribers import (
    Preferences,
    preference,
    registration_event,
    subscriber,
)
from content.town import Town

# In one transaction: nobody who writes waits longer than a tenth of a second.
AT_ONCE = 200
MERGED, SPLIT = "merged", "split"
KINDS = ("category", "area")


@dataclass(frozen=True, slots=True)
class Succession:
    """What was chosen under `key` is chosen under `heirs` now."""

    kind: str
    key: str
    heirs: tuple[str, ...]
    reason: str


def successions(town: Town, today: date) -> Iterator[Succession]:
    """Those that hold today."""
    for kind in KINDS:
        for key, item in town.choosable(kind).items():
            if item.heirs and item.is_over(today):
                reason = MERGED if item.merged_into else SPLIT
                yield Succession(kind, key, town.heirs(kind, key, today), reason)


async def carry_over(
    connection: AsyncConnection,
    found: Succession,
    *,
    at: int,
    after: int = 0,
    most: int = AT_ONCE,
) -> tuple[int, int | None]:
    """Some of those who chose it, from the numbers `after` on: how many, and the last of them; None when nobody is left.

    Who has left is carried over too, without an event: she comes back to what stands for her choice.
    """
    mine = (preference.c.kind == found.kind) & (preference.c.value == found.key)
    wanted = select(preference.c.subscriber_id).where(
        mine, preference.c.subscriber_id > after, has_come_in(preference.c.subscriber_id)
    )
    ids = list(await connection.scalars(wanted.order_by("subscriber_id").limit(most)))
    if not ids:
        return 0, None
    states = await _locked(connection, ids)
    # Only now nobody else changes them. The range besides, or PostgreSQL goes through everybody who chose it.
    who = preference.c.subscriber_id
    mine &= who.between(ids[0], ids[-1]) & who.in_(ids)
    rows = (await connection.execute(select(preference).where(mine))).all()
    if not rows:
        return 0, ids[-1]
    await connection.execute(
        insert_unless_known(connection, preference).on_conflict_do_nothing(),
        [{**row._mapping, "value": heir} for row in rows for heir in found.heirs],
    )
    await connection.execute(delete(preference).where(mine))
    changed = [row.subscriber_id for row in rows]
    await connection.execute(update(subscriber).where(subscriber.c.id.in_(changed)).values(changed_at=at))
    active = [number for number in changed if states[number].state == SubscriberState.ACTIVE]
    if active:
        chosen = await _noted(connection, active)
        events = [
            {
                "subscriber_id": number,
                "account": states[number].account,
                "kind": EventKind.CHANGED,
                "reason": found.reason,
                "at": at,
                "route": Route.PROFILE,
                "choices": noted(_preferences(states[number].language, chosen[number])),
            }
            for number in active
        ]
        await connection.execute(insert(registration_event), events)
    return len(rows), ids[-1]


@dataclass(frozen=True, slots=True)
class _Row:
    account: str
    state: str
    language: str


async def _locked(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, _Row]:
    rows = await connection.execute(
        select(subscriber.c.id, subscriber.c.account, subscriber.c.state, subscriber.c.language)
        .where(subscriber.c.id.in_(ids))
        .order_by(subscriber.c.id)
        .with_for_update()
    )
    return {row.id: _Row(row.account, row.state, row.language) for row in rows}


async def _noted(connection: AsyncConnection, ids: Sequence[int]) -> dict[int, dict[str, set[str]]]:
    """What events note of each: kind → values."""
    rows = await connection.execute(
        select(preference.c.subscriber_id, preference.c.kind, preference.c.value).where(
            preference.c.subscriber_id.in_(ids), preference.c.kind.in_(NOTED_KINDS)
        )
    )
    chosen: dict[int, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for number, kind, value in rows:
        chosen[number][kind].add(value)
    return chosen


def _preferences(language: str, chosen: dict[str, set[str]]) -> Preferences:
    return Preferences(
        categories=frozenset(chosen["category"]),
        areas=frozenset(chosen["area"]),
        groups=frozenset(chosen["group"]),
        language=language,
    )
