"""Registration events as they are written: with what a registration had chosen at that moment.

Counts by category, area, language and group on any past day come from these. Birth months are not among them: no
figure asks for them, and they tell more of a family than anything else that is chosen. Written as "language:ja category:saigai category:kosodate area:funaoka". Empty for events from before it was noted.
"""

from __future__ import annotations

import re

from sqlalchemy import insert, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register.states import EventKind, Route
from content.register.subscribers import Preferences, registration_event, require

# The reason of those who came in with a list of who is there today: whoever left before is not on it.
IMPORTED = "import"
NOTED_KINDS = ("category", "area", "group")
PAIR = re.compile(r"(language|category|area|group):[A-Za-z0-9_-]{1,60}")


def noted(chosen: Preferences) -> str:
    pairs = [f"{kind}:{value}" for kind, value in chosen.choices() if kind in NOTED_KINDS]
    return " ".join([f"language:{chosen.language}", *pairs])


def read_noted(choices: str) -> list[tuple[str, str]]:
    """(kind, value) of each; nothing for an event from before it was noted."""
    return [(kind, value) for kind, _, value in (pair.partition(":") for pair in choices.split())]


def is_well_formed(choices: str) -> bool:
    """For what comes in from outside."""
    return all(PAIR.fullmatch(pair) for pair in choices.split(" ")) if choices else True


async def record_event(
    connection: AsyncConnection, subscriber_id: int, kind: EventKind, reason: str, at: int, route: Route
) -> None:
    """With the choices as they stand now."""
    found = await require(connection, subscriber_id)
    await connection.execute(
        insert(registration_event).values(
            subscriber_id=subscriber_id,
            account=found.account,
            kind=kind,
            reason=reason,
            at=at,
            route=route,
            choices=noted(found.preferences),
        )
    )


async def has_events(connection: AsyncConnection, subscriber_id: int) -> bool:
    """False for somebody of whom only a departure is known that overtook its arrival."""
    any_event = await connection.scalar(
        select(registration_event.c.id).where(registration_event.c.subscriber_id == subscriber_id).limit(1)
    )
    return any_event is not None
