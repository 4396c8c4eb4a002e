"""One-time codes that a person hands to a member: to set a password, or to enter without the second factor.

A code is long and random, kept as a hash, good once and for a short time; a new one ends the one before.
"""

from __future__ import annotations

import hashlib
import secrets
from enum import StrEnum

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    ColumnElement,
    ForeignKey,
    LargeBinary,
    Table,
    Text,
    delete,
    insert,
    select,
    update,
)
from sqlalchemy.ext.asyncio import AsyncConnection

from content.clock import DAY, HOUR
from content.database import Id, metadata, one_of
from content.database.identity import ALPHABET

LENGTH = 16


class CodePurpose(StrEnum):
    """`password`: an invitation or a reset. `second_factor`: once in place of the second factor."""

    PASSWORD = "password"  # noqa: S105 - no password
    SECOND_FACTOR = "second_factor"


LASTS = {CodePurpose.PASSWORD: 7 * DAY, CodePurpose.SECOND_FACTOR: HOUR}

staff_code = Table(
    "staff_code",
    metadata,
    Column("code_hash", LargeBinary(32), primary_key=True),
    Column("staff_id", Id, ForeignKey("staff_member.id"), nullable=False, index=True),
    Column("purpose", Text, nullable=False),
    Column("expires_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
    CheckConstraint(one_of("purpose", CodePurpose), name="purpose"),
)


def new_code() -> str:
    """Four groups of four that can be read out on the telephone: 80 bits."""
    letters = [secrets.choice(ALPHABET) for _ in range(LENGTH)]
    return "-".join("".join(letters[at : at + 4]) for at in range(0, LENGTH, 4))


def hash_of(code: str) -> bytes:
    """As it is kept: however it was typed, with or without hyphens. Random enough for a quick hash."""
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    return hashlib.sha256(plain.encode()).digest()


async def make(connection: AsyncConnection, staff_id: int, purpose: CodePurpose, *, at: int) -> str:
    """A new code, to be shown once."""
    code = new_code()
    await connection.execute(
        delete(staff_code).where(staff_code.c.staff_id == staff_id, staff_code.c.purpose == purpose)
    )
    await connection.execute(
        insert(staff_code).values(
            code_hash=hash_of(code), staff_id=staff_id, purpose=purpose, expires_at=at + LASTS[purpose]
        )
    )
    return code


async def is_good(
    connection: AsyncConnection, staff_id: int, code: str, purpose: CodePurpose, *, at: int
) -> bool:
    """Whether it is this member's and could be used now."""
    good = select(staff_code.c.staff_id).where(*_good(staff_id, code, purpose, at))
    return await connection.scalar(good) is not None


async def use(
    connection: AsyncConnection, staff_id: int, code: str, purpose: CodePurpose, *, at: int
) -> bool:
    """Whether it was this member's and good; it is not any more."""
    used = await connection.execute(
        update(staff_code).where(*_good(staff_id, code, purpose, at)).values(used_at=at)
    )
    return bool(used.rowcount)


async def waiting_for_password(connection: AsyncConnection, at: int) -> set[int]:
    """Members who were handed a code and have not set their password yet."""
    found = await connection.scalars(
        select(staff_code.c.staff_id).where(
            staff_code.c.purpose == CodePurpose.PASSWORD,
            staff_code.c.used_at.is_(None),
            staff_code.c.expires_at > at,
        )
    )
    return {int(row) for row in found}


def _good(staff_id: int, code: str, purpose: CodePurpose, at: int) -> tuple[ColumnElement[bool], ...]:
    return (
        staff_code.c.code_hash == hash_of(code),
        staff_code.c.staff_id == staff_id,
        staff_code.c.purpose == purpose,
        staff_code.c.used_at.is_(None),
        staff_code.c.expires_at > at,
    )
