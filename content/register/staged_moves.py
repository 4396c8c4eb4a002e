"""From the stage into the register: one statement inside the database for each table, however many rows there are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncConnection

from content.register.states import SubscriberState

CHOICES = {
    "postgresql": (
        "choice ->> 0 AS kind, choice ->> 1 AS value",
        "CROSS JOIN LATERAL jsonb_array_elements(choices::jsonb) AS choice",
    ),
    "sqlite": (
        "json_extract(choice.value, '$[0]') AS kind, json_extract(choice.value, '$[1]') AS value",
        "JOIN json_each(choices) AS choice",
    ),
}
EVENTS = {
    "postgresql": (
        "event.value ->> 0, (event.value ->> 1)::bigint, event.value ->> 2, event.value ->> 3, event.value ->> 4",
        "CROSS JOIN LATERAL jsonb_array_elements(events::jsonb) WITH ORDINALITY AS event(value, key)",
    ),
    "sqlite": (
        ", ".join(f"json_extract(event.value, '$[{place}]')" for place in range(5)),
        "JOIN json_each(events) AS event",
    ),
}
SLICE_OF = "import_id = :import_id AND number <= :last"


async def move_staged(connection: AsyncConnection, import_id: int, last: int) -> tuple[int, int]:
    """Move the staged rows up to the number `last`: how many are new registrations, and how many were known."""
    part = {"import_id": import_id, "last": last}
    dialect = connection.dialect.name
    choice, each_choice = CHOICES[dialect]
    event, each_event = EVENTS[dialect]
    fresh = f"FROM staged_registration WHERE {SLICE_OF}"

    async def do(statement: str, **values: Any) -> int:
        return int((await connection.execute(text(statement), {**part, **values})).rowcount)

    known = await do(
        f"DELETE FROM staged_registration WHERE {SLICE_OF} AND EXISTS (SELECT 1 FROM address"
        " WHERE address.account = staged_registration.account AND address.lookup = staged_registration.lookup)"
    )
    await do(
        "INSERT INTO subscriber (id, account, state, language, quiet_hours, paused_until, pace, joined_at, changed_at, salt)"
        f" SELECT subscriber_id, account, state, language, quiet_hours, paused_until, pace, joined_at, changed_at, salt"
        f" {fresh} ORDER BY number"
    )
    await do(
        "INSERT INTO address (subscriber_id, account, lookup, sealed)"
        f" SELECT subscriber_id, account, lookup, sealed {fresh} AND state <> :erased ORDER BY number",
        erased=str(SubscriberState.ERASED),
    )
    await do(
        "INSERT INTO preference (kind, value, subscriber_id, account, active)"
        " SELECT kind, value, subscriber_id, account, active FROM"
        f" (SELECT {choice}, subscriber_id, account, state = :active AS active"
        f" FROM staged_registration {each_choice} WHERE {SLICE_OF}) AS chosen"
        " ORDER BY kind, value, subscriber_id",
        active=str(SubscriberState.ACTIVE),
    )
    await do(
        "INSERT INTO registration_event (subscriber_id, account, kind, at, reason, route, choices)"
        f" SELECT subscriber_id, account, {event} FROM staged_registration {each_event} WHERE {SLICE_OF}"
        " ORDER BY number, event.key"
    )
    new = await do(f"DELETE FROM staged_registration WHERE {SLICE_OF}")
    return new, known
