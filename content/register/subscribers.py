"""Subscribers (登録者): one address on one channel account, with preferences. Not a person.

Addresses are sealed and found by a keyed hash. Every change leaves a registration event; every
count is computed from those. A subscriber that leaves keeps its preferences for the day it comes
back; erasing it removes address and preferences and leaves the events.

The account of a subscriber and whether it is active stand a second time in the rows of its preferences,
so that those who chose something are counted in one range of them. Whoever writes either place holds
the row of the subscriber first: it is the lock that keeps the two the same.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import (
    BigInteger,
    Boolean,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    Index,
    LargeBinary,
    Table,
    Text,
    UniqueConstraint,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata, reserve_ids
from content.keys import Keys
from content.register import addresses

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
    CheckConstraint("state IN ('active', 'left', 'erased')", name="state"),
    Index(None, "account", "state", "id"),
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

registration_event = Table(
    "registration_event",
    metadata,
    Column("id", Id, primary_key=True),
    Column("subscriber_id", Id, ForeignKey("subscriber.id"), nullable=False),
    Column("account", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    CheckConstraint("kind IN ('joined', 'left', 'changed')", name="kind"),
    Index(None, "account", "at", "kind"),
    Index(None, "subscriber_id"),
)


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a registration chose; keys of the town profile, birth months as YYYY-MM."""

    categories: frozenset[str] = frozenset()
    areas: frozenset[str] = frozenset()
    birth_months: frozenset[str] = frozenset()
    groups: frozenset[str] = frozenset()
    language: str = "ja"

    def rows(self, subscriber_id: int, account: str, state: str) -> list[dict[str, object]]:
        """Rows of `preference` for a subscriber in this state."""
        common = {"subscriber_id": subscriber_id, "account": account, "active": state == "active"}
        kinds = (
            ("category", self.categories),
            ("area", self.areas),
            ("birth_month", self.birth_months),
            ("group", self.groups),
        )
        return [
            {"kind": kind, "value": value, **common} for kind, values in kinds for value in sorted(values)
        ]


@dataclass(frozen=True, slots=True)
class Subscriber:
    id: int
    account: str
    state: str
    joined_at: int
    event_at: int
    preferences: Preferences


@dataclass(frozen=True, slots=True)
class Registration:
    """One new registration, for `register_many`. `address` is normalised; times in ms."""

    channel: str
    account: str
    address: str = field(repr=False)
    preferences: Preferences = Preferences()
    registered_at: int = 0
    left_at: int | None = None
    left_reason: str = "blocked"


@dataclass(frozen=True, slots=True)
class Sealed:
    """A registration with its address hashed and sealed: work to do before a transaction begins."""

    registration: Registration
    lookup: bytes
    sealed: bytes


def seal(keys: Keys, item: Registration) -> Sealed:
    lookup = keys.lookup(item.account, addresses.lookup_part(item.channel, item.address))
    return Sealed(item, lookup, keys.seal(item.address))


async def find(connection: AsyncConnection, keys: Keys, account: str, channel: str, plain: str) -> int | None:
    """The id of the subscriber with this address on this account, whatever its state."""
    wanted = keys.lookup(account, addresses.lookup_part(channel, plain))
    found = await connection.scalar(
        select(address.c.subscriber_id).where(address.c.account == account, address.c.lookup == wanted)
    )
    return None if found is None else int(found)


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
    )
    return Subscriber(row.id, row.account, row.state, row.joined_at, row.event_at, preferences)


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
) -> tuple[Subscriber, bool]:
    """Register an address, or take it back with the preferences it had.

    Returns the subscriber and whether anything changed. `event_at` is the platform's time of the
    event; one that is not newer than the stored state changes nothing. Raises BadAddress.
    """
    plain = addresses.normalise(channel, plain)
    known = await find(connection, keys, account, channel, plain)
    if known is None:
        registration = Registration(channel, account, plain, preferences, at)
        (new_id,) = await register_many(connection, keys, [registration], reason=reason)
        await connection.execute(
            update(subscriber).where(subscriber.c.id == new_id).values(event_at=event_at)
        )
        return await _require(connection, new_id), True
    changed = await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == known, subscriber.c.state == "left", _not_older(event_at))
        .values(state="active", changed_at=at, event_at=event_at or subscriber.c.event_at)
    )
    if changed.rowcount:
        await _mark_choices(connection, known, active=True)
        if not await _ever_joined(connection, known):
            # Known so far only from a departure that overtook its arrival, so nothing was chosen yet.
            await _write_choices(connection, known, preferences, joined_at=at)
            await connection.execute(
                update(address).where(address.c.subscriber_id == known).values(sealed=keys.seal(plain))
            )
        await _record(connection, known, account, "joined", reason, at)
    elif event_at:
        await _remember_event(connection, known, event_at)
    return await _require(connection, known), bool(changed.rowcount)


