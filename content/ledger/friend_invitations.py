"""The one invitation to friends who were taken in from LINE's list and have not chosen anything yet (招待).

Planned in one transaction, sent batch by batch under stored retry keys, so that a second run goes on where the
first broke off, and nobody is invited twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, Table, Text, exists, insert, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from content.database import Id, metadata
from content.ledger.recipients import pack, unpack
from content.register.adopting import REASON
from content.register.states import EventKind, SubscriberState
from content.register.subscribers import registration_event, subscriber

# What LINE takes in one multicast.
BATCH = 500

friend_invitation = Table(
    "friend_invitation",
    metadata,
    Column("id", Id, primary_key=True),
    Column("account", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("recipients", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    Column("retry_key", Text, nullable=False),
    Column("made_at", BigInteger, nullable=False),
    # When LINE took it, or refused it for good; empty while it is to be sent.
    Column("settled_at", BigInteger),
    Column("refused", Text, nullable=False, server_default=""),
)


@dataclass(frozen=True, slots=True)
class InvitationBatch:
    id: int
    language: str
    recipients: list[int]
    retry_key: str


async def to_invite(connection: AsyncConnection, account: str) -> list[tuple[int, str]]:
    """(number, language) of those taken in who are as they were then, and were never invited."""
    was_adopted = exists().where(
        registration_event.c.subscriber_id == subscriber.c.id,
        registration_event.c.kind == EventKind.JOINED,
        registration_event.c.reason == REASON,
    )
    rows = await connection.execute(
        select(subscriber.c.id, subscriber.c.language)
        .where(
            subscriber.c.account == account,
            subscriber.c.state == SubscriberState.ACTIVE,
            subscriber.c.changed_at == subscriber.c.joined_at,
            was_adopted,
        )
        .order_by(subscriber.c.language, subscriber.c.id)
    )
    packed = await connection.scalars(
        select(friend_invitation.c.recipients).where(friend_invitation.c.account == account)
    )
    invited = {number for batch in packed for number in unpack(batch)}
    return [(int(row.id), row.language) for row in rows if row.id not in invited]


async def plan(connection: AsyncConnection, account: str, *, at: int) -> int:
    """Batches for everybody who is to be invited; their number."""
    people = await to_invite(connection, account)
    rows = [
        {
            "account": account,
            "language": language,
            "recipients": pack(numbers),
            "size": len(numbers),
            "retry_key": str(uuid.uuid4()),
            "made_at": at,
        }
        for language, numbers in _batches(people)
    ]
    if rows:
        await connection.execute(insert(friend_invitation), rows)
    return len(people)


async def to_send(connection: AsyncConnection, account: str) -> list[InvitationBatch]:
    """The oldest first."""
    rows = await connection.execute(
        select(friend_invitation)
        .where(friend_invitation.c.account == account, friend_invitation.c.settled_at.is_(None))
        .order_by(friend_invitation.c.id)
    )
    return [InvitationBatch(row.id, row.language, unpack(row.recipients), row.retry_key) for row in rows]


async def settle(connection: AsyncConnection, batch_id: int, *, at: int, refused: str = "") -> None:
    """`refused` is the reason when LINE will not take it."""
    await connection.execute(
        update(friend_invitation)
        .where(friend_invitation.c.id == batch_id, friend_invitation.c.settled_at.is_(None))
        .values(settled_at=at, refused=refused)
    )


def _batches(people: list[tuple[int, str]]) -> Iterator[tuple[str, list[int]]]:
    for language, group in groupby(people, key=lambda item: item[1]):
        numbers = [number for number, _ in group]
        for start in range(0, len(numbers), BATCH):
            yield language, numbers[start : start + BATCH]
