"""Subscribers (登録者): one address on one channel account, with preferences. Not a person.

Addresses are sealed and found by a keyed hash. Every change leaves a registration event; every
count is computed from those. A subscriber that leaves keeps its preferences for the day it comes
back; erasing it removes address and preferences and leaves the events.

The account of a subscriber and whether it is active stand a second time in the rows of its preferences,
so that those who chose something are counted in one range of them. Whoever writes either place holds
the row of the subscriber first: it is the lock that keeps the two the same.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata, one_of
from content.database.identity import new_salt
from content.keys import Keys
from content.register import addresses
from content.register.states import EventKind, Pace, SubscriberState

# Parameters of one statement.
LOOKED_UP_AT_ONCE = 500

subscriber = Table(
    "subscriber",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Text, nullable=False),
    Column("state", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("changed_at", BigInteger, nullable=False),
    # The platform's own time of the newest follow or unfollow: a late event must not undo a newer one.
    Column("event_at", BigInteger, nullable=False, server_default="0"),
    # Random: links and Message-IDs are bound to it, so that no old one ever means another registration.
    Column("salt", BigInteger, nullable=False, default=new_salt, server_default="0"),
    # As `content.quiet_hours` writes them; "" for those of the town.
    Column("quiet_hours", Text, nullable=False, server_default=""),
    # The last day (YYYY-MM-DD) on which only what is life-critical comes; "" when everything chosen does.
    Column("paused_until", Text, nullable=False, server_default=""),
    # A `Pace`.
    Column("pace", Text, nullable=False, server_default=Pace.AT_ONCE),
    CheckConstraint(one_of("state", SubscriberState), name="state"),
    Index(None, "account", "state", "id"),
)
# Those who paused are few, and are counted by themselves.
Index(
    "ix_subscriber_paused",
    subscriber.c.account,
    subscriber.c.id,
    sqlite_where=text("paused_until <> ''"),
    postgresql_where=text("paused_until <> ''"),
)

address = Table(
    "address",
    metadata,
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("account", Text, nullable=False),
    Column("lookup", LargeBinary(16), nullable=False),
    Column("sealed", LargeBinary, nullable=False),
    UniqueConstraint("account", "lookup"),
)

preference = Table(
    "preference",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("value", Text, primary_key=True),
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    # Those of the subscriber.
    Column("account", Text, nullable=False),
    Column("active", Boolean, nullable=False),
    CheckConstraint("kind IN ('category', 'area', 'birth_month', 'group')", name="kind"),
    Index(None, "subscriber_id"),
    sqlite_with_rowid=False,
)

# Of those who belong to a group, beside their choice of it.
membership = Table(
    "membership",
    metadata,
    Column("group_key", Text, primary_key=True),
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("since", BigInteger, nullable=False),
    # The last day (YYYY-MM-DD); "" for without an end.
    Column("until", Text, nullable=False, server_default=""),
    # The invitation code by which it came; None for any other way in.
    Column("code_id", Id),
)

# What a resident calls a child, to tell several apart. Sealed: it may be a name.
child_word = Table(
    "child_word",
    metadata,
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), primary_key=True, autoincrement=False),
    Column("birth_month", Text, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),
)

registration_event = Table(
    "registration_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    # Empty for events of before it was written down.
    Column("route", Text, nullable=False, server_default=""),
    # What was chosen from this event on, as `content.register.registration_events` writes it.
    Column("choices", Text, nullable=False, server_default=""),
    CheckConstraint(one_of("kind", EventKind), name="kind"),
    Index(None, "account", "at", "kind"),
    Index(None, "subscriber_id"),
)


# Nobody who pauses without an end lives to see it.
UNTIL_CHANGED = date.max


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a registration chose; keys of the town profile, birth months as YYYY-MM.

    `quiet_hours` are in the form of `content.quiet_hours`, "" for those of the town. Up to and with the day
    `paused_until` only what is life-critical comes; UNTIL_CHANGED for without an end.
    """

    categories: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    birth_months: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    language: str = "ja"
    quiet_hours: str = ""
    paused_until: date | None = None
    pace: Pace = Pace.AT_ONCE

    def is_paused(self, today: date) -> bool:
        return self.paused_until is not None and today <= self.paused_until

    def columns(self) -> dict[str, str]:
        """What of them stands in the row of the subscriber itself."""
        return {
            "language": self.language,
            "quiet_hours": self.quiet_hours,
            "paused_until": "" if self.paused_until is None else self.paused_until.isoformat(),
            "pace": self.pace,
        }

    def choices(self) -> list[tuple[str, str]]:
        """(kind, value) of every choice, in the order of the table."""
        kinds = (
            ("category", self.categories),
            ("area", self.areas),
            ("birth_month", self.birth_months),
            ("group", self.groups),
        )
        return [(kind, value) for kind, values in kinds for value in sorted(values)]

    def rows(self, subscriber_id: int, account: str, state: SubscriberState) -> list[dict[str, object]]:
        """Rows of `preference` for a subscriber in this state."""
        is_active = state == SubscriberState.ACTIVE
        common = {"subscriber_id": subscriber_id, "account": account, "active": is_active}
        return [{"kind": kind, "value": value, **common} for kind, value in self.choices()]


