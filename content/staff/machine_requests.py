"""What machines have asked for, by the key that each request bears: the same request is answered, not done, again."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, ForeignKey, Index, LargeBinary, Table, Text, func, select
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import HOUR
from content.database import Id, insert_unless_known, metadata

machine_request = Table(
    "machine_request",
    metadata,
    Column("machine_id", Id, ForeignKey("machine.id"), primary_key=True, autoincrement=False),
    Column("key_hash", LargeBinary(32), primary_key=True),
    Column("body_hash", LargeBinary(32), nullable=False),
    Column("notice_id", Id, ForeignKey("notice.id"), nullable=False),
    Column("answer", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Index(None, "machine_id", "at"),
)


@dataclass(frozen=True, slots=True)
class Answered:
    """A request that was done. `answer` is what the machine was told."""

    body_hash: bytes
    notice_id: int
    answer: str


async def find(connection: AsyncConnection, machine_id: int, key_hash: bytes) -> Answered | None:
    """None when no such request was done: one that was refused leaves nothing."""
    row = (
        await connection.execute(
            select(machine_request).where(
                machine_request.c.machine_id == machine_id, machine_request.c.key_hash == key_hash
            )
        )
    ).one_or_none()
    return None if row is None else Answered(row.body_hash, row.notice_id, row.answer)


async def keep(
    connection: AsyncConnection, machine_id: int, key_hash: bytes, answered: Answered, *, at: int
) -> Answered:
    """In the transaction of the act itself. What was kept before counts, when another was faster."""
    await connection.execute(
        insert_unless_known(connection, machine_request)
        .values(
            machine_id=machine_id,
            key_hash=key_hash,
            body_hash=answered.body_hash,
            notice_id=answered.notice_id,
            answer=answered.answer,
            at=at,
        )
        .on_conflict_do_nothing()
    )
    return await find(connection, machine_id, key_hash) or answered


async def within_hour(connection: AsyncConnection, machine_id: int, now: int) -> tuple[int, int]:
    """How many notices it has posted in the last hour, and when the first of them was (0: none)."""
    recent = select(func.count(), func.min(machine_request.c.at)).where(
        machine_request.c.machine_id == machine_id, machine_request.c.at > now - HOUR
    )
    number, first = (await connection.execute(recent)).one()
    return int(number), int(first or 0)
