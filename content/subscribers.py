"""Subscribers (登録者): one address on one channel account, with preferences. Not a person.

Addresses are sealed and found by a keyed hash. Every change leaves a registration event; every
count is computed from those. A subscriber that leaves keeps its preferences for the day it comes
back; erasing it removes address and preferences and leaves the events.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import (
    BigInteger,
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
    func,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content import addresses
from content.database import Id, metadata, reserve_ids
from content.keys import Keys

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

    def rows(self, subscriber_id: int) -> list[dict[str, object]]:
        kinds = (
            ("category", self.categories),
            ("area", self.areas),
            ("birth_month", self.birth_months),
            ("group", self.groups),
        )
        return [
            {"kind": kind, "value": value, "subscriber_id": subscriber_id}
            for kind, values in kinds
            for value in sorted(values)
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
    row = _address_row(keys, gone, Registration(channel, account, plain))
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
    await connection.execute(delete(preference).where(preference.c.subscriber_id == subscriber_id))
    await _write_choices(connection, subscriber_id, preferences, changed_at=at)
    await _record(connection, subscriber_id, before.account, "changed", reason, at)
    return replace(before, preferences=preferences)


async def erase(connection: AsyncConnection, subscriber_id: int, *, reason: str, at: int) -> None:
    """Remove address and preferences for good; counts and ledger keep the bare number."""
    await leave(connection, subscriber_id, reason=reason, at=at)
    await connection.execute(delete(preference).where(preference.c.subscriber_id == subscriber_id))
    await connection.execute(delete(address).where(address.c.subscriber_id == subscriber_id))
    await connection.execute(
        update(subscriber).where(subscriber.c.id == subscriber_id).values(state="erased", changed_at=at)
    )


async def register_many(
    connection: AsyncConnection, keys: Keys, registrations: Sequence[Registration], *, reason: str
) -> list[int]:
    """Insert new registrations with their events; the ids in the same order.

    The addresses must be normalised and unknown so far: a double raises IntegrityError.
    """
    if not registrations:
        return []
    ids = await reserve_ids(connection, subscriber, len(registrations))
    await connection.execute(
        insert(subscriber),
        [
            {
                "id": new_id,
                "account": item.account,
                "state": "active" if item.left_at is None else "left",
                "language": item.preferences.language,
                "joined_at": item.registered_at,
                "changed_at": item.left_at or item.registered_at,
            }
            for new_id, item in zip(ids, registrations, strict=True)
        ],
    )
    pairs = list(zip(ids, registrations, strict=True))
    await connection.execute(insert(address), [_address_row(keys, new_id, item) for new_id, item in pairs])
    chosen = [row for new_id, item in pairs for row in item.preferences.rows(new_id)]
    if chosen:
        await connection.execute(insert(preference), chosen)
    await connection.execute(insert(registration_event), list(_event_rows(pairs, reason)))
    return ids


async def open_addresses(
    connection: AsyncConnection, keys: Keys, subscriber_ids: Sequence[int], *, with_left: bool = False
) -> dict[int, str]:
    """Addresses in clear of those among the ids that are active now; `with_left` also of those who left."""
    rows = await connection.execute(
        select(address.c.subscriber_id, address.c.sealed)
        .join(subscriber, subscriber.c.id == address.c.subscriber_id)
        .where(
            address.c.subscriber_id.in_(subscriber_ids),
            subscriber.c.state.in_(("active", "left") if with_left else ("active",)),
            func.length(address.c.sealed) > 0,
        )
    )
    return {subscriber_id: keys.open(sealed) for subscriber_id, sealed in rows}


async def known_lookups(connection: AsyncConnection, account: str, lookups: Iterable[bytes]) -> set[bytes]:
    """Those of the look-up hashes that are registered on the account, whatever their state."""
    wanted = list(lookups)
    found: set[bytes] = set()
    for start in range(0, len(wanted), 5000):
        rows = await connection.scalars(
            select(address.c.lookup).where(
                address.c.account == account, address.c.lookup.in_(wanted[start : start + 5000])
            )
        )
        found.update(rows)
    return found


def _address_row(keys: Keys, subscriber_id: int, item: Registration) -> dict[str, object]:
    return {
        "subscriber_id": subscriber_id,
        "account": item.account,
        "lookup": keys.lookup(item.account, addresses.lookup_part(item.channel, item.address)),
        "sealed": keys.seal(item.address),
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
) -> None:
    """The choices of a subscriber that has none in the table; `times` are columns of its row."""
    rows = preferences.rows(subscriber_id)
    if rows:
        await connection.execute(insert(preference), rows)
    await connection.execute(
        update(subscriber)
        .where(subscriber.c.id == subscriber_id)
        .values(language=preferences.language, **times)
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
