"""Challenges that a passkey answers: each made for one session, good for a few minutes and for one answer."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Delete, ForeignKey, LargeBinary, Table, Text, delete, insert
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import MINUTE
from content.database import Id, metadata

LASTS = 5 * MINUTE

staff_challenge = Table(
    "staff_challenge",
    metadata,
    Column("staff_id", Id, ForeignKey("staff_member.id"), primary_key=True, autoincrement=False),
    Column("session", Text, primary_key=True),
    Column("challenge", LargeBinary, nullable=False),
    Column("expires_at", BigInteger, nullable=False, index=True),
)


@dataclass(frozen=True, slots=True)
class Asked:
    """Who answers a challenge, and in which session."""

    staff_id: int
    session: str


async def keep(connection: AsyncConnection, asked: Asked, challenge: bytes, at: int) -> None:
    """In place of the one that this session had before."""
    await connection.execute(_of(asked))
    await connection.execute(
        insert(staff_challenge).values(
            staff_id=asked.staff_id,
            session=asked.session,
            challenge=challenge,
            expires_at=at + LASTS,
        )
    )


async def take(connection: AsyncConnection, asked: Asked, at: int) -> bytes | None:
    """Used up, whatever the answer is worth."""
    row = (
        await connection.execute(
            _of(asked).returning(staff_challenge.c.challenge, staff_challenge.c.expires_at)
        )
    ).one_or_none()
    return bytes(row.challenge) if row is not None and row.expires_at > at else None


async def forget_old(connection: AsyncConnection, now: int) -> None:
    """Those that nobody answered in time."""
    await connection.execute(delete(staff_challenge).where(staff_challenge.c.expires_at <= now))


async def forget_those_of(connection: AsyncConnection, staff_id: int) -> None:
    await connection.execute(delete(staff_challenge).where(staff_challenge.c.staff_id == staff_id))


def _of(asked: Asked) -> Delete:
    return delete(staff_challenge).where(
        staff_challenge.c.staff_id == asked.staff_id, staff_challenge.c.session == asked.session
    )