async def leave(
    connection: AsyncConnection, subscriber_id: int, *, reason: str, at: int, event_at: int = 0
) -> bool:
    """End a registration; True when it was active. An event older than the stored state changes nothing."""
    changed = await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id, subscriber.c.state == "active", _not_older(event_at))
        .values(state="left", changed_at=at, event_at=event_at or subscriber.c.event_at)
    )
    if not changed.rowcount:
        if event_at:
            await _remember_event(connection, subscriber_id, event_at)
        return False
    await _mark_choices(connection, subscriber_id, active=False)
    account = (await _require(connection, subscriber_id)).account
    await _record(connection, subscriber_id, account, "left", reason, at)
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
) -> bool:
    """`leave` by address. A departure that overtakes its own arrival is remembered, so that the
    older arrival cannot register somebody who has gone."""
    plain = addresses.normalise(channel, plain)
    known = await find(connection, keys, account, channel, plain)
    if known is not None:
        return await leave(connection, known, reason=reason, at=at, event_at=event_at)
    gone = await connection.scalar(
        insert(subscriber)
        .values(account=account, state="left", language="ja", joined_at=at, changed_at=at, event_at=event_at)
        .returning(subscriber.c.id)
    )
    assert gone is not None
    # Nothing is ever sent to somebody who left before joining, so the address itself is not kept.
    row = _address_row(gone, seal(keys, Registration(channel, account, plain)))
    await connection.execute(insert(address).values({**row, "sealed": b""}))
    return False


async def change_preferences(
    connection: AsyncConnection,
    subscriber_id: int,
    preferences: Preferences,
    *,
    reason: str,
    at: int,
) -> Subscriber:
    """Replace what a registration chose; recorded as `changed` when it differs."""
    before = await _require(connection, subscriber_id)
    if before.preferences == preferences:
        return before
    if not await _write_choices(connection, subscriber_id, preferences, changed_at=at):
        return await _require(connection, subscriber_id)
    await _record(connection, subscriber_id, before.account, "changed", reason, at)
    return replace(before, preferences=preferences)


async def erase(connection: AsyncConnection, subscriber_id: int, *, reason: str, at: int) -> None:
    """Remove address and preferences for good; counts and ledger keep the bare number."""
    await leave(connection, subscriber_id, reason=reason, at=at)
    await connection.execute(
        update(subscriber).where(subscriber.c.id == subscriber_id).values(state="erased", changed_at=at)
    )
    await connection.execute(delete(preference).where(preference.c.subscriber_id == subscriber_id))
    await connection.execute(delete(address).where(address.c.subscriber_id == subscriber_id))


async def register_many(
    connection: AsyncConnection, keys: Keys, registrations: Sequence[Registration], *, reason: str
) -> list[int]:
    """Insert new registrations with their events; the ids in the same order.

    The addresses must be normalised and unknown so far: a double raises IntegrityError.
    """
    return await register_sealed(connection, [seal(keys, item) for item in registrations], reason=reason)


async def register_sealed(connection: AsyncConnection, items: Sequence[Sealed], *, reason: str) -> list[int]:
    """`register_many` for what is sealed already."""
    if not items:
        return []
    ids = await reserve_ids(connection, subscriber, len(items))
    pairs = [(new_id, item.registration) for new_id, item in zip(ids, items, strict=True)]
    await connection.execute(
        insert(subscriber),
        [
            {
                "id": new_id,
                "account": item.account,
                "state": _first_state(item),
                "language": item.preferences.language,
                "joined_at": item.registered_at,
                "changed_at": item.left_at or item.registered_at,
            }
            for new_id, item in pairs
        ],
    )
    sealed = zip(ids, items, strict=True)
    await connection.execute(insert(address), [_address_row(new_id, item) for new_id, item in sealed])
    chosen = [
        row
        for new_id, item in pairs
        for row in item.preferences.rows(new_id, item.account, _first_state(item))
    ]
    if chosen:
        await connection.execute(insert(preference), chosen)
    await connection.execute(insert(registration_event), list(_event_rows(pairs, reason)))
    return ids


def _first_state(item: Registration) -> str:
    return "active" if item.left_at is None else "left"


def _address_row(subscriber_id: int, item: Sealed) -> dict[str, object]:
    return {
        "subscriber_id": subscriber_id,
        "account": item.registration.account,
        "lookup": item.lookup,
        "sealed": item.sealed,
    }


def _event_rows(pairs: list[tuple[int, Registration]], reason: str) -> Iterable[dict[str, object]]:
    for new_id, item in pairs:
        common = {"subscriber_id": new_id, "account": item.account}
        yield {**common, "kind": "joined", "reason": reason, "at": item.registered_at}
        if item.left_at is not None:
            yield {**common, "kind": "left", "reason": item.left_reason, "at": item.left_at}


def _not_older(event_at: int) -> ColumnElement[bool]:
    # Without a platform time (mail, staff) the change is made now, so it is the newest.
    return subscriber.c.event_at < event_at if event_at else subscriber.c.event_at >= 0


async def _ever_joined(connection: AsyncConnection, subscriber_id: int) -> bool:
    joined = await connection.scalar(
        select(registration_event.c.id).where(registration_event.c.subscriber_id == subscriber_id).limit(1)
    )
    return joined is not None


async def _write_choices(
    connection: AsyncConnection, subscriber_id: int, preferences: Preferences, **times: int
) -> bool:
    """Replace the choices of a subscriber, unless it was erased; `times` are columns of its row."""
    changed = await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id, subscriber.c.state != "erased")
        .values(language=preferences.language, **times)
        .returning(subscriber.c.account, subscriber.c.state)
    )
    found = changed.one_or_none()
    if found is None:
        return False
    await connection.execute(delete(preference).where(preference.c.subscriber_id == subscriber_id))
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


async def _record(
    connection: AsyncConnection, subscriber_id: int, account: str, kind: str, reason: str, at: int
) -> None:
    await connection.execute(
        insert(registration_event).values(
            subscriber_id=subscriber_id, account=account, kind=kind, reason=reason, at=at
        )
    )


async def _require(connection: AsyncConnection, subscriber_id: int) -> Subscriber:
    found = await get(connection, subscriber_id)
    if found is None:
        raise LookupError(f"no subscriber {subscriber_id}")
    return found