@dataclass(frozen=True, slots=True)
class Subscriber:
    id: int
    account: str
    state: SubscriberState
    joined_at: int
    event_at: int
    preferences: Preferences
    salt: int = 0


def seal_place(subscriber_id: int, account: str) -> str:
    """The row for which an address is sealed."""
    return f"address {subscriber_id} {account}"


async def find(connection: AsyncConnection, keys: Keys, account: str, channel: str, plain: str) -> int | None:
    """The id of the subscriber with this address on this account, whatever its state."""
    wanted = keys.lookups(account, addresses.lookup_part(channel, plain))
    found = await connection.scalar(
        select(address.c.subscriber_id).where(address.c.account == account, address.c.lookup.in_(wanted))
    )
    return None if found is None else int(found)


async def count_known(connection: AsyncConnection, account: str, lookups: Sequence[bytes]) -> int:
    """How many of these look-ups of an account stand in the register, whatever their state."""
    known = 0
    for start in range(0, len(lookups), LOOKED_UP_AT_ONCE):
        part = lookups[start : start + LOOKED_UP_AT_ONCE]
        known += int(
            await connection.scalar(
                select(func.count())
                .select_from(address)
                .where(address.c.account == account, address.c.lookup.in_(part))
            )
            or 0
        )
    return known


async def find_active(
    connection: AsyncConnection, keys: Keys, account: str, channel: str, plains: Collection[str]
) -> set[str]:
    """Which of these addresses have an active registration on this account, asked in one go."""
    wanted = {
        lookup: plain
        for plain in plains
        for lookup in keys.lookups(account, addresses.lookup_part(channel, plain))
    }
    found = await connection.scalars(
        select(address.c.lookup)
        .join(subscriber, subscriber.c.id == address.c.subscriber_id)
        .where(
            address.c.account == account,
            address.c.lookup.in_(list(wanted)),
            subscriber.c.state == SubscriberState.ACTIVE,
        )
    )
    return {wanted[bytes(lookup)] for lookup in found}


async def get(connection: AsyncConnection, subscriber_id: int) -> Subscriber | None:
    row = (await connection.execute(select(subscriber).where(subscriber.c.id == subscriber_id))).one_or_none()
    if row is None:
        return None
    chosen: dict[str, set[str]] = {"category": set(), "area": set(), "birth_month": set(), "group": set()}
    for kind, value in await connection.execute(
        select(preference.c.kind, preference.c.value).where(preference.c.subscriber_id == subscriber_id)
    ):
        chosen[kind].add(value)
    preferences = Preferences(
        categories=frozenset(chosen["category"]),
        areas=frozenset(chosen["area"]),
        birth_months=frozenset(chosen["birth_month"]),
        groups=frozenset(chosen["group"]),
        language=row.language,
        quiet_hours=row.quiet_hours,
        paused_until=date.fromisoformat(row.paused_until) if row.paused_until else None,
        pace=Pace(row.pace),
    )
    return Subscriber(
        row.id, row.account, SubscriberState(row.state), row.joined_at, row.event_at, preferences, row.salt
    )


async def require(connection: AsyncConnection, subscriber_id: int) -> Subscriber:
    found = await get(connection, subscriber_id)
    if found is None:
        raise LookupError(f"no subscriber {subscriber_id}")
    return found


async def choices_of(connection: AsyncConnection, first: int, last: int) -> dict[int, dict[str, set[str]]]:
    """subscriber → kind → values, of the subscribers from `first` to `last`."""
    rows = await connection.execute(
        select(preference.c.subscriber_id, preference.c.kind, preference.c.value).where(
            preference.c.subscriber_id.between(first, last)
        )
    )
    chosen: dict[int, dict[str, set[str]]] = {}
    for subscriber_id, kind, value in rows:
        chosen.setdefault(subscriber_id, {}).setdefault(kind, set()).add(value)
    return chosen
