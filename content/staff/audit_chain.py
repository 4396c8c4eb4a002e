"""Whether the trail is what was written: each link carries a keyed hash of its entry and of the link before.

Entries are linked right after they are committed, not while they are being written: an act of staff or a
sender never waits for another's. The key stands outside the database, so whoever can change rows cannot
make a link that fits. Numbers of links have no gap; of several processes one links at a time, and none waits.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any

from sqlalchemy import Column, Connection, ForeignKey, LargeBinary, Row, Table, exists, func, insert, select

from content.database import Database, Id, metadata, only_one
from content.database.secret_keys import purpose_key
from content.key_ring import KeyPurpose, PurposeKey
from content.keys import Keys
from content.staff.audit import audit_entry

audit_link = Table(
    "audit_link",
    metadata,
    Column("number", Id, primary_key=True, autoincrement=False),
    Column("entry_id", Id, ForeignKey("audit_entry.id"), nullable=False, unique=True),
    Column("hash", LargeBinary, nullable=False),
)

# So that a long trail of an older version is linked in many short transactions.
SLICE = 500
# A transaction that took its id early may commit late, on PostgreSQL. None is open for that long.
LOOK_BACK = 10_000


@dataclass(frozen=True, slots=True)
class Head:
    """The newest link. Noted down elsewhere, it proves later that nothing before it is gone."""

    number: int = 0
    hash: bytes = b""

    def __str__(self) -> str:
        return f"{self.number}:{self.hash.hex()[:16]}"


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place where the trail is not what was written."""

    number: int
    entry_id: int | None
    at: int | None
    why: str


async def link_new(database: Database, keys: Keys, look_back: int | None = LOOK_BACK) -> Head | None:
    """Link some of the entries that have none; the new head, or None when there was nothing to do.

    With `look_back` None it searches the whole trail.
    """

    def link(connection: Connection) -> Head | None:
        if not only_one(connection, "audit_link"):
            return None
        if _rotated_meanwhile(connection, keys):
            # Whoever knows the newer key links; this process does within seconds.
            return None
        head = newest(connection)
        links = []
        for entry in _unlinked(connection, look_back, SLICE):
            head = Head(head.number + 1, _hash(keys, head, entry))
            links.append({"number": head.number, "entry_id": entry.id, "hash": head.hash})
        if not links:
            return None
        connection.execute(insert(audit_link), links)
        return head

    if not await database.read_step(lambda connection: _unlinked(connection, look_back, 1)):
        return None
    # In one hop, and together with what a sender writes: it holds nobody up.
    return await database.write_step(link)


def newest(connection: Connection) -> Head:
    row = connection.execute(select(audit_link).order_by(audit_link.c.number.desc()).limit(1)).one_or_none()
    return Head(row.number, row.hash) if row else Head()


async def verify(database: Database, keys: Keys, noted: Iterable[str] = ()) -> Head | Broken:
    """The head of a trail that is whole, else its first broken place.

    `noted` are heads (as texts) that were noted down before: a trail that was cut off and written anew
    after them, by the service itself, shows nowhere else.
    """
    while await link_new(database, keys, look_back=None):
        pass
    head = Head()
    expected = {int(text.partition(":")[0]): text for text in noted}
    async for row in _links(database):
        if row.number != head.number + 1:
            return Broken(head.number + 1, None, None, "gone")
        if row.id is None:
            return Broken(row.number, row.entry_id, None, "gone")
        if not hmac.compare_digest(_hash(keys, head, row), row.hash):
            return Broken(row.number, row.id, row.at, "changed")
        head = Head(row.number, row.hash)
        if expected.get(row.number, str(head)) != str(head):
            return Broken(row.number, row.id, row.at, "not_as_noted")
    if head.number < max(expected, default=0):
        return Broken(head.number + 1, None, None, "gone")
    return head


async def _links(database: Database) -> AsyncIterator[Row[Any]]:
    """Every link in order, with its entry; in short transactions."""
    after = 0
    while rows := await database.read_step(partial(_links_after, number=after)):
        for row in rows:
            yield row
        after = rows[-1].number


def _links_after(connection: Connection, number: int) -> list[Row[Any]]:
    found = connection.execute(
        select(audit_link.c.number, audit_link.c.entry_id, audit_link.c.hash, audit_entry)
        .outerjoin(audit_entry, audit_entry.c.id == audit_link.c.entry_id)
        .where(audit_link.c.number > number)
        .order_by(audit_link.c.number)
        .limit(SLICE * 4)
    )
    return list(found)


def _unlinked(connection: Connection, look_back: int | None, limit: int) -> list[Row[Any]]:
    chosen = (
        select(audit_entry)
        .where(~exists().where(audit_link.c.entry_id == audit_entry.c.id))
        .order_by(audit_entry.c.id)
        .limit(limit)
    )
    if look_back is not None:
        newest_linked = select(func.coalesce(func.max(audit_link.c.entry_id), 0)).scalar_subquery()
        chosen = chosen.where(audit_entry.c.id > newest_linked - look_back)
    return list(connection.execute(chosen))


def _hash(keys: Keys, before: Head, entry: Row[Any]) -> bytes:
    told = [entry.id, entry.at, entry.actor, entry.action, entry.subject, entry.detail]
    secret = _key_of_link(keys, before.number + 1).secret
    return hmac.digest(secret, before.hash + json.dumps(told).encode(), hashlib.sha256)


def _key_of_link(keys: Keys, number: int) -> PurposeKey:
    """Of several the latest that had begun: with an older one nobody can write a link anew behind where it ended."""
    begun = [key for key in keys.of_purpose(KeyPurpose.AUDIT) if key.after_link < number]
    return max(begun, key=lambda key: key.generation)


def _rotated_meanwhile(connection: Connection, keys: Keys) -> bool:
    newest_key = connection.scalar(
        select(func.max(purpose_key.c.generation)).where(purpose_key.c.purpose == KeyPurpose.AUDIT)
    )
    return (newest_key or 0) > max(key.generation for key in keys.of_purpose(KeyPurpose.AUDIT))
