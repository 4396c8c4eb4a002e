"""The stage of an import: what is to come in, sealed, in a table that nobody else reads."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, Text

from content.database import metadata
from content.database.identity import new_salt
from content.keys import Keys
from content.register.registration import PastEvent, Registration, address_row
from content.register.registration_events import noted
from content.register.states import EventKind, Pace, Route, SubscriberState

staged_registration = Table(
    "staged_registration",
    metadata,
    Column(
        "import_id", BigInteger, ForeignKey("registration_import.id"), primary_key=True, autoincrement=False
    ),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # Of the registration that it becomes, unless the address is known.
    Column("subscriber_id", BigInteger, nullable=False),
    Column("account", Text, nullable=False),
    Column("lookup", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    Column("language", Text, nullable=False),
    Column("quiet_hours", Text, nullable=False, server_default=""),
    Column("paused_until", Text, nullable=False, server_default=""),
    Column("pace", Text, nullable=False, server_default=Pace.AT_ONCE),
    # [[kind, value], …] as in `preference`.
    Column("choices", Text, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("salt", BigInteger, nullable=False),
    Column("state", Text, nullable=False, server_default=SubscriberState.ACTIVE),
    Column("changed_at", BigInteger, nullable=False, server_default="0"),
    # [[kind, ms, reason, route, choices], …] in their order.
    Column("events", Text, nullable=False, server_default="[]"),
)


@dataclass(frozen=True, slots=True)
class Begun:
    """An import, and the number that its first registration gets."""

    id: int
    first_id: int
    reason: str


def staged_rows(
    keys: Keys, begun: Begun, start: int, registrations: Sequence[Registration]
) -> list[dict[str, Any]]:
    """Rows of `staged_registration`: work to do before a transaction begins."""
    return [
        {
            "import_id": begun.id,
            "number": number,
            **address_row(keys, begun.first_id + number, item),
            **item.preferences.columns(),
            "choices": json.dumps(item.preferences.choices()),
            "joined_at": item.registered_at,
            "salt": new_salt(),
            "state": item.state,
            "changed_at": item.history[-1].at if item.history else item.registered_at,
            "events": json.dumps(_events(item, begun.reason)),
        }
        for number, item in enumerate(registrations, start)
    ]


def _events(item: Registration, reason: str) -> list[list[object]]:
    joined = PastEvent(EventKind.JOINED, item.registered_at, reason, Route.IMPORT, noted(item.preferences))
    return [
        [event.kind, event.at, event.reason, event.route, event.choices]
        for event in item.history or (joined,)
    ]
